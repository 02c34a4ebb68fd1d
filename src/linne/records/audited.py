"""A folder with an index and what was found in it: of `linne audit`, or a run of `linne fit`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from linne.records.digests import read_digests
from linne.records.errors import RunError, WriteError
from linne.records.findings import Findings
from linne.records.fingerprint import of_arrays
from linne.records.index import TEST, Index
from linne.records.parquet import artefact_of
from linne.records.same_images import are_same_images
from linne.records.split import Split
from linne.records.truth import task_of


@dataclass(frozen=True)
class Audited:
    """Where each artefact lies.

    Attributes
    ----------
    folder : Path
    """

    folder: Path

    @property
    def index(self) -> Path:
        """The images that were looked at."""
        return self.folder / "index.parquet"

    @property
    def findings(self) -> Path:
        """What was found."""
        return self.folder / "findings.parquet"

    @property
    def report(self) -> Path:
        """The report."""
        return self.folder / "report.html"

    @property
    def digests(self) -> Path:
        """The images' digests; a run has them in its split."""
        return self.folder / "digests.parquet"

    @property
    def split(self) -> Path:
        """The split of a run."""
        return self.folder / "split.parquet"

    @property
    def decisions(self) -> Path:
        """The log of what a person decided on the findings."""
        return self.folder / "decisions.sqlite"

    @property
    def corrected(self) -> Path:
        """The index with the decisions applied."""
        return self.folder / "corrected.parquet"

    @property
    def is_run(self) -> bool:
        """Whether it is the folder of a run."""
        return (self.folder / "run.json").is_file()

    @property
    def is_there(self) -> bool:
        """Whether the folder holds an audit, as far as file names tell."""
        return self.index.is_file() and self.findings.is_file()


@dataclass(frozen=True)
class Examined:
    """An audited folder's records, read.

    Attributes
    ----------
    index : Index
    findings : Findings
    digest : (n, 16) uint8 array
        Of each image's bytes; zeros where it could not be read.
    test : (n,) bool array
        Test images: of the user's own split, or of the run's.
    """

    index: Index
    findings: Findings
    digest: NDArray[np.uint8]
    test: NDArray[np.bool_]


def read_audited(audited: Audited) -> Examined:
    """Read index, findings, digests and test images.

    Raises
    ------
    RunError
        A file is gone or damaged, or they are not of one audit.
    """
    if not audited.is_there:
        if audited.index.is_file():
            raise RunError("was not written to the end", file=audited.folder, remedy="run `linne audit` again")
        raise RunError(
            "holds no audit" if audited.folder.is_dir() else "no such folder",
            file=audited.folder,
            remedy="give a folder that `linne audit` or `linne fit` made",
        )
    index, findings = Index.read(audited.index), Findings.read(audited.findings)
    test = index.subset == TEST
    if audited.is_run:
        split = Split.read(audited.split)
        digest, parent = Split.read_digests(audited.split), split.index
        test = test | (split.subset == TEST)
    else:
        digest, parent = read_digests(audited.digests)
    for found, file in (
        (findings.index, audited.findings),
        (parent, audited.split if audited.is_run else audited.digests),
    ):
        if found != index.fingerprint:
            raise RunError("is of another index", file=file, remedy="run `linne audit` or `linne fit` again")
    if findings.digests not in ("", of_arrays(digest)):  # an audit of changed images was cut short
        raise RunError("was not written to the end", file=audited.folder, remedy="run `linne audit` again")
    return Examined(index, findings, digest, test)


def refuse_several_labels(examined: Examined, folder: Path) -> None:
    """Raise `RunError` where images have several labels: a decision names one class."""
    if task_of(examined.index) == "multi":
        raise RunError(
            "its images have several labels or none, and decisions are of one label an image",
            file=folder,
            remedy="correct the table that lists them",
        )


def refuse_other_folder(folder: Path, index: Index | None = None) -> None:
    """Raise where a new audit may not be written into a folder.

    An older audit may be replaced; its decisions stay. With `index`, decisions on other data are not mixed with these:
    it must be of the same folder, or most of the images that were looked at must be in it, wherever they lie now.

    Raises
    ------
    WriteError
        The folder holds something else, or decisions on other images.
    """
    audited, remedy = Audited(folder), "choose another --out"
    if not folder.exists() and folder.name:
        return
    if not folder.is_dir():
        raise WriteError("is no folder, and is left as it is", file=folder, remedy=remedy)
    if audited.is_run:
        raise WriteError("is a run, and is left as it is", file=folder, remedy=remedy)
    ours = {name: artefact_of(folder / f"{name}.parquet") == name for name in ("index", "findings", "digests")}
    others = [name for name, own in ours.items() if not own and (folder / f"{name}.parquet").exists()]
    if others or (not any(ours.values()) and any(folder.iterdir())):
        raise WriteError("holds something else than an audit, and is left as it is", file=folder, remedy=remedy)
    if index is None or not audited.decisions.exists():
        return
    try:
        before = Index.read(audited.index)
        if before.root == index.root:
            return
        digest, parent = read_digests(audited.digests)
    except RunError as error:  # of an older linne, or damaged
        raise WriteError(
            "holds decisions, and cannot say on which images",
            file=folder,
            value=error,
            remedy=f"{remedy}; if these are the images, put {audited.decisions.name} there when the audit is done",
        ) from error
    if parent != before.fingerprint or not are_same_images(before, digest, index):
        raise WriteError("holds decisions on other images", file=folder, value=before.root, remedy=remedy)
