"""How good a classifier is on one subset: numbers with intervals, and the cases to look at."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from linne.records.errors import RunError
from linne.records.sealed import read_sealed, write_sealed

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Measure:
    """A metric with its 95% bootstrap interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True, slots=True)
class ClassScore:
    """One class: images, and precision, recall and F1 in [0, 1]."""

    label: str
    images: int
    precision: Measure
    recall: Measure
    f1: Measure

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> ClassScore:
        """Read what `dataclasses.asdict` gave."""
        scores = {name: Measure(**value[name]) for name in ("precision", "recall", "f1")}
        return cls(value["label"], value["images"], **scores)


@dataclass(frozen=True, slots=True)
class HardCase:
    """An image that the classifier got wrong, or barely right.

    `probability` is what it gave the true class, `confidence` what it gave its own answer.
    """

    path: str
    label: str
    predicted: str
    probability: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Scores of one classifier on one subset.

    Attributes
    ----------
    subset : str
        'validation' or 'test'.
    images : int
    measures : dict of str to Measure
        'accuracy', 'top5' (where there are more than five classes), 'macro_precision', 'macro_recall', 'macro_f1',
        'log_loss', 'ece' (expected calibration error, 15 bins of equal width) and 'ece_uncalibrated'
        (the same at temperature 1).
    classes : tuple of ClassScore
    confusion : tuple of tuple of int
        Row: true class; column: predicted.
    hardest : tuple of HardCase
        Lowest probability of the true class first.
    reliability : tuple of (float, float, int)
        Mean confidence, accuracy and images of each bin of confidence that is not empty.
    bundle : str
        Fingerprint of the bundle that was evaluated.
    split : str
        Fingerprint of the split.
    notes : tuple of str
        What a reader must know: images left out, leaks of a supplied split.
    """

    subset: str
    images: int
    measures: dict[str, Measure]
    classes: tuple[ClassScore, ...]
    confusion: tuple[tuple[int, ...], ...]
    hardest: tuple[HardCase, ...]
    reliability: tuple[tuple[float, float, int], ...]
    bundle: str
    split: str
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"schema": SCHEMA, **asdict(self)}

    def write(self, path: Path) -> None:
        """Write as JSON, sealed."""
        write_sealed(path, self.to_json())

    @classmethod
    def read(cls, path: Path) -> Evaluation:
        """Read what `write` wrote; `RunError` if it cannot be."""
        maker = "fit" if path.stem == "validation" else "evaluate"
        remedy = f"make it again with `linne {maker}`"
        value = read_sealed(path, "evaluation", SCHEMA, RunError, remedy)
        try:
            return cls(
                subset=value["subset"],
                images=value["images"],
                measures={name: Measure(**m) for name, m in value["measures"].items()},
                classes=tuple(ClassScore.from_json(c) for c in value["classes"]),
                confusion=tuple(tuple(row) for row in value["confusion"]),
                hardest=tuple(HardCase(**h) for h in value["hardest"]),
                reliability=tuple((row[0], row[1], row[2]) for row in value["reliability"]),
                bundle=value["bundle"],
                split=value["split"],
                notes=tuple(value["notes"]),
            )
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            raise RunError("is incomplete", file=path, value=error, remedy=remedy) from error
