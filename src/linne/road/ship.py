"""The trained network to a bundle: exported, calibrated, behind the gate, scored on validation images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from torch import nn

from linne.evaluate.calibration import fit_temperature
from linne.evaluate.summary import summarise
from linne.export.model import export_model
from linne.export.parity import check_parity
from linne.fit.sources import prepared_batches
from linne.records.bundle import MODEL, Bundle, Parity
from linne.records.errors import DataError, ParityError
from linne.records.index import VALIDATION, Index
from linne.records.plan import Plan
from linne.records.progress import Progress
from linne.records.run import Run
from linne.records.split import Split
from linne.road.look import Material
from linne.runtime.session import Session

Floats = NDArray[np.float32]

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
    labels = index.label[rows].astype(np.int64)
    temperature = fit_temperature(exported, labels)
    bundle = Bundle(
        labels=index.labels,
        pixels=plan.pixels,
        temperature=temperature,
        network=plan.network,
        model=exported_digest,
        parity=_gate(network, seen.gate_inputs, seen.gate_logits, temperature, model),
        provenance={
            "run": run.folder.name,
            "created": run.facts["created"],
            "versions": run.facts["versions"],
            "fingerprints": dict(run.facts["fingerprints"]),
            "seed": plan.seed,
        },
        licence=material.choice.licence,
    )
    bundle.write(run.bundle)
    run.facts["fingerprints"]["bundle"] = bundle.fingerprint
    evaluation = summarise(
        softmax(exported.astype(np.float64) / temperature, axis=1),
        softmax(exported.astype(np.float64), axis=1),
        labels,
        split.group[rows],
        [index.path(int(row)) for row in rows],
        index.labels,
        "validation",
        bundle.fingerprint,
        split.fingerprint,
        plan.seed,
        ("The classifier was chosen, and its temperature fitted, on these images: expect less on others.",),
    )
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


def _gate(
    network: nn.Module, inputs: NDArray[np.float32], exported: NDArray[np.float32], temperature: float, model: Path
) -> Parity:
    try:
        return check_parity(network, inputs, exported, temperature, model)
    except ParityError:
        model.unlink()
        raise
