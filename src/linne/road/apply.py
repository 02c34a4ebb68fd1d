"""``linne audit --apply``: a new index with the decisions of a review; no file of the user's is touched."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from linne.index.names import natural_key
from linne.records.audited import Audited, Examined, read_audited, refuse_several_labels
from linne.records.corrections import Corrections, OnTestImage
from linne.records.decision_log import DecisionLog
from linne.records.digests import digest_name
from linne.records.errors import DataError, ImageError, RunError, WriteError
from linne.records.fingerprint import of_bytes
from linne.records.index import NONE, TRAIN, Index
from linne.records.parquet import artefact_of
from linne.records.progress import Progress, Silent
from linne.records.run import Run
from linne.records.standing import Ruling, Standing, final_class

CHANGED = "the image was changed since it was looked at"
NOT_THERE = "is not in the index any more"


def apply(
    folder: str | PathLike[str], *, out: str | PathLike[str] | None = None, progress: Progress | None = None
) -> Index:
    """Apply the decisions of a review: give a new index, which `linne.fit` and `linne.audit` take as photos.

    Parameters
    ----------
    folder : path
        Of `linne.audit`, or of a run; its ``decisions.sqlite`` is read, its index stays as it is.
    out : path, optional
        Where to write the new index; by default ``corrected.parquet`` in the folder.
    progress : Progress, optional

    Returns
    -------
    Index
        Without the dropped images, with new labels, classes merged and in natural order; `corrections` tells what was
        changed, and lists every decision on a test image.

    Raises
    ------
    LinneError
        The folder is no audit, there are no decisions, the images are gone, or one class is left where there were more.

    Examples
    --------
    >>> import linne
    >>> index = linne.apply("runs/photos-audit")  # doctest: +SKIP
    >>> run = linne.fit("runs/photos-audit/corrected.parquet")  # doctest: +SKIP
    """
    audited = Audited(Path(folder))
    place = audited.corrected if out is None else Path(out)
    _refuse_to_overwrite(place)
    examined = read_audited(audited)
    refuse_several_labels(examined, audited.folder)
    nothing = RunError("there are no decisions", file=audited.folder, remedy="make some with `linne review`")
    if not audited.decisions.exists():
        raise nothing
    if not examined.index.any_is_there(np.arange(len(examined.index))):
        raise DataError("the images are gone", file=examined.index.root, remedy="put them back where they were")
    with DecisionLog(audited.decisions) as log:
        if not log.standing.version:  # a page was opened, or the file was lost: no reason to replace a corrected index
            raise nothing
        _refuse_other_decisions(examined, log.standing, audited.decisions)
        corrected = correct(examined, log.standing, str(audited.decisions), progress or Silent())
    corrected.write(place)
    if audited.is_run:
        _note_in_run(audited.folder, place, corrected.corrections)
    return corrected


def correct(examined: Examined, standing: Standing, decisions: str, progress: Progress) -> Index:
    """Give the index with what stands; `decisions` says whose log it was. Raises `DataError` as `apply`."""
    index, merges = examined.index, standing.merges()
    images = list(standing.images())
    rows = pc.index_in(pa.array([path for path, _ in images], pa.large_string()), index.paths).to_pylist()
    names = list(index.labels)
    code = {name: i for i, name in enumerate(names)}
    label, kept = index.label.copy(), np.ones(len(index), np.bool_)
    counts = dict.fromkeys(("keep", "relabel", "drop"), 0)
    idle: list[tuple[str, str]] = []
    test: list[OnTestImage] = []

    progress.start("apply", len(images), "images")
    for done, ((path, rulings), row) in enumerate(zip(images, rows, strict=True)):
        progress.update(done)
        why_not = NOT_THERE if row is None else _changed(examined, row, rulings)
        if why_not:
            idle.append((path, why_not))
            continue
        fate = standing.fate(path, digest_name(examined.digest[row]))
        new = fate.moved.decision.to if fate.moved else ""
        if fate.gone:
            kept[row] = False
        elif new:
            label[row] = code.setdefault(new, len(code))
        counts["drop" if fate.gone else "relabel" if new and new != index.label_of(row) else "keep"] += 1
        if examined.test[row]:
            test += _on_test_image(path, rulings)
    progress.update(len(images))
    progress.finish()

    # Only now: a relabelling may have brought a class that is merged.
    idle = [(name, "is no class any more") for name in merges if name not in code] + idle
    names = list(code)
    finals = [final_class(name, merges) for name in names]
    corrections = Corrections(
        source=index.fingerprint,
        decisions=decisions,
        version=standing.version,
        kept=counts["keep"],
        relabelled=counts["relabel"],
        dropped=counts["drop"],
        merged=tuple((name, final) for name, final in zip(names, finals, strict=True) if name != final),
        not_applied=tuple(idle),
        test=tuple(test),
    )
    return _frozen_anew(
        index.take(np.flatnonzero(kept)), np.asarray(label[kept]), finals, corrections.after(index.corrections)
    )


def _refuse_other_decisions(examined: Examined, standing: Standing, file: Path) -> None:
    """Raise where a log was made on another index, and no image that it decides on is here as it was then."""
    if any(act.index == examined.index.fingerprint for act, _ in standing.acts()):
        return
    decisions = [ruling.decision for _, rulings in standing.images() for ruling in rulings]
    paths = pa.array([said.path for said in decisions], pa.large_string())
    rows = pc.index_in(paths, examined.index.paths).to_pylist()
    here = (
        row is not None and said.digest in ("", digest_name(examined.digest[row]))
        for said, row in zip(decisions, rows, strict=True)
    )
    if decisions and not any(here):
        raise RunError(
            "holds decisions on other images only",
            file=file,
            value=decisions[0].path,
            remedy="put the decisions on these images back, or move the file away and decide anew",
        )


def _changed(examined: Examined, row: int, rulings: list[Ruling]) -> str:
    """Say why no decision fits this image; empty where one does. A file that is gone is the same until it returns."""
    known = digest_name(examined.digest[row])
    if all(ruling.decision.digest not in ("", known) for ruling in rulings):
        return CHANGED
    try:
        content = examined.index.content(row).read()
    except ImageError:
        return ""
    return CHANGED if known and of_bytes(content).hex() != known else ""


def _on_test_image(path: str, rulings: list[Ruling]) -> Iterator[OnTestImage]:
    for decision, act in rulings:
        yield OnTestImage(
            path, decision.action, decision.label, decision.to, decision.check, act.who, act.when, act.why
        )


def _frozen_anew(index: Index, label: NDArray[np.int32], finals: list[str], corrections: Corrections) -> Index:
    """Give classes their places by name again, without those that have no image left."""
    used = {finals[i] for i in np.unique(label[label >= 0]).tolist()}
    labels = tuple(sorted(used, key=natural_key))
    if not len(index):
        raise DataError("no image is left", file=index.root, remedy="undo some decisions with `linne review`")
    # Images without classes, or of one, are looked at as well; what they lack for a classifier `fit` says.
    if len(labels) < 2 <= len(index.labels):
        raise DataError(
            "one class only is left, and a classifier needs two",
            file=index.root,
            value=", ".join(labels) or None,
            remedy="undo some decisions with `linne review`",
        )
    place = {name: i for i, name in enumerate(labels)}
    code = np.array([place.get(name, -1) for name in finals] + [-1], np.int32)[label]
    trained = set(np.unique(code[np.isin(index.subset, (NONE, TRAIN))]).tolist())
    lost = [name for name in labels if place[name] not in trained]
    if lost:
        raise DataError(
            "classes that train does not have any more",
            file=index.root,
            value=", ".join(lost[:10]),
            remedy="undo some decisions with `linne review`",
        )
    added = tuple(name for name in labels if name not in index.labels)
    removed = tuple(name for name in index.labels if name not in used)
    return replace(
        index, labels=labels, label=code, labels_of=None, corrections=replace(corrections, added=added, removed=removed)
    )


def _refuse_to_overwrite(place: Path) -> None:
    """Raise where something lies that is no corrected index."""
    if not place.exists() and place.name:
        return
    if artefact_of(place) == "index" and Index.read(place).corrections is not None:
        return
    raise WriteError(
        "holds something else than a corrected index, and is left as it is", file=place, remedy="choose another --out"
    )


def _note_in_run(folder: Path, place: Path, corrections: Corrections | None) -> None:
    """Keep in ``run.json`` that the run's images were reviewed, and what was decided on its test images."""
    run = Run.open(folder)
    facts: dict[str, Any] = {} if corrections is None else corrections.to_json()
    # As JSON gives it back, to be compared with the last one: to apply the same again is no other review.
    review = json.loads(json.dumps({"file": str(place), **facts}))
    reviews: list[dict[str, Any]] = run.facts.setdefault("reviews", [])
    if reviews and {name: value for name, value in reviews[-1].items() if name != "time"} == review:
        return
    reviews.append({"time": datetime.now(UTC).isoformat(timespec="seconds"), **review})
    run.write()
