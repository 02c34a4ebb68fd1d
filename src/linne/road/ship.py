"""The trained network to a bundle: exported, calibrated, behind the gate, scored on validation images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from linne.evaluate.calibration import fit_binary_temperature, fit_temperature
from linne.evaluate.several_labels import summarise_several_labels
from linne.evaluate.summary import summarise
from linne.evaluate.thresholds import choose_thresholds
from linne.export.model import export_model
from linne.export.parity import check_parity
from linne.fit.prepared import prepared_batches
from linne.records.bundle import MODEL, Bundle, Parity
from linne.records.errors import DataError, ParityError
from linne.records.evaluation import Evaluation
from linne.records.index import VALIDATION, Index
from linne.records.plan import Plan
from linne.records.progress import Progress
from linne.records.run import Run
from linne.records.split import Split
from linne.records.truth import truth_of
from linne.road.look import Material
from linne.runtime.session import Session
from linne.serve.predictor import probabilities_of

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

GATE_IMAGES = 64
BATCH = 32


def ship(
    run: Run, material: Material, plan: Plan, split: Split, digest: NDArray[np.uint8], progress: Progress
) -> Bundle:
    """Write the bundle and the evaluation on validation images; `digest` is of each image's file, ``(n, 16)``.

    Raises
    ------
    ParityError
        The exported model disagrees with the network; no bundle is left.
    DataError
        No validation image can be read any more. Some that cannot are left out, and told of.
    """
    index, rows = material.index, split.rows(VALIDATION)
    network = material.choice.network.cpu().eval().float()
    model = run.bundle / MODEL
    exported_digest = export_model(network, plan.pixels, model)

    try:
        seen = _see(Session(model), run, index, rows, digest, plan, progress)
    except DataError:
        model.unlink()
        run.write()
        raise
    exported, rows = seen.logits, rows[seen.places]
    truth = truth_of(index, rows)
    thresholds: Doubles | None = None
    if truth.ndim == 2:
        temperature = fit_binary_temperature(exported, truth)
        thresholds = choose_thresholds(probabilities_of(exported, temperature, "multi"), truth)
    else:
        temperature = fit_temperature(exported, truth)
    bundle = Bundle(
        labels=index.labels,
        pixels=plan.pixels,
        temperature=temperature,
        network=plan.network,
        model=exported_digest,
        parity=_gate(network, seen.gate_inputs, seen.gate_logits, temperature, model, thresholds),
        provenance={
            "run": run.folder.name,
            "created": run.facts["created"],
            "versions": run.facts["versions"],
            "fingerprints": dict(run.facts["fingerprints"]),
            "seed": plan.seed,
        },
        licence=material.choice.licence,
        task="single" if thresholds is None else "multi",
        thresholds=() if thresholds is None else tuple(thresholds.tolist()),
    )
    bundle.write(run.bundle)
    run.facts["fingerprints"]["bundle"] = bundle.fingerprint
    fitted = "its temperature" if thresholds is None else "its temperature and thresholds"
    note = f"The classifier was chosen, and {fitted} fitted, on these images: expect less on others."
    evaluation = summary_of(bundle, index, split, rows, exported, "validation", plan.seed, (note,))
    evaluation.write(run.validation)
    return bundle


@dataclass(frozen=True)
class _Seen:
    """What the exported model says of validation images: which of them, and of the gate's its inputs too."""

    places: NDArray[np.int64]
    logits: Floats
    gate_inputs: Floats
    gate_logits: Floats


def _see(
    session: Session,
    run: Run,
    index: Index,
    rows: NDArray[np.int64],
    digest: NDArray[np.uint8],
    plan: Plan,
    progress: Progress,
) -> _Seen:
    """Run the exported model; `DataError` if no image can be read. What cannot be is noted in the run."""
    progress.start("validate", len(rows), "images")
    every = -(-len(rows) // GATE_IMAGES)
    logits, inputs, gate = list[Floats](), list[Floats](), list[Floats]()
    seen: list[NDArray[np.int64]] = []
    failed: dict[int, str] = {}
    for places, batch in prepared_batches(index, rows, digest, plan.pixels, BATCH, failed):
        logits.append(session.run(batch)[0])
        # The first of every so many that could be read is for the gate.
        _, first = np.unique(places // every, return_index=True)
        fresh = first[[not seen or seen[-1][-1] // every != part for part in places[first] // every]]
        inputs.append(batch[fresh])
        gate.append(logits[-1][fresh])
        seen.append(places)
        progress.update(int(places[-1]) + 1)
    progress.finish()
    if failed:
        run.facts["chosen"]["left_out"] |= {index.path(row): reason for row, reason in failed.items()}
        progress.say(f"left out of validation: {len(failed)} images, such as {next(iter(failed.values()))}")
    if not seen:
        raise DataError("no validation image can be read any more", remedy="put the images back where they were")
    return _Seen(np.concatenate(seen), np.concatenate(logits), np.concatenate(inputs), np.concatenate(gate))


def summary_of(
    bundle: Bundle,
    index: Index,
    split: Split,
    rows: NDArray[np.int64],
    logits: Floats,
    subset: str,
    seed: int,
    notes: tuple[str, ...],
) -> Evaluation:
    """Score a bundle's logits ``(n, classes)`` of some rows, as its task asks."""
    probabilities = probabilities_of(logits, bundle.temperature, bundle.task)
    uncalibrated = probabilities_of(logits, 1.0, bundle.task)
    truth, paths = truth_of(index, rows), [index.path(int(row)) for row in rows]
    group, names = split.group[rows], index.labels
    of_what = (subset, bundle.fingerprint, split.fingerprint, seed, notes)
    if bundle.task == "single":
        return summarise(probabilities, uncalibrated, truth, group, paths, names, *of_what)
    thresholds = np.array(bundle.thresholds)
    return summarise_several_labels(probabilities, uncalibrated, thresholds, truth, group, paths, names, *of_what)


def _gate(
    network: nn.Module, inputs: Floats, exported: Floats, temperature: float, model: Path, thresholds: Doubles | None
) -> Parity:
    try:
        return check_parity(network, inputs, exported, temperature, model, thresholds)
    except ParityError:
        model.unlink()
        raise
