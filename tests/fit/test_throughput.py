"""Is speed measured without touching what is measured?"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from images import scene
from PIL import Image
from small_networks import same_state, small_network, small_pixels, state_of

from linne.choose.sample import Sample
from linne.fit import sources, throughput
from linne.fit.optimise import Trainer
from linne.fit.policy import Policy
from linne.fit.throughput import augmented_per_second, tail_rates, whole_rate
from linne.nets import create
from linne.nets.catalogue import entry
from linne.runtime.cores import available_cores

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _short_measurements(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throughput, "MEASURED_SECONDS", 0.01)


@pytest.fixture(scope="module")
def sample() -> Sample:
    pictures = tuple(Image.fromarray(scene(90, 120, seed=seed)) for seed in range(8))
    return Sample(pictures, 90, True, 0.001, ())


@pytest.mark.parametrize("batch", [1, 4])
def test_tails_from_two_stages_on(batch: int) -> None:
    network = small_network(classes=9)
    before = state_of(network)
    rates = tail_rates(network, small_pixels(), 3, batch, CPU, 600)
    assert [rate.frozen_stages for rate in rates] == list(range(len(network.stages()) - 2, 0, -1))
    assert all(np.isfinite(rate.images_per_second) and rate.images_per_second > 0 for rate in rates)
    rounded = torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    assert all(rate.precision in ("float32", "bfloat16")[: 1 + rounded] for rate in rates)
    assert all(rate.lanes in (1, min(available_cores(), batch)) for rate in rates)
    x = torch.zeros(1, 3, 64, 64)
    sizes = []
    with torch.inference_mode():
        for stage in network.stages():
            sizes.append(x.numel())
            x = stage(x)
    assert [rate.activation_size for rate in reversed(rates)] == sizes[1:-1]
    assert same_state(before, network.state_dict())
    assert all(parameter.requires_grad for parameter in network.parameters())
    assert network.classifier.out_features == 9


def test_no_time_means_no_rates() -> None:
    assert tail_rates(small_network(), small_pixels(), 3, 4, CPU, -1) == ()


@pytest.mark.parametrize("seconds", [-1, 60])
def test_frozen_stages_by_hand_are_measured_in_any_case_and_alone(seconds: float) -> None:
    network = small_network()
    for stage in (1, 9, len(network.stages()) - 1):
        (rate,) = tail_rates(network, small_pixels(), 3, 4, CPU, seconds, {"frozen_stages": stage})
        assert rate.frozen_stages == stage
        assert rate.images_per_second > 0


@pytest.mark.parametrize("pretrained", [True, False])
def test_the_whole_network(sample: Sample, pretrained: bool) -> None:
    network = small_network()
    before = state_of(network)
    rate = whole_rate(network, small_pixels(), 3, 4, CPU, sample, Policy(True), pretrained, 60)
    assert rate.frozen_stages == 0
    assert rate.activation_size == 3 * 64 * 64
    assert 0 < rate.images_per_second < augmented_per_second(sample, small_pixels(), Policy(True)) * 3
    assert same_state(before, network.state_dict())
    assert not network.training


@pytest.mark.parametrize(
    ("speeds", "best"),
    [
        ({}, (1, True)),
        ({(2, True): 1.04, (1, False): 1.2}, (1, False)),
        ({(2, True): 1.06, (1, False): 1.2}, (2, True)),  # beside two lanes the other layout gains nothing
        ({(2, True): 1.5, (2, False): 1.6}, (2, True)),
        ({(2, True): 1.5, (2, False): 1.7}, (2, False)),
    ],
)
def test_what_is_faster_by_enough_is_taken(
    monkeypatch: pytest.MonkeyPatch, sample: Sample, speeds: dict[tuple[int, bool], float], best: tuple[int, bool]
) -> None:
    def speed(_: object, trainer: Trainer, __: torch.Tensor) -> float:
        recipe = trainer.recipe
        return 100 * speeds.get((recipe.lanes, recipe.channels_last), 1.0) * (recipe.precision == "float32")

    monkeypatch.setattr(throughput, "available_cores", lambda: 2)
    monkeypatch.setattr(throughput._Bench, "_images_per_second", speed)
    rate = whole_rate(small_network(), small_pixels(), 3, 4, CPU, sample, Policy(True), True, 60)
    assert (rate.precision, rate.lanes, rate.channels_last) == ("float32", *best)


def test_what_was_chosen_by_hand_is_what_is_measured(monkeypatch: pytest.MonkeyPatch, sample: Sample) -> None:
    measured: list[tuple[object, ...]] = []

    def speed(_: object, trainer: Trainer, __: torch.Tensor) -> float:
        recipe = trainer.recipe
        measured.append((recipe.precision, recipe.lanes, recipe.channels_last, recipe.optimiser))
        return 100.0 * (recipe.lanes > 1)

    monkeypatch.setattr(throughput, "available_cores", lambda: 2)
    monkeypatch.setattr(throughput._Bench, "_images_per_second", speed)
    chosen = {"precision": "float32", "lanes": 3, "channels_last": False, "optimiser": "sgd"}
    rate = whole_rate(small_network(), small_pixels(), 3, 4, CPU, sample, Policy(True), True, 60, chosen)
    assert measured == [("float32", 3, False, "sgd")]
    rates = tail_rates(small_network(), small_pixels(), 3, 4, CPU, 60, {"channels_last": False})
    assert {(each.lanes, each.channels_last) for each in rates} == {(2, False)}
    assert (rate.lanes, rate.channels_last) == (3, False)


def test_a_teacher_is_asked_in_each_step(sample: Sample) -> None:
    asked = []

    def teacher(images: torch.Tensor) -> torch.Tensor:
        asked.append(len(images))
        return torch.zeros(len(images), 3)

    whole_rate(small_network(), small_pixels(), 3, 4, CPU, sample, Policy(True), True, -1, {"lanes": 1}, teacher)
    assert asked == [4, 4]  # a step that warms up, and one that is timed


@pytest.mark.parametrize(("cores", "batch", "lanes"), [(32, 64, 32), (32, 8, 8), (2, 64, 2)])
def test_lanes_are_tried_on_many_cores_too(
    monkeypatch: pytest.MonkeyPatch, sample: Sample, cores: int, batch: int, lanes: int
) -> None:
    monkeypatch.setattr(throughput, "available_cores", lambda: cores)
    monkeypatch.setattr(throughput._Bench, "_images_per_second", lambda _, trainer, __: float(trainer.recipe.lanes))
    network = create("lenet5")
    rate = whole_rate(network, entry("lenet5").pixels, 3, batch, CPU, sample, Policy(True), True, 60)
    assert rate.lanes == lanes


def test_several_processes_have_one_lane_each(monkeypatch: pytest.MonkeyPatch, sample: Sample) -> None:
    monkeypatch.setattr(throughput._Bench, "_images_per_second", lambda _, trainer, __: float(trainer.recipe.lanes))
    monkeypatch.setattr(throughput, "available_cores", lambda: 2)
    for several, lanes in ((False, 2), (True, 1)):
        if several:
            monkeypatch.setenv("TORCHELASTIC_RUN_ID", "one")
            monkeypatch.setenv("WORLD_SIZE", "2")
        rate = whole_rate(small_network(), small_pixels(), 3, 4, CPU, sample, Policy(True), True, 60)
        assert rate.lanes == lanes


def test_a_gray_network(sample: Sample) -> None:
    network, pixels = create("lenet5"), entry("lenet5").pixels
    assert whole_rate(network, pixels, 3, 4, CPU, sample, Policy(True), False, 60).images_per_second > 0
    assert augmented_per_second(sample, pixels, Policy(False)) > 0


@pytest.mark.parametrize(("cores", "decoding", "cutting"), [(1, 2, 2), (2, 2, 2), (6, 6, 4), (64, 8, 4)])
def test_many_cores_do_not_mean_as_many_threads(
    monkeypatch: pytest.MonkeyPatch, cores: int, decoding: int, cutting: int
) -> None:
    monkeypatch.setattr(sources, "available_cores", lambda: cores)
    assert sources.view_threads(decoding=True) == decoding
    assert sources.view_threads(decoding=False) == cutting
