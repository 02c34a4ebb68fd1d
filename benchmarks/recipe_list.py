"""The recipes that `recipes.py` compares, the most telling first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from table_views import Size


@dataclass(frozen=True)
class Config:
    """A recipe.

    `sides` share the epochs. `stage` trains from a stage on, on `views` stored views of each photo: itself, mirrored,
    crops. `first` trains before. `stretched` draws crops' shapes as for a photo stretched to a square. `judged` are
    the sizes that it is judged at; the probe that it begins with sees 224 pixels.
    """

    name: str
    epochs: int = 8
    sides: tuple[Size, ...] = ((224, 224),)
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
    stage: int | None = None
    views: int = 1
    first: Config | None = None
    judged: tuple[Size, ...] = ((224, 224), (256, 256))
    seed: int = 0

    @property
    def work(self) -> float:
        """Pixels that are trained on, but for a factor; steps of a tail take a third of a whole network's."""
        pixels = self.epochs * sum(height * width for height, width in self.sides) / len(self.sides)
        return pixels * (1 if self.stage is None else 0.3) + (self.first.work if self.first else 0)


STAGES = 19
"""Of MobileNetV2: the stem, 17 blocks, the last convolution."""


def at(*sides: int) -> tuple[Size, ...]:
    return tuple((side, side) for side in sides)


def _tail(stages: int, epochs: int) -> Config:
    return Config(
        f"last {stages}, 4 views, {epochs} epochs", epochs, rate=1e-3, stage=STAGES - stages, views=4, colour=0
    )


BASE = Config("base")
PROBE = replace(BASE, name="probe", epochs=0)
TAIL = _tail(3, 6)


def _of(name: str, **changes: object) -> Config:
    return replace(BASE, name=name, **changes)  # type: ignore[arg-type]


CONFIGS = (
    PROBE,
    BASE,
    _of("from the tail", first=TAIL),
    _of("from the tail, 4 epochs", first=TAIL, epochs=4),
    _of("rate 1e-3", rate=1e-3),
    _of("rate 1e-4", rate=1e-4),
    _of("layers 0.85", layer_decay=0.85),
    _of("128 to 224", sides=at(128, 128, 160, 160, 192, 192, 224, 224, 224)),
    _of("mixing", mixing=True),
    _of("trivial, erase", trivial=True, colour=0, erase=0.25),
    _of("16 epochs", epochs=16),
    _of("160, from the tail", sides=at(160), first=TAIL, judged=at(192, 224)),
    _of("no smoothing", smoothing=0),
    _of("batch 32", batch=32),
    _of("muon", optimiser="muon"),
    _of("sgd 0.01", optimiser="sgd", rate=0.01, decay=1e-4),
    TAIL,
    _tail(3, 12),
    _tail(4, 6),
    _tail(4, 12),
    _tail(5, 6),
    _tail(5, 12),
    _of("layers 0.93", layer_decay=0.93),
    _of("stretched crops", stretched=True),
)


def tiny(config: Config) -> Config:
    """One epoch of small images in small batches, to see on a CPU that all recipes run."""
    return replace(
        config,
        epochs=min(config.epochs, 1),
        batch=config.batch // 8,
        sides=tuple(map(tiny_size, config.sides)),
        judged=tuple(map(tiny_size, config.judged)),
        first=config.first and tiny(config.first),
    )


def tiny_size(size: Size) -> Size:
    """64 for 224."""
    height, width = (side * 2 // 7 // 8 * 8 for side in size)
    return height, width
