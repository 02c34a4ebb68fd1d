"""What was measured or decided before, in JSON files of the store.

Losing one costs the time to find it out again, which on another day may come out differently. Each answer is
sealed with its question: what was changed since by anything else is no answer.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from linne.records.atomic import write_json
from linne.records.errors import LinneError
from linne.records.lock import in_turn
from linne.records.sealed import sealed, unsealed


def recalled(memory: Path) -> dict[str, Any]:
    """All answers that a memory holds, by question; nothing where it was not written yet, or is damaged."""
    try:
        value = json.loads(memory.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    entries = value.items() if isinstance(value, dict) else ()
    known = ((question, unsealed(entry)) for question, entry in entries if isinstance(entry, dict))
    return {question: rest["answer"] for question, rest in known if rest is not None and rest["question"] == question}


def keep(memory: Path, question: str, answer: Any) -> None:
    """Add an answer; where that cannot be written, the next run finds it out again."""
    with suppress(LinneError), in_turn(memory):
        answers = {**recalled(memory), question: answer}
        write_json(memory, {asked: sealed({"question": asked, "answer": a}) for asked, a in answers.items()})
