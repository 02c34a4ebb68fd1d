"""What the report says: a run's records as the plain values that the template lays out."""

from __future__ import annotations

import json
import math
import shlex
from pathlib import Path
from typing import Any

from markupsafe import Markup

from linne.records.bundle import Bundle
from linne.records.corrections import Corrections
from linne.records.errors import RunError
from linne.records.evaluation import ClassScore, Evaluation
from linne.records.findings import Findings
from linne.records.index import Index
from linne.records.run import Run
from linne.records.split import Split
from linne.report.audited import audited
from linne.report.cases import LABEL_DOUBT
from linne.report.charts import Line, confusion_matrix, reliability_diagram, training_curve
from linne.report.class_balance import MOST_CLASSES, class_balance
from linne.report.in_words import corrections_in_words, in_words, moment, split_in_words
from linne.report.thumbnails import Album

MOST_CLASSES_IN_MATRIX = 30
CONFUSIONS = 20

METHODS = {
    "probe": "a linear classifier on the frozen network's features",
    "stages": "the last stages trained",
    "whole": "every weight trained",
    "scratch": "every weight trained from a random start",
}
STOPPED = {"deadline": "Training ended with the budget.", "interrupt": "Training was ended by hand."}
TIMES = {1: "once", 2: "twice"}


def content_of(run: Run) -> dict[str, Any]:
    """Read a run's records and give what the template needs.

    Raises
    ------
    RunError, BundleError
        A record is gone or damaged, or is not of this run.
    """
    index, split, findings = Index.read(run.index), Split.read(run.split), Findings.read(run.findings)
    for parent, file in ((split.index, run.split), (findings.index, run.findings)):
        if parent != index.fingerprint:
            raise RunError("is of another index", file=file, remedy="make a new run with `linne fit`")
    bundle = Bundle.read(run.bundle)
    tested = run.evaluation.is_file()
    file = run.evaluation if tested else run.validation
    evaluation = Evaluation.read(file)
    if evaluation.bundle != bundle.fingerprint:
        raise RunError("is of another bundle", file=file, remedy="run `linne evaluate` again")
    album = Album(index)
    openings, corrections = run.facts.get("openings") or [], run.facts.get("corrections")
    return {
        "name": run.facts.get("name") or run.folder.name,
        "created": moment(run.facts.get("created")),
        "bundle": bundle,
        "tested": tested,
        "evaluation": evaluation,
        "measures": evaluation.measures,
        "several": evaluation.task == "multi",
        "opened": TIMES.get(len(openings), f"{len(openings)} times") if openings else "",
        "openings": [(moment(opening.get("time")), opening.get("bundle")) for opening in openings],
        "command": f"linne evaluate {shlex.quote(str(run.folder))}",
        **_making(run),
        **audited(index, findings, album, bundle.pixels),
        "balance": class_balance(index, split.subset, "left out"),
        "split": split_in_words(index),
        "corrected": corrections_in_words(Corrections.from_json(corrections)) if corrections else "",
        "doubted": _doubted(evaluation, findings),
        "scores": _weakest_first(evaluation)[:MOST_CLASSES],
        "matrix": _matrix(evaluation),
        "confusions": _confusions(evaluation),
        "reliability": _reliability(evaluation),
        "hardest": [(case, album.picture(case.path, case.label)) for case in evaluation.hardest],
        "provenance": [(name, in_words(value)) for name, value in bundle.provenance.items()],
        "fingerprints": {
            **(run.facts.get("fingerprints") or {}),
            "split": evaluation.split,
            "model": bundle.model,
            "bundle": bundle.fingerprint,
        },
    }


def _doubted(evaluation: Evaluation, findings: Findings) -> int:
    """How many of the hardest cases have a label that the audit doubts."""
    doubted = {row.path for row in findings.rows if row.check == LABEL_DOUBT}
    return sum(case.path in doubted for case in evaluation.hardest)


