"""What is the same for all networks of a race: without it, its results cannot be compared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from linne import __version__
from linne.embed.embedding import Embedding
from linne.embed.machine import machine
from linne.records.errors import RunError
from linne.records.fingerprint import of_arrays
from linne.records.index import Index
from linne.records.leaderboard import Result
from linne.records.sealed import read_sealed, write_sealed
from linne.records.split import Split
from linne.road.request import Request

CONDITIONS = "race.json"
SCHEMA = 1


def conditions_of(index: Index, split: Split, embedding: Embedding, request: Request) -> dict[str, Any]:
    """All that makes results comparable."""
    return {
        "version": __version__,
        "photos": [index.fingerprint, of_arrays(embedding.passed.digest)],
        "split": split.fingerprint,
        "budget": request.budget,
        "seed": request.seed,
        "settings": dict(request.chosen),
        "machine": machine(),
    }


def refuse_another_race(folder: Path, conditions: dict[str, Any]) -> None:
    """Raise where the folder holds a race under other conditions; else note these in it."""
    path, remedy = folder / CONDITIONS, "choose another --out, or delete the race"
    if not path.exists():
        write_sealed(path, {**conditions, "schema": SCHEMA})
        return
    known = read_sealed(path, "race", SCHEMA, RunError, remedy)
    other = [name for name, value in conditions.items() if known.get(name) != value]
    if other:
        problem = "holds a race under other conditions"
        raise RunError(problem, file=folder, value=f"other {' and other '.join(other)}", remedy=remedy)


def read_kept(path: Path, question: str) -> Result:
    """Read a finished result; `RunError` for one of another race."""
    result = Result.read(path)
    if result.question != question:
        raise RunError("is the result of another race", file=path, remedy="delete it, and run the race again")
    return result
