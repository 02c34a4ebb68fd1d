"""What was measured or decided before, in JSON files of the store.

Losing one costs the time to find it out again, which on another day may come out differently.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from linne.records.atomic import write_json
from linne.records.errors import LinneError
from linne.records.lock import in_turn


def recalled(memory: Path) -> dict[str, Any]:
    """All that a memory holds, by question; nothing where it was not written yet, or is damaged."""
    try:
        value = json.loads(memory.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def keep(memory: Path, question: str, answer: Any) -> None:
    """Add an answer; where that cannot be written, the next run finds it out again."""
    with suppress(LinneError), in_turn(memory):
        write_json(memory, {**recalled(memory), question: answer})
