"""How good a classifier is on one subset: numbers with intervals, and the cases to look at."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from linne.records.errors import RunError
from linne.records.sealed import read_sealed, write_sealed
from linne.records.task import Task

SCHEMA = 3
OF_SEVERAL_LABELS = 2
"""Schema of an evaluation of images with several labels; that of one label an image is as it was before."""


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
    """One class: images, and precision, recall and F1 in [0, 1].

    Where images have several labels, average precision, too, and the probability from which on it is said.
    """

    label: str
    images: int
    precision: Measure
    recall: Measure
    f1: Measure
    average_precision: Measure | None = None
    threshold: float | None = None

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> ClassScore:
        """Read what `dataclasses.asdict` gave."""
        precision, recall, f1 = (Measure(**value[name]) for name in ("precision", "recall", "f1"))
        average = value.get("average_precision")
        precise = None if average is None else Measure(**average)
        return cls(value["label"], value["images"], precision, recall, f1, precise, value.get("threshold"))


@dataclass(frozen=True, slots=True)
class HardCase:
    """An image that the classifier got wrong, or barely right.

    `probability` is what it gave the true class, `confidence` what it gave its own answer. Where images have several
    labels, `label` and `predicted` name all of them, with commas between them, `probability` and `confidence` are
    products over the classes, and `missed` and `wrong` name labels that were not found, and that are not there.
    """

    path: str
    label: str
    predicted: str
    probability: float
    confidence: float
    missed: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> HardCase:
        """Read what `dataclasses.asdict` gave."""
        return cls(**{**value, **{name: tuple(value.get(name, ())) for name in ("missed", "wrong")}})


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
        (the same at temperature 1). Of several labels: 'mean_average_precision', 'micro_f1', 'macro_precision',
        'macro_recall', 'macro_f1', 'hamming_loss' (share of decisions on a class that are wrong), 'subset_accuracy'
        (share of images of which every label is right), 'log_loss' (mean over classes), 'ece' and 'ece_uncalibrated' of
        the probabilities of all classes.
    classes : tuple of ClassScore
    confusion : tuple of (int, int, int)
        Positions in `classes` of the true class and of the predicted one, and images: the cells of the confusion matrix
        that are not 0. Empty for several labels.
    hardest : tuple of HardCase
        Lowest probability of the true class, or of all true labels, first.
    reliability : tuple of (float, float, int)
        Mean confidence, accuracy and images of each bin of confidence that is not empty; of several labels mean
        probability of a class, share of images that have it, and how many decisions.
    bundle : str
        Fingerprint of the bundle that was evaluated.
    split : str
        Fingerprint of the split.
    notes : tuple of str
        What a reader must know: images left out, leaks of a supplied split.
    task : {'single', 'multi'}
        One label an image, or any number of them.
    """

    subset: str
    images: int
    measures: dict[str, Measure]
    classes: tuple[ClassScore, ...]
    confusion: tuple[tuple[int, int, int], ...]
    hardest: tuple[HardCase, ...]
    reliability: tuple[tuple[float, float, int], ...]
    bundle: str
    split: str
    notes: tuple[str, ...] = ()
    task: Task = "single"

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON."""
        value = asdict(self)
        if self.task == "multi":
            return {"schema": OF_SEVERAL_LABELS, **value}
        del value["task"]
        for rows, more in (("classes", ("average_precision", "threshold")), ("hardest", ("missed", "wrong"))):
            for row in value[rows]:
                for name in more:
                    del row[name]
        return {"schema": SCHEMA, **value}

    def write(self, path: Path) -> None:
        """Write as JSON, sealed."""
        write_sealed(path, self.to_json())

    @classmethod
    def read(cls, path: Path) -> Evaluation:
        """Read what `write` wrote; `RunError` if it cannot be."""
        maker = "fit" if path.stem == "validation" else "evaluate"
        remedy = f"make it again with `linne {maker}`"
        value = read_sealed(path, "evaluation", (SCHEMA, OF_SEVERAL_LABELS), RunError, remedy)
        try:
            return cls(
                subset=value["subset"],
                images=value["images"],
                measures={name: Measure(**m) for name, m in value["measures"].items()},
                classes=tuple(ClassScore.from_json(c) for c in value["classes"]),
                confusion=tuple((cell[0], cell[1], cell[2]) for cell in value["confusion"]),
                hardest=tuple(HardCase.from_json(h) for h in value["hardest"]),
                reliability=tuple((row[0], row[1], row[2]) for row in value["reliability"]),
                bundle=value["bundle"],
                split=value["split"],
                notes=tuple(value["notes"]),
                task=value.get("task", "single"),
            )
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            raise RunError("is incomplete", file=path, value=error, remedy=remedy) from error
