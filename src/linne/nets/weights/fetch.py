"""Published weights, on this machine: from the cache, a mirror, or the network."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from linne.nets.weights.download import Progress, download, sha256_of
from linne.nets.weights.published import Published, every_published, published
from linne.records.atomic import write_json
from linne.records.errors import LinneError, WeightsError
from linne.records.places import user_cache

MIRROR = "LINNE_MIRROR"
"""Environment variable: a folder, or an address, that holds the files as the cache does."""

OFFLINE = "LINNE_OFFLINE"
"""Environment variable: set to anything but 0, nothing is downloaded."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What became of one file of the cache.

    Attributes
    ----------
    path : Path
    sha256 : str
    state : {'good', 'unchanged', 'damaged', 'unknown'}
        As published; as it came, where no digest is published; neither; or there is nothing to compare with.
    weights : Published or None
        None where nobody published a file of this name.
    """

    path: Path
    sha256: str
    state: str
    weights: Published | None


def cache_folder() -> Path:
    """Give the folder that published weights are kept in."""
    return user_cache() / "weights"


def local_path(weights: Published) -> Path:
    """Where these weights lie once they are fetched."""
    return cache_folder() / weights.path


def fetch(weights: Published, progress: Progress | None = None) -> Path:
    """Give the file of published weights, downloading it if it is not here yet.

    Looked at in turn: the cache, the mirror that ``LINNE_MIRROR`` names, the publisher (unless ``LINNE_OFFLINE``).
    timm's hub may be replaced by another endpoint with ``HF_ENDPOINT``.

    Parameters
    ----------
    weights : Published
    progress : callable, optional
        Told the bytes that are here and the bytes in all.

    Raises
    ------
    WeightsError
        It is not here and cannot be downloaded; the message says what to fetch and where to put it.
    """
    path = local_path(weights)
    if path.is_file():
        if not _record(path).is_file():  # a person put it there
            _refuse_others(path, weights)
        return path
    mirror = os.environ.get(MIRROR, "")
    if mirror and "://" not in mirror:
        copy = Path(mirror).expanduser() / weights.path
        if copy.is_file():
            _refuse_others(copy, weights)
            return copy
    mirrored = "://" in mirror
    source = f"{mirror.rstrip('/')}/{weights.path}" if mirrored else _address(weights)
    try:
        if os.environ.get(OFFLINE, "0") not in ("", "0"):
            raise WeightsError(f"{OFFLINE} is set")
        expected = _in_name(weights) if mirrored else _published_digest(weights, source)
        digest = download(source, path, expected, progress)
    except WeightsError as error:
        raise WeightsError(
            f"the weights {weights.tag} of {weights.network} are not here: {error.problem}",
            value=error.value,
            remedy=f"fetch {source} and put it at {path}",
        ) from error
    write_json(_record(path), {"sha256": digest, "source": source, "published": expected})
    return path


def verify_all() -> list[Verified]:
    """Verify every weights file of the cache."""
    known = {local_path(weights): weights for weights in every_published()}
    files = [path for path in sorted(cache_folder().rglob("*")) if path.suffix in (".pth", ".safetensors", ".bin")]
    return [_verified(path, known.get(path) or _of_timm(path)) for path in files]


def _verified(path: Path, weights: Published | None) -> Verified:
    digest = sha256_of(path)
    came, published = _recorded(path) if _record(path).is_file() else ("", "")
    published = published or (_in_name(weights) if weights else "")
    if not came and not published:
        state = "unknown"
    elif digest.startswith(came) and digest.startswith(published):
        state = "good" if published else "unchanged"
    else:
        state = "damaged"
    return Verified(path, digest, state, weights)


def _of_timm(path: Path) -> Published | None:
    """Whose file is it, among all of timm's networks?"""
    if path.parent.parent != cache_folder() / "timm":
        return None
    try:
        rows = published(f"timm:{path.parent.name}")
    except LinneError:
        return None
    return next((weights for weights in rows if local_path(weights) == path), None)


def _refuse_others(path: Path, weights: Published) -> None:
    """Raise `WeightsError` where the file is not what its name says; timm's names say nothing."""
    digest = sha256_of(path)
    if not digest.startswith(_in_name(weights)):
        raise WeightsError(
            "is damaged, or another file: its SHA-256 does not begin as its name says",
            file=path,
            value=digest[:16],
            remedy="get it again",
        )


def _address(weights: Published) -> str:
    """Where the publisher keeps the file, from the packages that know it."""
    if weights.project == "torchvision":
        from torchvision.models import get_weight

        return str(get_weight(weights.source).url)
    from huggingface_hub import hf_hub_url

    return str(hf_hub_url(weights.source, weights.file, endpoint=os.environ.get("HF_ENDPOINT")))


def _published_digest(weights: Published, source: str) -> str:
    """SHA-256 or its beginning: from torchvision's file name, or as the hub tells it."""
    if weights.project == "torchvision":
        return _in_name(weights)
    from huggingface_hub import get_hf_file_metadata

    try:
        etag = get_hf_file_metadata(source).etag or ""
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise WeightsError("the hub could not be reached", value=reason) from error
    return etag if re.fullmatch(r"[0-9a-f]{64}", etag) else ""


def _in_name(weights: Published) -> str:
    """The beginning of the digest that torchvision writes into a file's name."""
    found = re.search(r"-([0-9a-f]{8})\.pth$", weights.file)
    return found[1] if found else ""


def _record(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def _recorded(path: Path) -> tuple[str, str]:
    """Digest of what came, and of what was published, or ''."""
    try:
        record = json.loads(_record(path).read_bytes())
        return str(record["sha256"]), str(record["published"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsError("is damaged", file=_record(path), remedy="delete it and the weights beside it") from error
