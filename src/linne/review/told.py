"""What the page is told, as JSON."""

from __future__ import annotations

import shlex
from typing import Any

from linne.records.decisions import Act
from linne.review.desk import MOST_SHOWN, Desk
from linne.review.rules import Decided


def what_stands(desk: Desk) -> dict[str, Any]:
    """Give what changes with decisions: progress, and what can be undone."""
    decided = desk.decided
    undo, redo = desk.standing.next_undo(), desk.standing.next_redo()
    return {
        "version": desk.standing.version,
        "edition": desk.edition,
        "total": len(desk.cases),
        "open": int((~decided).sum()),
        "checks": [{"check": name, "total": total, "open": left} for name, total, left in desk.queue.counts(decided)],
        "classes": desk.known_classes(),
        "undo": None if undo is None else act_told(undo),
        "redo": None if redo is None else act_told(redo),
    }


def what_is_reviewed(desk: Desk) -> dict[str, Any]:
    """Give what stays: the data set, its classes, and the commands that use the decisions."""
    return {
        "name": desk.index.name,
        "folder": str(desk.folder),
        "who": desk.who,
        "run": desk.is_run,
        "images": len(desk.index),
        "test": int(desk.test.sum()),
        "labels": list(desk.index.labels),
        "suggestions": desk.queue.suggestions,
        "notes": list(desk.notes),
        "apply": f"linne audit --apply {shlex.quote(str(desk.folder))}",
        "export": f"linne audit {shlex.quote(str(desk.folder))} --export-csv findings.csv",
    }


def act_told(act: Act) -> dict[str, Any]:
    """Give an act with its first decision, and of how many images or classes it is."""
    first = act.decisions[0]
    return {
        "act": act.number,
        "who": act.who,
        "when": act.when,
        "why": act.why,
        "action": first.action if len({d.action for d in act.decisions}) == 1 else "several",
        "subject": first.path or first.label,
        "to": first.to,
        "count": act.count,
        "test": sum(d.test for d in act.decisions),
    }


def outcome(desk: Desk, decided: Decided, number: int | None, most: int = MOST_SHOWN) -> dict[str, Any]:
    """Give what came of answers, with the case that was answered and its first `most` images."""
    with desk.lock:
        told: dict[str, Any] = {
            "act": None if decided.act is None else decided.act.number,
            "images": decided.images,
            "test_left": decided.test_left,
            "others_left": decided.others_left,
            **what_stands(desk),
        }
        if number is not None:
            told["shown"] = desk.shown(desk.cases[number], most)
        return told
