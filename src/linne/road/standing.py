"""What a network came to in a race, measured, and how it stands against the others."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from linne.evaluate.paired import CHANCE, adjusted, compare_paired, sign_test
from linne.nets.catalogue import entry
from linne.nets.shapes import on_meta
from linne.records.bundle import MODEL
from linne.records.errors import LinneError
from linne.records.evaluation import Evaluation
from linne.records.index import TEST, VALIDATION, Index
from linne.records.leaderboard import Finish, Place, Result
from linne.records.parquet import read_table
from linne.records.pixel_spec import PixelSpec
from linne.records.progress import Progress
from linne.records.run import Run
from linne.records.split import Split
from linne.road.evaluate import SCHEMA, evaluate
from linne.runtime.session import Session
from linne.serve.predictor import Predictor

WARMING_UP = 3
FEWEST_IMAGES, MOST_IMAGES, MEASURED_SECONDS = 11, 300, 2.0
"""Latency is the median of so many images."""


def finish_of(run: Run, split: Split) -> Finish:
    """Measure a finished run: what it ships, its latency, and which validation images it gets right."""
    predictor, index = Predictor(run.bundle), Index.read(run.index)
    bundle, model = predictor.bundle, run.bundle / MODEL
    chosen = run.facts["chosen"]
    rows = split.rows(VALIDATION)
    right = []
    answers = predictor.logits_of(index.content(int(row)) for row in rows)
    for row, answer in zip(rows, answers, strict=True):
        if isinstance(answer, LinneError):
            right.append("-")
        else:
            right.append("01"[int(answer.argmax() == index.label[row])])
    return Finish(
        method=chosen["method"],
        epoch=chosen["epoch"],
        seconds=round(sum(run.facts["seconds"].values()), 1),
        parameters=_parameters(bundle.network, len(bundle.labels), bundle.pixels.channels),
        height=bundle.pixels.height,
        width=bundle.pixels.width,
        megabytes=round(model.stat().st_size / 1e6, 2),
        milliseconds=latency(model, bundle.pixels),
        validation=Evaluation.read(run.validation).measures["accuracy"],
        validation_right="".join(right),
    )


def latency(model: Path, pixels: PixelSpec) -> float:
    """Milliseconds for one prepared image on ONNX Runtime, the median of many."""
    session = Session(model)
    image = np.random.default_rng(0).standard_normal((1, pixels.channels, pixels.height, pixels.width), np.float32)
    for _ in range(WARMING_UP):
        session.run(image)
    seconds: list[float] = []
    while len(seconds) < FEWEST_IMAGES or (sum(seconds) < MEASURED_SECONDS and len(seconds) < MOST_IMAGES):
        start = time.perf_counter()
        session.run(image)
        seconds.append(time.perf_counter() - start)
    return round(1000 * statistics.median(seconds), 3)


def opened(run: Run, finish: Finish, split: Split, progress: Progress) -> Finish:
    """Open the test set of a run; raises what `linne.evaluate` raises."""
    evaluation = evaluate(run.folder, progress=progress)
    table, _ = read_table(run.predictions, "predictions", SCHEMA)
    columns = (table[name].to_pylist() for name in ("path", "label", "predicted"))
    right = {path: "01"[int(label == predicted)] for path, label, predicted in zip(*columns, strict=True)}
    index = Index.read(run.index)
    told = "".join(right.get(index.path(int(row)), "-") for row in split.rows(TEST))
    return replace(finish, test=evaluation.measures["accuracy"], test_right=told)


def places_of(results: Sequence[Result], groups: NDArray[np.int64], tested: bool, seed: int) -> tuple[Place, ...]:
    """Rank results; those with the same start are compared with the best of them, image by image.

    Which is the best is seen on the same images, so that chance has had all pairs to make a difference of: p-values are
    adjusted for so many.

    Parameters
    ----------
    results : sequence of Result
    groups : (n,) int64 array
        Of the images that they are compared on, in the split's order.
    tested : bool
        Compare on test images, not on validation images.
    seed : int
        Of the bootstrap.
    """
    places = []
    for result in results:
        finish = result.finish
        score = None if finish is None else finish.test if tested else finish.validation
        places.append(Place(result, score))
    places.sort(key=lambda place: -1.0 if place.score is None else place.score.value, reverse=True)
    for start in ("scratch", "pretrained"):
        scored = [i for i, place in enumerate(places) if place.result.start == start and place.score is not None]
        if not scored:
            continue
        first, *others = scored
        right = {i: _right(places[i].result, tested) for i in scored}
        pairs = list(combinations(scored, 2))  # those with the leader come first
        p_values = adjusted([sign_test(*_of_both(right[i], right[j], groups)) for i, j in pairs])
        places[first] = replace(places[first], leads=True)
        for i, p in zip(others, p_values, strict=False):
            behind = compare_paired(*_of_both(right[first], right[i], groups), seed).difference
            places[i] = replace(places[i], tied=p >= CHANCE, behind=behind)
    return tuple(places)


def _of_both(
    first: NDArray[np.bytes_], second: NDArray[np.bytes_], groups: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.int64]]:
    """What each got right, and the groups, of the images that both could read."""
    both = (first != b"-") & (second != b"-")
    return first[both] == b"1", second[both] == b"1", groups[both]


def _right(result: Result, tested: bool) -> NDArray[np.bytes_]:
    assert result.finish is not None  # noqa: S101 - it has a score
    told = result.finish.test_right if tested else result.finish.validation_right
    return np.frombuffer(told.encode(), "S1")


def _parameters(network: str, classes: int, channels: int) -> int:
    """Count the weights and offsets of a network with a classifier for so many classes."""
    row = entry(network)
    built = on_meta(row, row.classes, channels)
    built.replace_head(classes)  # type: ignore[operator]
    return sum(parameter.numel() for parameter in built.parameters())
