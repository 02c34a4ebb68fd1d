"""What a fit was asked, kept in its run so that it can go on after it was cut off."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from linne.fit.tracking import TRACKERS, TrackerName
from linne.index.columns import Columns
from linne.records.atomic import read_json, write_json
from linne.records.errors import RunError
from linne.records.recipe import checked

SCHEMA = 1


@dataclass(frozen=True)
class Request:
    """The arguments of `linne.fit` that a run depends on; paths are absolute.

    `chosen` are settings of a recipe, checked, and 'method', which may be 'probe'; `track` names what follows the run.
    """

    photos: Path
    columns: Columns | None
    weights: str | None
    network: str | None
    budget: float | None
    group_by: str | None
    chosen: dict[str, Any]
    flip: bool | None
    plan: Path | None
    teacher: Path | None
    seed: int
    store: Path
    cache_size: int
    track: tuple[TrackerName, ...] = ()

    def write(self, path: Path) -> None:
        """Write ``asked.json``."""
        paths = {name: None if value is None else str(value) for name, value in self._paths().items()}
        write_json(path, {**asdict(self), **paths, "schema": SCHEMA})

    @classmethod
    def read(cls, path: Path) -> Request:
        """Read ``asked.json``; `RunError` where it is none."""
        remedy = "give the folder of a run that `linne fit` has begun"
        value = read_json(path, RunError, remedy)
        if value.pop("schema", None) != SCHEMA:
            raise RunError(f"is no request of schema {SCHEMA}", file=path, remedy=remedy)
        try:
            columns = value.pop("columns")
            if columns is not None:
                label = columns["label"]
                columns = Columns(**{**columns, "label": None if label is None else tuple(label)})
            chosen = {name: checked_choice(name, given) for name, given in value.pop("chosen").items()}
            asked = value.pop("track", ())
            track = tuple(name for name in TRACKERS if name in asked)
            request = cls(**value, columns=columns, chosen=chosen, track=track)
            paths = {name: None if given is None else Path(given) for name, given in request._paths().items()}
            return replace(request, **paths)  # type: ignore[arg-type]
        except (KeyError, TypeError, AttributeError) as error:
            raise RunError("is no request", file=path, value=error, remedy=remedy) from error

    def _paths(self) -> dict[str, Path | None]:
        return {"photos": self.photos, "plan": self.plan, "teacher": self.teacher, "store": self.store}


def checked_choice(name: str, value: Any) -> Any:
    """Give a setting's value in its own type; the method may be 'probe', too."""
    return value if (name, value) == ("method", "probe") else checked(name, value)