def _making(run: Run) -> dict[str, Any]:
    """How the classifier was made, from the run's diary and history; what is not there is left out."""
    facts = run.facts
    probe, chosen, asked = (facts.get(name) or {} for name in ("probe", "chosen", "asked"))
    backend, seconds = facts.get("backend") or {}, facts.get("seconds") or {}
    method = METHODS.get(chosen.get("method", ""), "what did best")
    epoch = f", epoch {chosen['epoch']}" if chosen.get("epoch") else ""
    candidates = [
        ("probe", METHODS["probe"], _ranked_by(probe), probe.get("log_loss")),
        ("kept", f"{method}{epoch}", _ranked_by(chosen), chosen.get("log_loss")),
    ]
    longest = max(seconds.values(), default=0) or 1
    return {
        "asked": in_words(asked),
        "reasons": (facts.get("plan") or {}).get("reasons") or [],
        "candidates": [candidate for candidate in candidates if candidate[2] is not None],
        "stopped": STOPPED.get(chosen.get("stopped", ""), ""),
        "seconds": [(step, spent, spent / longest) for step, spent in seconds.items()],
        "total": sum(seconds.values()),
        "backend": backend.get("name"),
        "rates": sorted((backend.get("rates") or {}).items()),
        "curves": _curves(_history(run.history), _ranked_by(probe), chosen.get("epoch")),
    }


def _ranked_by(scores: dict[str, Any]) -> float | None:
    """What classifiers are compared by: average precision of several labels an image, else accuracy."""
    return scores.get("average_precision", scores.get("accuracy"))


def _history(path: Path) -> list[dict[str, Any]]:
    """Lines of the history; a kill may have left half a line, which is passed over."""
    lines = []
    for text in path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []:
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict) and isinstance(line.get("epoch"), int):
            lines.append(line)
    return lines


def _curves(
    history: list[dict[str, Any]], probe: float | None, chosen: int | None
) -> list[tuple[str, list[Line], Markup]]:
    """Charts of what epochs are ranked by and of losses: a heading, lines for the legend, the drawing."""
    if len(history) < 2:
        return []
    key, name = "accuracy", "accuracy"
    if "average_precision" in history[0]:
        key, name = "average_precision", "mean average precision"
    ranked = [Line(f"validation {name}", 1, _points(history, key))]
    loss = [
        Line("validation log loss", 1, _points(history, "log_loss")),
        Line("training loss", 2, _points(history, "loss")),
    ]
    level = None if probe is None else (f"probe {probe:.3f}", probe)
    curves = []
    if ranked[0].points:
        curves.append((f"{name.capitalize()} by epoch", ranked, training_curve(name, ranked, chosen, level)))
    if loss[0].points:
        curves.append(("Loss by epoch", loss, training_curve("loss", loss, chosen)))
    return curves


def _points(history: list[dict[str, Any]], key: str) -> list[tuple[float, float]]:
    values = [(line["epoch"], line.get(key)) for line in history]
    return [(epoch, value) for epoch, value in values if isinstance(value, int | float) and math.isfinite(value)]


def _weakest_first(evaluation: Evaluation) -> list[ClassScore]:
    """Classes by F1; those without an image, whose scores say nothing, at the end."""
    return sorted(evaluation.classes, key=lambda score: (score.images == 0, score.f1.value))


def _matrix(evaluation: Evaluation) -> Markup | None:
    """The confusion matrix; None where there are too many classes to read one, or several labels an image."""
    if not evaluation.confusion or len(evaluation.classes) > MOST_CLASSES_IN_MATRIX:
        return None
    counts = [[0] * len(evaluation.classes) for _ in evaluation.classes]
    for true, answer, images in evaluation.confusion:
        counts[true][answer] = images
    return confusion_matrix([score.label for score in evaluation.classes], counts)


def _reliability(evaluation: Evaluation) -> Markup | None:
    if not evaluation.reliability:
        return None
    if evaluation.task == "multi":
        return reliability_diagram(evaluation.reliability, "probability", "share that has the label", "decisions")
    return reliability_diagram(evaluation.reliability)


def _confusions(evaluation: Evaluation) -> list[tuple[str, str, int, float]]:
    """The most frequent mistakes: true class, answer, images, and their share of the true class."""
    classes = evaluation.classes
    mistakes = [
        (classes[true].label, classes[answer].label, images, images / classes[true].images)
        for true, answer, images in evaluation.confusion
        if true != answer
    ]
    return sorted(mistakes, key=lambda mistake: -mistake[2])[:CONFUSIONS]
