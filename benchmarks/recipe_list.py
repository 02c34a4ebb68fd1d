"""The recipes that `recipes.py` compares, the most telling first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from table_views import Size


@dataclass(frozen=True)
class Config:
    """A recipe.

    `sides` share the epochs. `stage` trains from a stage on, on `views` stored views of each photo: itself, mirrored,
    crops. `first` trains before. `stretched` draws crops' shapes as for a photo stretched to a square.
    """

    name: str
    epochs: int = 8
    sides: tuple[Size, ...] = ((160, 160),)
    rate: float = 3e-4
    optimiser: Literal["adamw", "sgd", "muon"] = "adamw"
    decay: float = 0.05
    layer_decay: float = 1.0
    smoothing: float = 0.1
    batch: int = 64
    area: tuple[float, float] = (0.35, 1.0)
    stretched: bool = False
    colour: float = 0.3
    mixing: bool = False
    trivial: bool = False
    erase: float = 0.0
    free: bool = False
    constant: bool = False
    stage: int | None = None
    views: int = 1
    fit: str = "stretch"
    first: Config | None = None
    seed: int = 0


STAGES = 19
"""Of MobileNetV2: the stem, 17 blocks, the last convolution."""
BASE = Config("base")
TAIL = Config("tail", 6, ((224, 224),), 1e-3, stage=17)


def _of(base: Config, name: str, **changes: object) -> Config:
    return replace(base, name=name, **changes)  # type: ignore[arg-type]


def at(*sides: int) -> tuple[Size, ...]:
    return tuple((side, side) for side in sides)


def _tail(stage: int, views: int, epochs: int) -> Config:
    name = f"last {STAGES - stage}, {views} view{'s' * (views > 1)}, {epochs} epochs"
    return replace(TAIL, name=name, stage=stage, views=views, epochs=epochs)


CONFIGS = (
    BASE,
    _of(BASE, "rate 1e-3", rate=1e-3),
    _of(BASE, "224", sides=at(224)),
    _tail(17, 1, 6),
    _tail(16, 1, 6),
    _tail(16, 2, 6),
    _tail(16, 4, 6),
    _tail(16, 4, 12),
    _tail(14, 4, 12),
    _tail(14, 1, 6),
    _of(BASE, "tail, then 2 epochs", epochs=2, first=_tail(16, 4, 6)),
    _of(BASE, "tail, then 4 epochs", epochs=4, first=_tail(16, 4, 6)),
    _of(BASE, "4 epochs", epochs=4),
    _of(BASE, "4 epochs, rate 1e-3", epochs=4, rate=1e-3),
    _of(BASE, "224, 4 epochs, rate 1e-3", sides=at(224), epochs=4, rate=1e-3),
    _of(BASE, "16 epochs", epochs=16),
    _of(BASE, "16 epochs, rate 1e-3", epochs=16, rate=1e-3),
    _of(BASE, "layers 0.85, rate 1e-3", rate=1e-3, layer_decay=0.85),
    _of(BASE, "rate 3e-3", rate=3e-3),
    _of(BASE, "stretched crops", stretched=True),
    _of(BASE, "mixing", mixing=True),
    _of(BASE, "free norms", free=True),
    _of(BASE, "muon 1e-3", optimiser="muon", rate=1e-3),
    _of(BASE, "sgd 0.03", optimiser="sgd", rate=0.03, decay=1e-4),
    _of(BASE, "2 epochs", epochs=2),
    _of(BASE, "2 epochs, rate 1e-3", epochs=2, rate=1e-3),
    _of(BASE, "trivial", trivial=True, colour=0),
    _of(BASE, "16 epochs, mixing", epochs=16, mixing=True),
    _of(BASE, "16 epochs, trivial", epochs=16, trivial=True, colour=0),
    _of(BASE, "224, rate 1e-3", sides=at(224), rate=1e-3),
    _of(BASE, "224, stretched crops", sides=at(224), stretched=True),
    _of(BASE, "256x192, stretched crops", sides=((256, 192),), stretched=True),
    _of(BASE, "128 to 224", sides=at(128, 160, 192, 224)),
    _of(BASE, "rate 1e-4", rate=1e-4),
    _of(BASE, "layers 0.85", layer_decay=0.85),
    _of(BASE, "layers 0.7, rate 1e-3", rate=1e-3, layer_decay=0.7),
    _of(BASE, "muon 3e-4", optimiser="muon"),
    _of(BASE, "sgd 0.1", optimiser="sgd", rate=0.1, decay=1e-4),
    _of(BASE, "sgd 0.01", optimiser="sgd", rate=0.01, decay=1e-4),
    _of(BASE, "seed 1", seed=1),
    _of(BASE, "erase", erase=0.25),
    _of(BASE, "no colour", colour=0),
    _of(BASE, "no smoothing", smoothing=0),
    _of(BASE, "area 0.6", area=(0.6, 1.0)),
    _of(BASE, "area 0.15", area=(0.15, 1.0)),
    _of(BASE, "128", sides=at(128)),
    _of(BASE, "128, 12 epochs", sides=at(128), epochs=12),
    _of(BASE, "batch 32", batch=32),
    _of(BASE, "2 epochs, batch 32", epochs=2, batch=32),
    _of(BASE, "decay 0.01", decay=0.01),
    _of(BASE, "decay 0.2", decay=0.2),
    _of(BASE, "16 epochs, trivial, mixing, erase", epochs=16, trivial=True, colour=0, mixing=True, erase=0.25),
    _of(BASE, "constant rate", constant=True),
    _of(BASE, "224, 16 epochs", sides=at(224), epochs=16),
)
