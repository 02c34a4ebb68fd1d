"""How every artefact is written: beside its place, then renamed, so that a kill leaves the old or the new."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from linne.records.errors import LinneError, WriteError


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it takes `path`'s place, on failure it is removed.

    Raises
    ------
    WriteError
        The file could not be written (disk full, no permission). The old file is intact.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        with part.open("rb+") as written:
            os.fsync(written.fileno())
        part.replace(path)
    except OSError as error:
        raise WriteError(
            f"could not be written: {error.strerror or error}",
            file=path,
            remedy="free some space or choose another folder; what stood there before is untouched",
        ) from error
    finally:
        with contextlib.suppress(OSError):  # it has been renamed, or its folder could not be made
            part.unlink()


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON atomically; NaN and infinity are refused, being no JSON."""
    text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    with replacing(path) as part:
        part.write_bytes(encoded(text))


def encoded(json_text: str) -> bytes:
    """UTF-8 of JSON text; bytes of file names that are not UTF-8 become JSON escapes, which read back the same."""
    return json_text.encode("utf-8", "backslashreplace")


def read_json(path: Path, error: type[LinneError], remedy: str) -> dict[str, Any]:
    """Read a JSON object.

    Raises
    ------
    LinneError
        Of the given class, when the file is gone, is no JSON, or holds no object.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)
    except FileNotFoundError:
        raise error("no such file", file=path, remedy=remedy) from None
    except (OSError, ValueError, RecursionError) as cause:
        raise error("cannot be read as JSON", file=path, value=cause, remedy=remedy) from cause
    if not isinstance(value, dict):
        raise error("does not hold a JSON object", file=path, remedy=remedy)
    return value


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
