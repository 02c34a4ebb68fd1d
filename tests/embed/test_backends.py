"""Do the ways to run a network agree, and is the fastest remembered?"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from small_networks import gray_backbone, lively, normal, same_state, small_backbone, state_of
from torch import Tensor, nn

from linne.embed import measure
from linne.embed.backbone import Backbone, Features
from linne.embed.backends import Builder, device, full_precision, has_openvino
from linne.embed.embedding import pick
from linne.embed.layer import layer_of
from linne.embed.machine import machine
from linne.embed.measure import cosine, eager_way, onnx_way, pick_backend
from linne.embed.way import Way
from linne.records.memory import keep, recalled
from linne.runtime.cores import available_cores

FROZEN = {"colour": small_backbone, "gray": gray_backbone}
BATCH = 8
WAYS = [
    Way("eager", "float32", BATCH, 1),
    Way("eager", "bfloat16", BATCH, 2),
    Way("onnx", "float32", BATCH, 1),
    Way("onnx", "float32", BATCH, 2),
    *([Way("openvino", "float32", BATCH, 2)] if has_openvino() else []),
]


def batch_for(frozen: Backbone, seed: int = 0) -> np.ndarray:
    return normal(BATCH, frozen.pixels.channels, frozen.pixels.height, frozen.pixels.width, seed=seed)


@pytest.fixture(autouse=True)
def _short_measurements(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "MEASURED_SECONDS", 0.02)
    monkeypatch.setattr(measure, "COMPILE_SECONDS", float("inf"))


@pytest.fixture(scope="module", params=FROZEN)
def frozen(request: pytest.FixtureRequest) -> Backbone:
    return FROZEN[request.param]()


def each(ways: list[Way]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("way", ways, ids=[way.name for way in ways])


@each(WAYS)
@pytest.mark.parametrize("stage", [None, 1])
def test_all_ways_agree_with_plain_pytorch(frozen: Backbone, stage: int | None, way: Way) -> None:
    builder, batch = Builder(Features(frozen.network, stage), frozen.pixels), batch_for(frozen)
    plain, outputs = builder.plain()(batch), builder.build(way)(batch)
    assert len(plain) == len(outputs) == (1 if stage is None else 2)
    for one, other in zip(plain, outputs, strict=True):
        assert one.shape == other.shape
        assert one.dtype == other.dtype == np.float32
        assert cosine(one, other) >= (0.9999 if way.precision == "float32" else 0.99)


@each([way for way in WAYS if way.callers > 1])
def test_several_callers_get_what_is_theirs(way: Way) -> None:
    frozen = small_backbone()
    run = Builder(Features(frozen.network), frozen.pixels).build(way)
    batches = [batch_for(frozen, seed) for seed in range(12)]
    alone = [run(batch)[0] for batch in batches]
    with ThreadPoolExecutor(way.callers) as pool:
        together = list(pool.map(lambda batch: run(batch)[0], batches))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-2, atol=1e-3)


@each(WAYS)
def test_a_backend_leaves_the_network_alone_and_is_left_alone(way: Way) -> None:
    frozen = small_backbone()
    before, batch = state_of(frozen.network), batch_for(frozen)
    backend = Builder(Features(frozen.network), frozen.pixels).build(way)
    first = backend(batch)[0]
    assert same_state(before, frozen.network.state_dict())
    with torch.no_grad():
        for parameter in frozen.network.parameters():
            parameter.zero_()  # as training would change it
    np.testing.assert_array_equal(backend(batch)[0], first)


class Watched(nn.Module):
    """Remembers how convolutions in float32 were rounded while it ran."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, 4, 3)

    def forward(self, x: Tensor) -> tuple[Tensor]:
        Watched.seen = torch.backends.cudnn.conv.fp32_precision
        return (self.convolution(x),)


