"""One file from the network: resumed where it broke off, verified before it takes its place."""

from __future__ import annotations

import hashlib
import http.client
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from linne.records.errors import WeightsError, WriteError

Progress = Callable[[int, int], None]
"""Told the bytes that are here and the bytes in all (0 where the server does not say)."""

CHUNK = 1 << 20
TRIES = 4
TIMEOUT = 30.0
"""Seconds without a byte."""

LARGEST = 16 * 2**30
"""Bytes: no published weights are larger."""


class _Broken(Exception):  # noqa: N818 - it never leaves this file
    """The transfer ended early; what has come is kept."""


def download(url: str, target: Path, sha256: str, progress: Progress | None = None) -> str:
    """Download a file to `target`, or go on with what an earlier attempt left beside it; other processes wait.

    The proxy is the one that ``HTTPS_PROXY``, ``HTTP_PROXY`` and ``NO_PROXY`` name.

    Parameters
    ----------
    url : str
        http, https or file.
    target : Path
    sha256 : str
        Expected digest in hexadecimal, or its beginning; '' if none is known.
    progress : callable, optional

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
    part = target.with_name(f"{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(target.with_name(f".{target.name}.lock")):
            if target.is_file():  # another process has fetched it meanwhile
                return sha256_of(target)
            digest = _in_several_tries(url, part, progress)
            if not digest.startswith(sha256.lower()):
                part.unlink()
                raise WeightsError(
                    f"the file's SHA-256 is {digest[:16]}..., and {sha256[:16]} was expected",
                    file=url,
                    remedy="try again; if it stays so, the mirror or a proxy changes the file",
                )
            part.replace(target)
    except WeightsError:
        raise
    except OSError as error:
        raise WriteError(f"could not be written: {error.strerror or error}", file=target) from error
    return digest


def _in_several_tries(url: str, part: Path, progress: Progress | None) -> str:
    for attempt in range(TRIES):
        before = part.stat().st_size if part.exists() else 0
        try:
            return _once(url, part, progress)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 416 and before:  # the part is longer than the file, or of another file
                part.unlink()
                continue
            if error.code < 500 and error.code not in (408, 429):
                raise WeightsError(f"the server says {error.code} {error.reason}", file=url) from error
            reason: Exception = error
        except (_Broken, urllib.error.URLError, TimeoutError, ConnectionError, http.client.HTTPException) as error:
            reason = error
        if attempt < TRIES - 1:
            time.sleep(0.5 * 2**attempt)
    told = getattr(reason, "reason", reason)
    raise WeightsError(f"could not be downloaded: {told}", file=url) from reason


def _once(url: str, part: Path, progress: Progress | None) -> str:
    here = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={here}-"} if here else {})  # noqa: S310 - the catalogue's
    with urllib.request.build_opener().open(request, timeout=TIMEOUT) as answer:  # reads the proxies of now
        resumed = here > 0 and answer.status == 206
        if not resumed:
            here = 0
        total = here + int(answer.headers.get("Content-Length") or 0)
        if total > LARGEST or total - here > shutil.disk_usage(part.parent).free:
            raise WeightsError("the file is larger than the free space on the disk", file=url, value=total)
        with part.open("ab" if resumed else "wb") as file:
            while chunk := answer.read(CHUNK):
                file.write(chunk)
                here += len(chunk)
                if progress is not None:
                    progress(here, total)
                if here > LARGEST:
                    raise WeightsError("the file does not end", file=url, value=here)
    if total and here < total:
        raise _Broken(f"the connection ended after {here} of {total} bytes")
    return sha256_of(part)


def sha256_of(path: Path) -> str:
    """Hash a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
