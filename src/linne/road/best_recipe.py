"""The best recipe of a search, as files that `linne fit` takes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from linne.records.atomic import write_text
from linne.records.errors import printable
from linne.records.plan import Plan
from linne.records.recipe import TEACHERS, UNREAD
from linne.records.trials import Trial

MEASURED = ("epochs", "precision", "lanes", "channels_last", "accumulation")
"""What depends on the machine and the time there is: for another run it is measured anew."""


def write_best(folder: Path, trial: Trial, plan: Plan, fixed: Mapping[str, Any], command: str) -> None:
    """Write ``best.toml``, for `linne fit --recipe`, and ``plan.json``, for `linne fit --plan`: the same run again."""
    plan.write(folder / "plan.json")
    write_text(folder / "best.toml", as_toml(trial, plan, fixed, command))


def as_toml(trial: Trial, plan: Plan, fixed: Mapping[str, Any], command: str) -> str:
    """Give a recipe as text: settings that differ from level to level, or are measured, are comments.

    Those of which no level knows anything are left out.
    """
    command = printable(" ".join(command.split()))
    lines = [
        f"# From `{command}`, {datetime.now(UTC).date().isoformat()}: trial {trial.number}, {plan.network}, "
        f"{trial.method}; {trial.seconds:.0f} s of training.",
        f"# Validation accuracy {trial.accuracy:.4f}, log loss {trial.log_loss:.4f}: the best of several trials, so it "
        "flatters; a test tells.",
    ]
    several = len(plan.levels) > 1
    found_anew = (*MEASURED, *UNREAD["whole"]) if several else MEASURED
    for name in plan.levels[0].to_json():
        unread = () if plan.teacher else TEACHERS
        values = [getattr(level, name) for level in plan.levels if name not in (*UNREAD[level.method], *unread)]
        if any(other != values[0] for other in values[1:]):
            lines.append(f"# {name}: {', then '.join(map(str, values))}")
        elif values and name in found_anew and name not in fixed:
            lines.append(f"# {name}: {values[0]}")
        elif values:
            lines.append(f"{name} = {_toml('none' if values[0] is None else values[0])}")
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    """Numbers, booleans and plain words are written alike in both."""
    return json.dumps(value)
