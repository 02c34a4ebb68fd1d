"""Published weights, on this machine: from the cache, a mirror, or the network."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from linne.nets.weights.download import Expected, Progress, Say, download, sha256_of
from linne.nets.weights.published import Published, every_published, published
from linne.nets.weights.source import OFFLINE, in_name, mirror, offline, publisher, told
from linne.nets.weights.whole import flaw
from linne.records.atomic import write_json
from linne.records.errors import LinneError, WeightsError
from linne.records.places import user_cache


@dataclass(frozen=True, slots=True)
class Verified:
    """What became of one file of the cache.

    Attributes
    ----------
    path : Path
    sha256 : str
        '' if it cannot be read.
    state : {'good', 'unchanged', 'damaged', 'unknown'}
        As published; as it came, where no digest is published; neither; or there is nothing to compare with.
    weights : Published or None
        None where nobody published a file of this name.
    reason : str
        Why it is damaged, or ''.
    """

    path: Path
    sha256: str
    state: str
    weights: Published | None
    reason: str = ""


def cache_folder() -> Path:
    """Give the folder that published weights are kept in."""
    return user_cache() / "weights"


def local_path(weights: Published) -> Path:
    """Where these weights lie once they are fetched."""
    return cache_folder() / weights.path


def fetch(weights: Published, progress: Progress | None = None, say: Say | None = None) -> Path:
    """Give the file of published weights, downloading it if it is not here yet.

    Looked at in turn: the cache, the mirror that ``LINNE_MIRROR`` names, the publisher (unless ``LINNE_OFFLINE``).
    timm's hub may be replaced by another endpoint with ``HF_ENDPOINT``.

    Parameters
    ----------
    weights : Published
    progress : callable, optional
        Told the bytes that are here and the bytes in all.
    say : callable, optional
        Told in a line when a busy server is waited for.

    Raises
    ------
    WeightsError
        It is not here and cannot be downloaded; the message says what to fetch and where to put it, or what else to do.
    """
    path = local_path(weights)
    if path.is_file():
        if not (in_name(weights) and _record(path).is_file()):  # else its digest was compared when it came
            _refuse_others(path, weights)
        return path
    named = mirror()
    if isinstance(named, Path) and (named / weights.path).is_file():
        _refuse_others(named / weights.path, weights)
        return named / weights.path
    mirrored = isinstance(named, str)
    source = f"{named}/{weights.path}" if mirrored else publisher(weights)
    try:
        if offline():
            raise WeightsError(f"{OFFLINE} is set")
        expected = Expected(in_name(weights)) if mirrored else told(weights, source, say)
        digest = download(source, path, expected, progress, say)
    except WeightsError as error:
        raise WeightsError(
            f"the weights {weights.tag} of {weights.network} are not here: {error.problem}",
            file=error.file if error.remedy else None,  # the other remedy names it
            value=error.value,
            remedy=error.remedy or f"fetch {source} and put it at {path}",
        ) from error
    write_json(_record(path), {"sha256": digest, "source": source, "published": expected.sha256})
    return path


def verify_all() -> list[Verified]:
    """Verify every weights file of the cache."""
    known = {local_path(weights): weights for weights in every_published()}
    files = [path for path in sorted(cache_folder().rglob("*")) if path.suffix in (".pth", ".safetensors", ".bin")]
    return [_verified(path, known.get(path) or _of_timm(path)) for path in files]


def _verified(path: Path, weights: Published | None) -> Verified:
    if not path.is_file():  # a folder, a link to nowhere, a pipe that would be waited for
        return Verified(path, "", "damaged", weights, "is no file")
    try:
        digest = sha256_of(path)
    except OSError as error:
        return Verified(path, "", "damaged", weights, f"cannot be read: {error.strerror or error}")
    try:
        came, published = _recorded(path) if _record(path).is_file() else ("", "")
    except WeightsError as error:
        return Verified(path, digest, "damaged", weights, f"{_record(path).name} {error.problem}")
    published = published or (in_name(weights) if weights else "")
    if not digest.startswith(came):
        return Verified(path, digest, "damaged", weights, f"came with SHA-256 {came[:16]}...")
    if not digest.startswith(published):
        return Verified(path, digest, "damaged", weights, f"was published with SHA-256 {published[:16]}")
    if not published and (reason := flaw(path, path.suffix)):
        return Verified(path, digest, "damaged", weights, reason)
    return Verified(path, digest, "good" if published else "unchanged" if came else "unknown", weights)


def _of_timm(path: Path) -> Published | None:
    """Whose file is it, among all of timm's networks?"""
    if path.parent.parent != cache_folder() / "timm":
        return None
    try:
        rows = published(f"timm:{path.parent.name}")
    except (LinneError, RuntimeError):  # timm's own, of a tag that it does not have
        return None
    return next((weights for weights in rows if local_path(weights) == path), None)


def _refuse_others(path: Path, weights: Published) -> None:
    """Raise `WeightsError` where the file is not what its name says; timm's say nothing, but that it holds weights."""
    remedy = "delete it and fetch it again, or put the published file in its place"
    digest = sha256_of(path) if in_name(weights) else ""
    if not digest.startswith(in_name(weights)):
        raise WeightsError(
            "is damaged, or another file: its SHA-256 does not begin as its name says",
            file=path,
            value=digest[:16],
            remedy=remedy,
        )
    if not digest and (reason := flaw(path, path.suffix)):
        raise WeightsError(f"cannot be used: {reason}", file=path, remedy=remedy)


def _record(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def _recorded(path: Path) -> tuple[str, str]:
    """Digest of what came, and of what was published, or ''."""
    try:
        record = json.loads(_record(path).read_bytes())
        came, published = str(record["sha256"]), str(record["published"])
        if re.fullmatch("[0-9a-f]{64}", came) and re.fullmatch("[0-9a-f]{0,64}", published):
            return came, published
        cause: Exception | None = None
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        cause = error
    raise WeightsError("is damaged", file=_record(path), remedy="delete it and the weights beside it") from cause
