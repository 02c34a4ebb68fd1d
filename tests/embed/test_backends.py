"""Do the ways to run a network agree, and is the fastest remembered?"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from small_networks import gray_backbone, normal, same_state, small_backbone, state_of
from torch import Tensor, nn

from linne.embed import measure
from linne.embed.backbone import Backbone, Features
from linne.embed.backends import BACKENDS, BATCH
from linne.embed.embedding import pick
from linne.embed.measure import machine, pick_backend

FROZEN = {"colour": small_backbone, "gray": gray_backbone}


def batch_for(frozen: Backbone, seed: int = 0) -> np.ndarray:
    return normal(BATCH, frozen.pixels.channels, frozen.pixels.height, frozen.pixels.width, seed=seed)


@pytest.fixture(autouse=True)
def _short_measurements(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "MEASURED_SECONDS", 0.02)


@pytest.fixture(scope="module", params=FROZEN)
def frozen(request: pytest.FixtureRequest) -> Backbone:
    return FROZEN[request.param]()


@pytest.mark.parametrize("stage", [None, 1])
def test_eager_and_onnx_agree(frozen: Backbone, stage: int | None) -> None:
    module, batch = Features(frozen.network, stage), batch_for(frozen)
    eager, onnx = (BACKENDS[name](module, frozen.pixels)(batch) for name in ("eager", "onnx"))
    assert len(eager) == len(onnx) == (1 if stage is None else 2)
    for one, other in zip(eager, onnx, strict=True):
        one, other = one.reshape(BATCH, -1), other.reshape(BATCH, -1)
        cosine = (one * other).sum(1) / (np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1))
        assert cosine.min() >= 0.9999
        assert one.dtype == other.dtype == np.float32


@pytest.mark.parametrize("name", ["eager", "onnx"])
def test_a_backend_leaves_the_network_alone_and_is_left_alone(name: str) -> None:
    frozen = small_backbone()
    before, batch = state_of(frozen.network), batch_for(frozen)
    backend = BACKENDS[name](Features(frozen.network), frozen.pixels)
    first = backend(batch)[0]
    assert same_state(before, frozen.network.state_dict())
    with torch.no_grad():
        for parameter in frozen.network.parameters():
            parameter.zero_()  # as training would change it
    np.testing.assert_array_equal(backend(batch)[0], first)


def test_the_pick_is_measured_then_remembered(tmp_path: Path) -> None:
    frozen = small_backbone()
    first = pick(frozen, 100, tmp_path)
    assert first.rates.keys() == {"eager", "onnx"}
    assert first.rates[first.name] == max(first.rates.values()) > 0
    written = (tmp_path / "backends.json").read_bytes()
    again = pick(frozen, 100, tmp_path)
    assert (again.name, again.rates) == (first.name, first.rates)
    assert (tmp_path / "backends.json").read_bytes() == written
    batch = batch_for(frozen)
    np.testing.assert_allclose(again.run(batch)[0], first.run(batch)[0], rtol=1e-4, atol=1e-5)


def test_one_measurement_holds_for_all_stages(tmp_path: Path) -> None:
    frozen = gray_backbone()
    first, other = pick(frozen, 100, tmp_path), pick(frozen, 100, tmp_path, stage=1)
    assert other.rates == first.rates
    assert [len(chosen.run(batch_for(frozen))) for chosen in (first, other)] == [1, 2]


def test_another_network_is_measured_for_itself(tmp_path: Path) -> None:
    pick(gray_backbone(), 100, tmp_path)
    pick(small_backbone(), 100, tmp_path)
    assert len(json.loads((tmp_path / "backends.json").read_text())) == 2


@pytest.mark.parametrize(
    "damage",
    [
        "",
        "{",
        "[]",
        "[" * 100_000,
        '{"KEY": 5}',
        '{"KEY": {}}',
        '{"KEY": {"rates": []}}',
        '{"KEY": {"rates": {}}}',
        '{"KEY": {"rates": {"eager": 1.0}}}',
        '{"KEY": {"rates": {"eager": "fast", "onnx": 1.0}}}',
        '{"KEY": {"rates": {"eager": 1.0, "onnx": NaN}}}',
        '{"KEY": {"rates": {"eager": 0.0, "onnx": -1.0}}}',
        '{"KEY": {"rates": {"eager": 1.0, "onnx": 2.0, "abacus": 3.0}}}',
    ],
)
def test_a_damaged_memory_is_measured_again(tmp_path: Path, damage: str) -> None:
    frozen = gray_backbone()
    memory = tmp_path / "backends.json"
    module = Features(frozen.network)
    pick_backend(module, frozen.pixels, "me", 100, memory)
    (key,) = json.loads(memory.read_text())
    memory.write_text(damage.replace("KEY", key))
    chosen = pick_backend(module, frozen.pixels, "me", 100, memory)
    assert chosen.name in ("eager", "onnx")
    assert json.loads(memory.read_text())[key] == {"rates": chosen.rates}


def test_a_memory_that_cannot_be_written_is_no_reason_to_fail(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    frozen = gray_backbone()
    chosen = pick_backend(Features(frozen.network), frozen.pixels, "me", 100, tmp_path / "file" / "backends.json")
    assert chosen.run(batch_for(frozen))[0].shape == (BATCH, 84)


class Unportable(nn.Module):
    """Runs in PyTorch only."""

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        return (torch.linalg.eigvals(images[:, 0]).real,)


class Blank(nn.Module):
    """Features that are all zero."""

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        return (images.mean(dim=(2, 3)) * 0,)


class Nothing(nn.Module):
    """Features that are no numbers."""

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        return (images.mean(dim=(2, 3)) * float("nan"),)


@pytest.mark.parametrize(("module", "onnx_runs"), [(Unportable(), False), (Blank(), True), (Nothing(), False)])
def test_eager_remains_where_the_others_fail(tmp_path: Path, module: nn.Module, onnx_runs: bool) -> None:
    pixels = gray_backbone().pixels
    chosen = pick_backend(module.eval(), pixels, "odd", 100, tmp_path / "backends.json")
    assert (chosen.rates["onnx"] > 0) == onnx_runs
    if not onnx_runs:
        assert chosen.name == "eager"
    assert len(chosen.run(normal(BATCH, 1, 32, 32))[0]) == BATCH


def test_a_measurement_holds_for_this_machine(tmp_path: Path) -> None:
    assert machine() == machine()
    assert machine()["torch"] == torch.__version__
