"""Linne: a folder of images goes in, a classifier that its owner can trust and ship comes out."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType

__version__ = "0.1.0"

TYPE_CHECKING = False  # typing's own, without importing typing: `linne --help` would wait for it
if TYPE_CHECKING:
    from typing import Any

    from linne import nets as nets
    from linne.index.columns import Columns as Columns
    from linne.nets.build import create as create
    from linne.records.errors import LinneError as LinneError
    from linne.road.apply import apply as apply
    from linne.road.audit import audit as audit
    from linne.road.embed import embed as embed
    from linne.road.evaluate import evaluate as evaluate
    from linne.road.fit import fit as fit
    from linne.road.preview import preview as preview
    from linne.road.race import race as race
    from linne.road.tune import tune as tune
    from linne.serve.predictor import load as load

# Names are imported when they are first used: predicting must not wait for torch.
_HOMES = {
    "Columns": "linne.index.columns",
    "LinneError": "linne.records.errors",
    "apply": "linne.road.apply",
    "audit": "linne.road.audit",
    "create": "linne.nets.build",
    "embed": "linne.road.embed",
    "evaluate": "linne.road.evaluate",
    "fit": "linne.road.fit",
    "load": "linne.serve.predictor",
    "nets": "linne.nets",
    "preview": "linne.road.preview",
    "race": "linne.road.race",
    "tune": "linne.road.tune",
}

__all__ = [
    "Columns",
    "LinneError",
    "__version__",
    "apply",
    "audit",
    "create",
    "embed",
    "evaluate",
    "fit",
    "load",
    "nets",
    "preview",
    "race",
    "tune",
]


class _Front(ModuleType):
    """Keeps `linne.fit` a function: importing the room ``linne/fit/`` would put the package in its place."""

    def __setattr__(self, name: str, value: object) -> None:
        if name not in _HOMES or name == "nets" or not isinstance(value, ModuleType):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Front


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'linne' has no attribute {name!r}")
    try:
        home = import_module(_HOMES[name])
    except ModuleNotFoundError as error:
        from linne.records.errors import needs

        raise needs(f"linne.{name}", error) from error
    return home if name == "nets" else getattr(home, name)


def __dir__() -> list[str]:
    return sorted(__all__)
