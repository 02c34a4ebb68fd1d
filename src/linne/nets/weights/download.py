"""One file from the network: resumed where it broke off, verified before it takes its place."""

from __future__ import annotations

import hashlib
import http.client
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from linne.nets.weights.headers import content_range, length, retry_after, version
from linne.nets.weights.part import Part
from linne.nets.weights.whole import flaw
from linne.records.errors import WeightsError, WriteError

Progress = Callable[[int, int], None]
"""Told the bytes that are here and the bytes in all (0 where the server does not say)."""

Say = Callable[[str], None]
"""Told in a line what a person would wonder at, such as a wait."""

CHUNK = 1 << 20
TRIES = 4
TIMEOUT = 30.0
"""Seconds without a byte."""

LONGEST_WAIT = 60.0
"""Seconds between two tries, however long a busy server asks to wait."""

LARGEST = 16 * 2**30
"""Bytes: no published weights are larger."""


class _Broken(Exception):  # noqa: N818 - it never leaves this file
    """The transfer ended early, or never began; what has come is kept."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What is known of a file before it comes.

    Attributes
    ----------
    sha256 : str
        Digest in hexadecimal, or its beginning; '' if none is known: the file must then be weights at least.
    size : int
        Bytes; 0 if that is not known.
    """

    sha256: str = ""
    size: int = 0


def download(
    url: str, target: Path, expected: Expected, progress: Progress | None = None, say: Say | None = None
) -> str:
    """Download a file to `target`, or go on with what an earlier attempt left beside it; other processes wait.

    The proxy is the one that ``HTTPS_PROXY``, ``HTTP_PROXY`` and ``NO_PROXY`` name.

    Parameters
    ----------
    url : str
        http, https or file.
    target : Path
    expected : Expected
    progress, say : callable, optional

    Returns
    -------
    str
        SHA-256 of the file.

    Raises
    ------
    WeightsError
        The server refuses, cannot be reached after several tries, or sends other bytes than expected.
    WriteError
        The disk is full or the folder cannot be written.
    """
    part = Part(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(target.with_name(f".{target.name}.lock")):
            if target.is_file():  # another process has fetched it meanwhile
                return sha256_of(target)
            _in_several_tries(url, part, expected, progress, say)
            digest = sha256_of(part.path)
            wrong = _wrong(digest, expected.sha256) if expected.sha256 else flaw(part.path, target.suffix)
            if wrong:
                part.remove()
                raise WeightsError(
                    wrong, file=url, remedy="try again; if it stays so, the mirror or a proxy changes the file"
                )
            part.take_place(target)
    except OSError as error:
        raise WriteError(
            f"could not be written: {error.strerror or error}",
            file=target,
            remedy="free some space, or name another cache folder with XDG_CACHE_HOME",
        ) from error
    return digest


def _wrong(digest: str, sha256: str) -> str:
    if digest.startswith(sha256.lower()):
        return ""
    return f"the file's SHA-256 is {digest[:16]}..., and {sha256[:16]} was expected"


def _in_several_tries(url: str, part: Part, expected: Expected, progress: Progress | None, say: Say | None) -> None:
    for attempt in range(TRIES):
        asked = 0.0
        try:
            _once(url, part, expected, progress)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 416 and part.size():  # the part is longer than the file, or of another file
                part.remove()
                continue
            reason = f"the server says {error.code} {error.reason}"
            if error.code < 500 and error.code not in (408, 429):
                raise WeightsError(reason, file=url) from error
            asked = retry_after(error.headers.get("Retry-After"))
        except _Broken as error:
            reason = str(error)
        else:
            return
        if attempt < TRIES - 1:
            pause(attempt, asked, say)
    raise WeightsError(f"could not be downloaded: {reason}", file=url)


def pause(attempt: int, asked: float, say: Say | None) -> None:
    """Wait before the next try, longer if the server asks for it, in seconds."""
    seconds = min(max(asked, 0.5 * 2**attempt), LONGEST_WAIT)
    if asked and say is not None:
        say(f"the server is busy, next try in {seconds:.0f} s")
    time.sleep(seconds)


def _once(url: str, part: Part, expected: Expected, progress: Progress | None) -> None:
    here, known = part.size(), part.version(url)
    if here and not known and not expected.sha256:  # nothing could tell whether the rest is of the same file
        here = 0
    headers = {"Accept-Encoding": "identity"}
    if here:
        headers |= {"Range": f"bytes={here}-"} | ({"If-Range": known} if known else {})
    with _asked(url, headers) as answer:
        resumed = here > 0 and answer.status == 206
        if not resumed and answer.status not in (200, None):  # a file's has none
            raise WeightsError(f"the server says {answer.status} where the file should come", file=url)
        if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise WeightsError("the file comes encoded", file=url, value=answer.headers["Content-Encoding"])
        announced = length(answer.headers)
        if announced < 0:
            raise WeightsError("the length is no number", file=url, value=answer.headers["Content-Length"])
        if resumed:
            first, total = content_range(answer.headers)
            if first != here or (known and version(answer.headers) != known):
                part.remove()
                raise _Broken("the server goes on with other bytes than it was asked for")
            total = total or (announced and here + announced)
        else:
            here, total = 0, announced
            part.begin(url, version(answer.headers))
        _refuse_sizes(total, here, expected, url, part)
        here = _received(answer, part, here, total or expected.size, url, progress)
    if here < (total or expected.size):
        raise _Broken(f"the connection ended after {here} of {total or expected.size} bytes")


def _asked(url: str, headers: dict[str, str]) -> Any:
    try:
        request = urllib.request.Request(url, headers=headers)  # noqa: S310 - the catalogue's, or a setting
        return urllib.request.build_opener().open(request, timeout=TIMEOUT)  # reads the proxies of now
    except urllib.error.HTTPError:
        raise
    except ValueError as error:
        raise WeightsError(
            "no address that can be asked: this one, or a proxy's, or where the server leads to", file=url, value=error
        ) from error
    except (OSError, http.client.HTTPException) as error:
        raise _Broken(f"{getattr(error, 'reason', error)}") from error


def _refuse_sizes(total: int, here: int, expected: Expected, url: str, part: Part) -> None:
    if total and expected.size and total != expected.size:
        part.remove()
        raise WeightsError(f"the server announces {total} bytes, and {expected.size} were published", file=url)
    if total > LARGEST:
        raise WeightsError("the file is larger than any weights", file=url, value=total)
    if total - here > shutil.disk_usage(part.path.parent).free:
        raise WriteError("the file is larger than the free space on the disk", file=part.path, value=total)


def _received(answer: Any, part: Part, here: int, total: int, url: str, progress: Progress | None) -> int:
    """Write what comes behind what is here, and give the bytes that are here then."""
    with part.path.open("ab") as file:
        while chunk := _read(answer):
            here += len(chunk)
            if here > (total or LARGEST):
                part.remove()
                raise WeightsError("the file does not end where it should", file=url, value=here)
            file.write(chunk)
            if progress is not None:
                progress(here, total)
    return here


def _read(answer: Any) -> bytes:
    """What has come, at most a chunk: waiting for a whole one would lose its beginning where the rest never comes."""
    try:
        return bytes(answer.read1(CHUNK))
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise _Broken(f"{error}") from error


def sha256_of(path: Path) -> str:
    """Hash a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
