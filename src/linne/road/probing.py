"""How a network is run over all images of a fit, and the probe on what it makes of them."""

from __future__ import annotations

from pathlib import Path

from linne.embed.embedding import Embedding, pick, stored_shares
from linne.embed.measure import Pick
from linne.fit.probe import Probe, fit_probe
from linne.fit.several_labels_probe import fit_several_labels_probe
from linne.records.index import TRAIN, VALIDATION
from linne.records.split import Split
from linne.records.truth import task_of, truth_of
from linne.road.look import Material

PICKING_SECONDS = 1.5
"""About what it takes to measure how a network runs fastest, where that is not remembered."""


def backend_of(material: Material, store: Path, stage: int | None, left: float | None = None) -> Pick | None:
    """The way to run the network, measured on a sample of the images; None without pretrained weights.

    `left` are the seconds that there are, if there is an end.
    """
    if material.backbone is None:
        return None
    _, embedded = stored_shares(material.backbone, material.sample.digests, store, stage)
    to_come = round(len(material.index) * (1 - embedded))
    return pick(material.backbone, to_come, store, stage, material.sample.inputs(material.choice.pixels), left)


def probe_of(material: Material, embedding: Embedding, split: Split) -> Probe | None:
    """The probe, chosen by validation images; None without pretrained weights."""
    if not material.choice.pretrained:
        return None
    index, features = material.index, embedding.features
    train, validation = split.rows(TRAIN), split.rows(VALIDATION)
    fitted = fit_several_labels_probe if task_of(index) == "multi" else fit_probe
    return fitted(features[train], truth_of(index, train), features[validation], truth_of(index, validation))
