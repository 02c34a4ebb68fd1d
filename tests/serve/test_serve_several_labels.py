"""Does a bundle of several labels say all that reach their thresholds, and none where none does?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import LABELS, SPEC, TEMPERATURE, Made, encoded, make_bundle, picture
from fastapi.testclient import TestClient

from linne.pixels.prepare import prepare
from linne.serve.app import create_app
from linne.serve.predictor import Predictor, load, probabilities_of

THRESHOLDS = (0.9, 0.05, 0.3, 0.5, 0.2)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_bundle(tmp_path_factory.mktemp("bundles") / "several", thresholds=THRESHOLDS)


@pytest.fixture(scope="module")
def predictor(made: Made) -> Predictor:
    return load(made.folder)


def expected(made: Made, content: bytes) -> np.ndarray:
    logits = prepare(content, SPEC).reshape(-1).astype(np.float64) @ made.weight + made.bias
    return 1 / (1 + np.exp(-logits / TEMPERATURE))


@pytest.mark.parametrize("seed", range(6))
def test_every_label_that_reaches_its_threshold_is_said(made: Made, predictor: Predictor, seed: int) -> None:
    content = encoded(picture(seed))
    answer, p = predictor.predict_bytes(content), expected(made, content)
    assert answer.task == "multi"
    assert answer.probabilities == pytest.approx(dict(zip(LABELS, p, strict=True)), abs=1e-6)
    assert set(answer.labels) == {LABELS[i] for i in np.flatnonzero(p >= THRESHOLDS)}
    said = [answer.probabilities[label] for label in answer.labels]
    assert said == sorted(said, reverse=True)
    assert answer.label == LABELS[int(p.argmax())]
    assert answer.probability == pytest.approx(p.max(), abs=1e-6)


def test_no_label_at_all(tmp_path: Path) -> None:
    predictor = load(make_bundle(tmp_path / "bundle", thresholds=(0.999,) * 5).folder)
    answer = predictor.predict_bytes(encoded(picture()))
    assert answer.labels == ()
    assert answer.probability < 0.999
    assert answer.to_json()["labels"] == ()
    client = TestClient(create_app(predictor, hosts=None))
    assert client.post("/predict", content=encoded(picture())).json()["labels"] == []


def test_a_file_that_cannot_be_used_is_of_the_task_too(predictor: Predictor, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")
    (answer,) = predictor.predict(tmp_path / "a.png")
    assert answer.error
    assert answer.to_json() == {**answer.to_json(), "task": "multi", "labels": ()}


def test_the_card_tells_the_thresholds(predictor: Predictor) -> None:
    card = TestClient(create_app(predictor, hosts=None)).get("/model").json()
    assert card["task"] == "multi"
    assert card["thresholds"] == list(THRESHOLDS)


def test_probabilities_of_extreme_logits_are_finite() -> None:
    p = probabilities_of(np.array([[3e38, -3e38, 0]], np.float32), 1.0, "multi")
    assert p.tolist() == [[1.0, 0.0, 0.5]]
