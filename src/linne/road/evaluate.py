"""``linne evaluate``: the seal of the test set is opened, and the run remembers it."""

from __future__ import annotations

from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from linne.records.bundle import Bundle
from linne.records.errors import DataError, ImageError, LinneError, RunError
from linne.records.evaluation import Evaluation
from linne.records.findings import Findings
from linne.records.fingerprint import of_bytes
from linne.records.index import TEST, Index
from linne.records.parquet import write_table
from linne.records.progress import Progress, Silent
from linne.records.run import Run
from linne.records.split import Split
from linne.records.truth import names_of, truth_of
from linne.report.write import write_report
from linne.road.ship import summary_of
from linne.serve.predictor import Predictor
from linne.split.assign import straddling

SCHEMA = 1


def evaluate(run: str | PathLike[str], *, progress: Progress | None = None) -> Evaluation:
    """Score a run's bundle on its test images, with the very code that serves it.

    Writes ``evaluation.json`` and ``predictions.parquet``, refreshes ``report.html``, and notes the opening of the
    test set in ``run.json``.

    Parameters
    ----------
    run : path
        Folder that `linne.fit` made.
    progress : Progress, optional

    Returns
    -------
    Evaluation

    Raises
    ------
    RunError
        The run is gone, not finished, incomplete, or its parts do not belong together.
    DataError
        There are no test images, or none can be read any more.
    """
    opened = Run.open(Path(run))
    progress = progress or Silent()
    if not opened.facts.get("finished"):
        raise RunError(
            "was not finished", file=opened.folder, remedy=f"go on with it: `linne fit --resume {opened.folder}`"
        )
    if not opened.bundle.is_dir():
        raise RunError("has no bundle", file=opened.folder, remedy="run `linne fit` again")
    index, split, predictor = Index.read(opened.index), Split.read(opened.split), Predictor(opened.bundle)
    _refuse_strangers(opened, index, split, predictor)
    rows = split.rows(TEST)
    if len(rows) == 0:
        raise DataError(
            "there are no test images", file=opened.folder, remedy="give each class three or more different images"
        )
    if not index.any_is_there(rows):
        raise DataError("the images are gone", file=index.root, remedy="put them back where they were")
    Findings.read(opened.findings)  # what the report will lack is told before the test set is opened
    Evaluation.read(opened.validation)

    # Noted before the first image is read: a look that was broken off is a look.
    opening = {"time": datetime.now(UTC).isoformat(timespec="seconds"), "bundle": predictor.bundle.fingerprint}
    opened.facts.setdefault("openings", []).append(opening)
    opened.write()

    same, changed = _unchanged(index, rows, Split.read_digests(opened.split), progress)
    progress.start("evaluate", len(same), "images")
    logits, kept = [], []
    for row, answer in zip(same, predictor.logits_of(index.content(row) for row in same), strict=True):
        if not isinstance(answer, LinneError):
            logits.append(answer)
            kept.append(row)
        progress.update(len(kept))
    progress.finish()
    if not kept:
        raise DataError("no test image is as it was when the run was made", file=index.root, remedy="put them back")
    notes = _notes(split, len(rows) - changed - len(kept), changed)
    return _score(opened, index, split, predictor, np.stack(logits), kept, notes)


def _unchanged(
    index: Index, rows: NDArray[np.int64], digest: NDArray[np.uint8], progress: Progress
) -> tuple[list[int], int]:
    """Rows whose files are gone or have the bytes that the split was made of, and how many have others.

    For those nothing is proven: a training image may have come in their place.
    """
    same: list[int] = []
    changed = 0
    progress.start("check", len(rows), "images")
    for row in rows.tolist():
        progress.update(len(same) + changed)
        try:
            content = index.content(row).read()
        except ImageError:
            same.append(row)
            continue
        if of_bytes(content) == digest[row].tobytes():
            same.append(row)
        else:
            changed += 1
    progress.update(len(rows))
    progress.finish()
    return same, changed


def _score(
    run: Run,
    index: Index,
    split: Split,
    predictor: Predictor,
    logits: NDArray[np.float32],
    rows: list[int],
    notes: tuple[str, ...],
) -> Evaluation:
    probabilities = predictor.probabilities(logits)
    seed, bundle = int(run.facts.get("plan", {}).get("seed", 0)), predictor.bundle
    evaluation = summary_of(bundle, index, split, np.array(rows), logits, "test", seed, notes)
    columns = {"path": [index.path(row) for row in rows], **_answers(index, bundle, probabilities, np.array(rows))}
    listed = pa.FixedSizeListArray.from_arrays(pa.array(probabilities.ravel()), len(index.labels))
    facts = {"parent": bundle.fingerprint, "split": split.fingerprint, "classes": list(index.labels)}
    write_table(run.predictions, "predictions", SCHEMA, {**columns, "probabilities": listed}, facts)
    evaluation.write(run.evaluation)
    write_report(run)
    return evaluation


def _answers(
    index: Index, bundle: Bundle, probabilities: NDArray[np.float64], rows: NDArray[np.int64]
) -> dict[str, Any]:
    """Columns of what is true and what is said: a class each, or lists of several."""
    truth = truth_of(index, rows)
    if bundle.task == "multi":
        said = probabilities >= np.array(bundle.thresholds)
        texts = pa.list_(pa.string())
        return {
            name: pa.array([list(names_of(index.labels, row)) for row in marks], texts)
            for name, marks in (("labels", truth), ("predicted", said))
        }
    return {
        "label": [index.labels[i] for i in truth],
        "predicted": [index.labels[i] for i in probabilities.argmax(axis=1)],
        "confidence": probabilities.max(axis=1),
    }


def _notes(split: Split, lost: int, changed: int) -> tuple[str, ...]:
    notes = []
    if lost:
        notes.append(f"Test images that were readable when the run was made and are not now, left out: {lost}.")
    if changed:
        notes.append(f"Test images that were changed since the run was made, left out: {changed}.")
    leaking = straddling(split)
    if len(leaking):
        notes.append(
            f"The split was supplied, and {len(leaking)} groups of copies, or of images that belong together, "
            "lie in more than one subset: "
            "these scores may be too good."
        )
    return tuple(notes)


def _refuse_strangers(run: Run, index: Index, split: Split, predictor: Predictor) -> None:
    """Raise where index, split and bundle are not of one run."""
    known = run.facts.get("fingerprints", {})
    found = {"index": index.fingerprint, "split": split.fingerprint, "bundle": predictor.bundle.fingerprint}
    strangers = [name for name, value in found.items() if known.get(name) != value]
    if strangers:
        raise RunError(
            "parts of the run do not belong together",
            file=run.folder,
            value=", ".join(strangers),
            remedy="put the original files back, or make a new run with `linne fit`",
        )
