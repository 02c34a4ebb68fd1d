"""The story of the networks: which stands for a paper, and what is measured here."""

from __future__ import annotations

import pytest

from linne.nets.catalogue import CATALOGUE
from linne.nets.catalogue.papers import PAPERS
from linne.nets.weights.published import published
from linne.records.progress import Silent
from linne.road.lineage import lineage


class Watched(Silent):
    """What the road tells of its steps."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def start(self, step: str, total: float, unit: str) -> None:
        self.told.append((step, total, unit))

    def update(self, done: float, note: str = "") -> None:
        self.told.append((done, note.split()[0]))

    def finish(self) -> None:
        self.told.append("finished")


def test_the_example_of_a_paper_has_weights_and_costs_most_like_resnet50() -> None:
    story = lineage(latency=False)
    assert {chapter.key: chapter.title for chapter in story.chapters} == {k: p.title for k, p in PAPERS.items()}
    examples = {chapter.key: chapter.example for chapter in story.chapters}
    assert examples["resnet"].name == "resnet50"
    for chapter in story.chapters:
        assert chapter.example in chapter.variants
        assert [v.name for v in chapter.variants] == [n for n, row in CATALOGUE.items() if row.paper == chapter.key]
        rivals = [v for v in chapter.variants if published(v.name)] or chapter.variants
        dearer = [v.gmacs for v in rivals if v.gmacs >= 4.1]
        cheaper = [v.gmacs for v in rivals if v.gmacs <= 4.1]
        assert chapter.example.gmacs in (min(dearer, default=None), max(cheaper, default=None))


def test_one_network_of_each_paper_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("linne.road.lineage.PAPERS", {key: PAPERS[key] for key in ("mobilenet_v3", "lenet5")})
    monkeypatch.setattr("linne.road.lineage.MEASURED_SECONDS", 0.0)
    progress = Watched()
    story = lineage(progress=progress)
    lenet, mobilenet = story.chapters
    assert (lenet.key, mobilenet.key) == ("lenet5", "mobilenet_v3")
    assert lenet.example.milliseconds is not None
    assert mobilenet.example.milliseconds is not None
    assert 0 < lenet.example.milliseconds < mobilenet.example.milliseconds
    others = [v for chapter in story.chapters for v in chapter.variants if v not in (lenet.example, mobilenet.example)]
    assert len(others) > 3
    assert all(v.milliseconds is None for v in others)
    assert story.machine
    names = (mobilenet.example.name, lenet.example.name)
    assert progress.told == [("measure", 2, "networks"), (1, names[0]), (2, names[1]), "finished"]


def test_accuracy_is_imagenets_and_has_its_size() -> None:
    variants = {v.name: v for chapter in lineage(latency=False).chapters for v in chapter.variants}
    lenet, lite4 = variants["lenet5"], variants["efficientnet_lite4"]
    assert (lenet.top1, lenet.top1_pixels, lenet.licence) == (None, None, "no weights")
    assert (lite4.side, lite4.top1_pixels, lite4.licence) == (300, 380, "apache-2.0")
    assert variants["convnext_v2_base"].top1_pixels == 224
