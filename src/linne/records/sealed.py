"""JSON that tells whether it was altered: it carries its own digest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from linne.records import fingerprint
from linne.records.atomic import read_json, write_json
from linne.records.errors import LinneError

SEAL = "seal"


def sealed(value: dict[str, Any]) -> dict[str, Any]:
    """Add the digest of everything else."""
    return {**value, SEAL: fingerprint.of_settings(value)}


def unsealed(value: dict[str, Any]) -> dict[str, Any] | None:
    """Take the digest off; None where it is not that of the rest."""
    rest = {key: inner for key, inner in value.items() if key != SEAL}
    try:
        whole = value.get(SEAL) == fingerprint.of_settings(rest)
    except (ValueError, RecursionError):  # a number that is too large for a float, lists in lists without end
        return None
    return rest if whole else None


def write_sealed(path: Path, value: dict[str, Any]) -> None:
    """Write as JSON, sealed, atomically."""
    write_json(path, sealed(value))


def read_sealed(
    path: Path, artefact: str, schema: int | tuple[int, ...], error: type[LinneError], remedy: str
) -> dict[str, Any]:
    """Read what `write_sealed` wrote, in the schema, or in one of several.

    Raises
    ------
    LinneError
        Of the given class, when the file is gone, is no JSON, of another schema, altered or damaged.
    """
    value = read_json(path, error, remedy)
    known = (schema,) if isinstance(schema, int) else schema
    if value.get("schema") not in known:
        raise error(
            f"is no {artefact} of schema {' or '.join(map(str, known))}",
            file=path,
            value=value.get("schema"),
            remedy=remedy,
        )
    rest = unsealed(value)
    if rest is None:
        raise error("was altered or damaged: its seal does not match", file=path, remedy=remedy)
    return rest
