"""A run's folder and its diary, ``run.json``."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from linne.records.errors import RunError
from linne.records.sealed import read_sealed, write_sealed

SCHEMA = 1


@dataclass
class Run:
    """A run's folder: where each artefact lies, and what was asked and done.

    Attributes
    ----------
    folder : Path
    facts : dict
        What ``run.json`` holds: 'asked', 'plan', 'versions', 'seconds' a step, 'reserve' (seconds of the budget that
        were kept for what follows training), 'fingerprints', 'probe', 'chosen',
        'openings' of the test set, 'corrections' of the index that was given, 'reviews' of this run's findings.
    """

    folder: Path
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def index(self) -> Path:
        """The index."""
        return self.folder / "index.parquet"

    @property
    def findings(self) -> Path:
        """The audit's findings."""
        return self.folder / "findings.parquet"

    @property
    def split(self) -> Path:
        """The split."""
        return self.folder / "split.parquet"

    @property
    def history(self) -> Path:
        """One JSON line an epoch."""
        return self.folder / "history.jsonl"

    @property
    def checkpoint(self) -> Path:
        """The best weights, safetensors."""
        return self.folder / "checkpoints" / "best.safetensors"

    @property
    def state(self) -> Path:
        """The last state of training, which a run that was cut off goes on from."""
        return self.folder / "checkpoints" / "last.safetensors"

    @property
    def asked(self) -> Path:
        """What the command was given."""
        return self.folder / "asked.json"

    @property
    def plan(self) -> Path:
        """The plan, to run again."""
        return self.folder / "plan.json"

    @property
    def validation(self) -> Path:
        """The evaluation on validation images, made by `fit`."""
        return self.folder / "validation.json"

    @property
    def evaluation(self) -> Path:
        """The evaluation on test images, made by `evaluate`."""
        return self.folder / "evaluation.json"

    @property
    def predictions(self) -> Path:
        """Probabilities of every test image."""
        return self.folder / "predictions.parquet"

    @property
    def report(self) -> Path:
        """The report."""
        return self.folder / "report.html"

    @property
    def bundle(self) -> Path:
        """The bundle's folder."""
        return self.folder / "bundle"

    @classmethod
    def create(cls, parent: Path, name: str) -> Run:
        """Make the first folder of ``name-1``, ``name-2``, ... that does not exist yet."""
        number = 1
        try:
            parent.mkdir(parents=True, exist_ok=True)
            while True:
                folder = parent / f"{name}-{number}"
                try:
                    folder.mkdir()
                except FileExistsError:
                    number += 1
                else:
                    return cls(folder)
        except OSError as error:
            raise RunError(
                "no run can be made here", file=parent, value=error.strerror, remedy="choose another --out"
            ) from error

    @classmethod
    def open(cls, folder: Path) -> Run:
        """Read a run's diary; `RunError` if the folder is no run."""
        remedy = "give a folder that `linne fit` made"
        if not folder.is_dir():
            raise RunError("no such run", file=folder, remedy=remedy)
        return cls(folder, read_sealed(folder / "run.json", "run", SCHEMA, RunError, remedy))

    def is_finished(self) -> bool:
        """Whether all of it was done; `RunError` if its diary is damaged."""
        diary = self.folder / "run.json"
        return diary.exists() and bool(Run.open(self.folder).facts.get("finished"))

    def write(self) -> None:
        """Write ``run.json``, sealed."""
        write_sealed(self.folder / "run.json", {**self.facts, "schema": SCHEMA})
