"""What a race found: a result a network, and who is ahead by more than chance."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from linne.records.errors import RunError
from linne.records.evaluation import Measure
from linne.records.sealed import read_sealed, write_sealed

SCHEMA = 2
REMEDY = "delete it, and run the same `linne race` again"

Start = Literal["scratch", "pretrained"]
Subset = Literal["validation", "test"]


@dataclass(frozen=True, slots=True)
class Finish:
    """What a network came to within its budget.

    Attributes
    ----------
    method : str
        What was best on validation images: 'scratch', 'probe', 'stages' or 'whole'.
    epoch : int
        The one that was kept; 0 is the start.
    seconds : float
        From its start to its report.
    parameters : int
        For the classes of these photos.
    height, width : int
        Of the input as shipped, in pixels.
    megabytes : float
        Of the model as shipped, 10^6 bytes.
    milliseconds : float
        For one image as shipped, the median.
    validation : Measure
        Accuracy on the images that the epoch was chosen by.
    validation_right : str
        '1' or '0' for each validation image in the split's order, right or wrong; '-' where it could not be read.
    test : Measure or None
        None as long as the test set is sealed.
    test_right : str
        As `validation_right`; empty as long as the test set is sealed.
    """

    method: str
    epoch: int
    seconds: float
    parameters: int
    height: int
    width: int
    megabytes: float
    milliseconds: float
    validation: Measure
    validation_right: str
    test: Measure | None = None
    test_right: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """One network of a race.

    Attributes
    ----------
    name : str
        Its folder below ``runs/`` of the race.
    network : str
        Catalogue name.
    shown : str
        As its paper calls it.
    year : int
        Of the paper.
    start : {'scratch', 'pretrained'}
    question : str
        Fingerprint of all that is the same for the networks of a race.
    finish : Finish or None
    reason : str
        Why there is no finish; '' where there is one.
    weights : str
        Name of the file that it started from, or of published weights; '' from random ones.
    """

    name: str
    network: str
    shown: str
    year: int
    start: Start
    question: str
    finish: Finish | None
    reason: str = ""
    weights: str = ""

    def write(self, path: Path) -> None:
        """Write as JSON, sealed."""
        write_sealed(path, {**asdict(self), "schema": SCHEMA})

    @classmethod
    def read(cls, path: Path) -> Result:
        """Read what `write` wrote; `RunError` if it cannot be."""
        value = read_sealed(path, "result of a race", SCHEMA, RunError, REMEDY)
        value.pop("schema")
        try:
            return _result(value)
        except (KeyError, TypeError, AttributeError) as error:
            raise RunError("is incomplete", file=path, value=error, remedy=REMEDY) from error


@dataclass(frozen=True, slots=True)
class Place:
    """One row of the leaderboard.

    Attributes
    ----------
    result : Result
    score : Measure or None
        Accuracy on the leaderboard's subset; None where there is none.
    leads : bool
        No network with the same start is more accurate.
    tied : bool
        It is behind the leader with the same start, by no more than chance would do.
    behind : Measure or None
        Accuracy of that leader less its own, on the same images.
    """

    result: Result
    score: Measure | None
    leads: bool = False
    tied: bool = False
    behind: Measure | None = None


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """A race's results, the most accurate first, those without a score last.

    Attributes
    ----------
    folder : str
    photos : str
        Name of the photos.
    question : str
        Fingerprint of all that is the same for its networks.
    index, split : str
        Fingerprints.
    images : dict of str to int
        Of 'train', 'validation' and 'test'.
    classes : int
    budget : float or None
        Seconds a network.
    chosen : dict
        Settings of training that were decided by hand.
    seed : int
    machine : str
        Where latency was measured, and with how many threads; and what trained, if that was no CPU.
    subset : {'validation', 'test'}
        On which images `places` are compared.
    places : tuple of Place
    """

    folder: str
    photos: str
    question: str
    index: str
    split: str
    images: dict[str, int]
    classes: int
    budget: float | None
    chosen: dict[str, Any]
    seed: int
    machine: str
    subset: Subset
    places: tuple[Place, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "places": [asdict(place) for place in self.places]}

    def write(self, path: Path) -> None:
        """Write as JSON, sealed."""
        write_sealed(path, {**self.to_json(), "schema": SCHEMA})

    @classmethod
    def read(cls, path: Path) -> Leaderboard:
        """Read what `write` wrote; `RunError` if it cannot be."""
        value = read_sealed(path, "leaderboard", SCHEMA, RunError, REMEDY)
        value.pop("schema")
        try:
            places = tuple(
                Place(
                    _result(row.pop("result")),
                    _measure(row.pop("score")),
                    behind=_measure(row.pop("behind")),
                    **row,
                )
                for row in value.pop("places")
            )
            return cls(**value, places=places)
        except (KeyError, TypeError, AttributeError) as error:
            raise RunError("is incomplete", file=path, value=error, remedy=REMEDY) from error


def _result(value: dict[str, Any]) -> Result:
    finish = value.pop("finish")
    result = Result(**value, finish=None)
    if finish is None:
        return result
    validation, test = Measure(**finish.pop("validation")), _measure(finish.pop("test"))
    return replace(result, finish=Finish(**finish, validation=validation, test=test))


def _measure(value: dict[str, float] | None) -> Measure | None:
    return None if value is None else Measure(**value)