@pytest.mark.parametrize("way", [None, Way("eager", "float32", BATCH, 1)], ids=["plain", "eager"])
def test_features_know_no_tf32(way: Way | None) -> None:
    before = torch.backends.cudnn.conv.fp32_precision
    builder = Builder(Watched(), small_backbone().pixels)
    backend = builder.plain() if way is None else builder.build(way)
    Watched.seen = ""
    backend(normal(BATCH, 3, 64, 64))
    assert Watched.seen == "ieee"
    assert torch.backends.cudnn.conv.fp32_precision == before


def test_full_precision_ends_with_an_error_too() -> None:
    before = torch.backends.cudnn.conv.fp32_precision
    with pytest.raises(ZeroDivisionError), full_precision():
        raise ZeroDivisionError
    assert torch.backends.cudnn.conv.fp32_precision == before


@pytest.mark.skipif(device().type != "cuda", reason="needs a GPU")
def test_a_gpu_gives_the_features_of_the_cpu() -> None:
    frozen = small_backbone()
    batch = normal(BATCH, 3, frozen.pixels.height, frozen.pixels.width)
    with torch.inference_mode():
        (expected,) = Features(frozen.network)(torch.from_numpy(batch))
    found = Builder(Features(frozen.network), frozen.pixels).build(eager_way())(batch)[0]
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-5 * float(expected.abs().max()))


def test_the_pick_is_measured_then_remembered(tmp_path: Path) -> None:
    frozen = small_backbone()
    first = pick(frozen, 100, tmp_path)
    assert first.rates.keys() == {onnx_way()} | ({eager_way()} if device().type == "cuda" else set())
    assert first.rates[first.way] == max(first.rates.values()) > 0
    written = (tmp_path / "backends.json").read_bytes()
    again = pick(frozen, 100, tmp_path)
    assert (again.way, again.rates) == (first.way, first.rates)
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
        '{"KEY": {"rates": {"onnx": 1.0}}}',
        '{"KEY": {"rates": {"onnx float32 8x2": "fast"}}}',
        '{"KEY": {"rates": {"onnx float32 8x2": 0.0}}}',
        '{"KEY": {"rates": {"onnx float32 8x2": -1.0}}}',
        '{"KEY": {"rates": {"onnx float32 0x2": 1.0}}}',
        '{"KEY": {"rates": {"abacus float32 8x2": 3.0}}}',
        '{"KEY": {"rates": {"onnx float16 8x2": 3.0}}}',
    ],
)
def test_a_damaged_memory_is_measured_again(tmp_path: Path, damage: str) -> None:
    frozen = gray_backbone()
    memory = tmp_path / "backends.json"
    module = Features(frozen.network)
    pick_backend(module, frozen.pixels, "me", 100, memory)
    (key,) = recalled(memory)
    if "KEY" in damage:
        keep(memory, key, json.loads(damage)["KEY"])
    else:
        memory.write_text(damage)
    chosen = pick_backend(module, frozen.pixels, "me", 100, memory)
    assert chosen.way == onnx_way()
    assert recalled(memory)[key] == {"rates": chosen.to_json()["rates"]}


def test_what_is_long_is_explored_and_the_fastest_is_taken(tmp_path: Path) -> None:
    frozen = small_backbone()
    chosen = pick(frozen, 10**9, tmp_path, sample=batch_for(frozen))
    assert {way.precision for way in chosen.rates} == {"float32", "bfloat16"}
    assert len({way.batch for way in chosen.rates}) > 2
    assert {1, available_cores()} <= {way.callers for way in chosen.rates}
    assert chosen.rate == max(chosen.rates.values())
    assert pick(frozen, 10, tmp_path).rates == chosen.rates
    again = pick(frozen, 10**9, tmp_path)  # a long pass: how fast the machine is now is measured anew
    assert again.way == chosen.way
    now = again.rate / chosen.rate
    assert again.rates == pytest.approx({way: now * rate for way, rate in chosen.rates.items()})


class Brittle(nn.Module):
    """Rounded, the difference that it gives is lost."""

    def __init__(self) -> None:
        super().__init__()
        self.large = nn.Conv2d(1, 8, 32)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        return (self.large(images + 1000).flatten(1) - self.large(torch.full_like(images, 1000)).flatten(1),)


