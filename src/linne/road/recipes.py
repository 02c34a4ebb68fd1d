"""Settings of training that a person has decided, from a TOML file or from the command line."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from linne.records.errors import LinneError
from linne.road.request import checked_choice

LARGEST_BYTES = 1_000_000


def read_recipe(path: Path) -> dict[str, Any]:
    """Read a recipe; `LinneError` where it is none, or holds what is no setting.

    A recipe is a TOML file of `linne.records.recipe.Recipe`'s settings, any of them. Comments at its head say for what
    it is, with which command it was used, how long it took and what it gave.
    """
    remedy = "write settings as name = value; see docs/tasks/recipes.md"
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise LinneError(
                "is too large for a recipe", file=path, value=f"{path.stat().st_size} bytes", remedy=remedy
            )
        with path.open("rb") as file:
            values = tomllib.load(file)
    except FileNotFoundError:
        raise LinneError("no such recipe", file=path, remedy="give a TOML file") from None
    except (OSError, ValueError, RecursionError) as error:
        raise LinneError("cannot be read as TOML", file=path, value=error, remedy=remedy) from error
    try:
        return {name: checked_choice(name, value) for name, value in values.items()}
    except LinneError as error:
        raise LinneError(error.problem, file=path, value=error.value, remedy=error.remedy) from error


def read_settings(given: Sequence[str]) -> dict[str, Any]:
    """Read ``name=value`` texts; `LinneError` where one is no setting."""
    chosen = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise LinneError("is no setting", value=text, remedy="give it as name=value")
        chosen[name.strip()] = checked_choice(name.strip(), value.strip())
    return chosen