def test_what_rounding_spoils_is_not_rounded(tmp_path: Path) -> None:
    pixels = gray_backbone().pixels
    chosen = pick_backend(Brittle().eval(), pixels, "brittle", 10**9, tmp_path / "backends.json")
    assert chosen.way.precision == "float32"
    # To OpenVINO it is a hint, and it computes in float32 where the processor has no such products.
    rounded = [way for way in chosen.rates if way.precision == "bfloat16" and way.backend != "openvino"]
    assert {chosen.rates[way] for way in rounded} == {0.0}


def test_a_memory_that_cannot_be_written_is_no_reason_to_fail(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    frozen = gray_backbone()
    chosen = pick_backend(Features(frozen.network), frozen.pixels, "me", 100, tmp_path / "file" / "backends.json")
    assert chosen.run(batch_for(frozen))[0].shape == (BATCH, 84)


def test_a_layer_run_by_several_threads_gives_each_what_is_its_own() -> None:
    frozen, way = small_backbone(), Way("eager", "float32", BATCH, 4)
    run = Builder(layer_of(frozen.network, "layers.3"), frozen.pixels).build(way)
    batches = [batch_for(frozen, seed) for seed in range(24)]
    alone = [run(batch)[0] for batch in batches]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda batch: run(batch)[0], batches))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("layer", ["stem.norm", "stem.conv", "layers.0"])
def test_a_layer_is_seen_by_eager_as_it_is(layer: str) -> None:
    frozen, batch = small_backbone(), batch_for(small_backbone())
    builder = Builder(layer_of(frozen.network, layer), frozen.pixels)
    found, expected = builder.build(Way("eager", "float32", BATCH, 1))(batch)[0], builder.plain()(batch)[0]
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


class Shared(nn.Module):
    """One convolution before two batch norms."""

    def __init__(self) -> None:
        super().__init__()
        conv = nn.Conv2d(1, 4, 3, bias=False)
        self.one, self.other = (nn.Sequential(conv, nn.BatchNorm2d(4)) for _ in range(2))
        lively(self)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        return (torch.cat([self.one(images).flatten(1), self.other(images).flatten(1)], 1),)


def test_what_is_used_twice_is_not_folded() -> None:
    builder, batch = Builder(Shared().eval(), gray_backbone().pixels), batch_for(gray_backbone())
    found, expected = builder.build(Way("eager", "float32", BATCH, 1))(batch)[0], builder.plain()(batch)[0]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_where_only_a_rounded_way_is_remembered_and_does_not_agree_eager_remains(tmp_path: Path) -> None:
    pixels, memory, module = gray_backbone().pixels, tmp_path / "backends.json", Brittle().eval()
    pick_backend(module, pixels, "odd", 1, memory)
    (key,) = recalled(memory)
    keep(memory, key, {"rates": {onnx_way().name: 0.0, f"eager bfloat16 4x{available_cores()}": 1e9}})
    assert pick_backend(module, pixels, "odd", 0, memory).way == eager_way()


def test_a_rounded_way_that_is_remembered_must_agree_here_too(tmp_path: Path) -> None:
    pixels, memory = gray_backbone().pixels, tmp_path / "backends.json"
    pick_backend(Brittle().eval(), pixels, "brittle", 1, memory)
    ((key, written),) = recalled(memory).items()
    keep(memory, key, {"rates": {**written["rates"], f"eager bfloat16 8x{available_cores()}": 1e9}})
    assert pick_backend(Brittle().eval(), pixels, "brittle", 1, memory).way.precision == "float32"


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
    assert (chosen.rates[onnx_way()] > 0) == onnx_runs
    if not onnx_runs:
        assert chosen.way.backend == "eager"
    assert len(chosen.run(normal(BATCH, 1, 32, 32))[0]) == BATCH


def test_a_measurement_holds_for_this_machine(tmp_path: Path) -> None:
    assert machine() == machine()
    assert machine()["torch"] == torch.__version__
