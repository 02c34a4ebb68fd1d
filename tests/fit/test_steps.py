"""Does a step change what it should, and nothing else?"""

from __future__ import annotations

import pytest
import torch
from small_networks import normal, small_network, small_pixels, state_of, without_chance
from torch import Tensor, nn
from toy_training import trainer_of

from linne.fit.optimise import Trainer
from linne.fit.tail import Tail
from linne.nets import create
from linne.records.errors import LinneError
from linne.records.recipe import Recipe


def steps(network: nn.Module, stage: int, inputs: Tensor, **changes: object) -> Trainer:
    pretrained = bool(changes.pop("pretrained", True))
    recipe = Recipe(**{"method": "whole", "learning_rate": 1e-2, "label_smoothing": 0.1, **changes})
    trainer = trainer_of(Tail(network, stage), recipe, pretrained)
    for step in range(3):
        trainer.step(inputs, torch.arange(len(inputs)) % 3, 0.3 + step / 10, (0, step))
    return trainer


@pytest.mark.parametrize("pretrained", [True, False])
def test_batch_norms_keep_their_statistics_only_where_pretrained(pretrained: bool) -> None:
    network = small_network(classes=3)
    before = state_of(network)
    steps(network, 0, torch.from_numpy(normal(4, 3, 64, 64)), pretrained=pretrained)
    statistics = [key for key in before if "running" in key]
    assert statistics
    same = [torch.equal(network.state_dict()[key], before[key]) for key in statistics]
    assert all(same) if pretrained else not any(same)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_frozen_stages_stay_bit_for_bit_and_the_rest_moves(precision: str) -> None:
    network, frozen = small_network(classes=3), 16
    before = state_of(network)
    steps(network, frozen, torch.from_numpy(normal(4, 56, 2, 2)), precision=precision)
    stages = network.stages()
    after = network.state_dict()
    names = {id(value): key for key, value in network.state_dict(keep_vars=True).items()}
    for place, stage in enumerate(stages):
        for parameter in stage.parameters():
            key = names[id(parameter)]
            assert torch.equal(after[key], before[key]) == (place < frozen), key
    assert not torch.equal(after["classifier.weight"], before["classifier.weight"])
    assert all(value.dtype == torch.float32 for key, value in after.items() if "tracked" not in key)


@pytest.mark.parametrize("lanes", [1, 2])
@pytest.mark.parametrize("kind", [torch.uint8, torch.float32])
def test_where_channels_lie_changes_rounding_alone(kind: torch.dtype, lanes: int) -> None:
    inputs = (torch.from_numpy(normal(4, 3, 64, 64)).clamp(0, 1) * 255).to(kind)
    inputs = inputs.contiguous(memory_format=torch.channels_last)
    found = []
    for channels_last in (True, False):
        network, seen = without_chance(small_network(classes=3)), []
        network.stages()[1].register_forward_pre_hook(lambda _, given, seen=seen: seen.append(given[0]))
        steps(network, 0, inputs, channels_last=channels_last, lanes=lanes, optimiser="sgd")
        assert len(seen) == 3 * lanes
        assert all(x.is_contiguous(memory_format=torch.channels_last) == channels_last for x in seen)
        assert network.stages()[0][0].weight.is_contiguous(memory_format=torch.channels_last) == channels_last
        found.append(state_of(network))
    for name, value in found[0].items():
        torch.testing.assert_close(found[1][name], value, rtol=1e-3, atol=1e-4)


def test_inputs_that_grow_are_normalised_at_every_size() -> None:
    """As on a GPU, where batches come as intensities and are normalised by the trainer."""
    network = without_chance(small_network(classes=3))
    trainer = trainer_of(Tail(network, 0), Recipe("whole"))
    pixels, spec = torch.randint(0, 256, (4, 3, 96, 96), dtype=torch.uint8), small_pixels()
    for height, width in ((32, 64), (64, 64), (96, 96), (64, 32)):
        images = pixels[:, :, :height, :width].contiguous(memory_format=torch.channels_last)
        mean, std = (torch.tensor(values)[:, None, None] for values in (spec.mean, spec.std))
        torch.testing.assert_close(trainer._on_device(images), (images / 255 - mean) / std, atol=1e-5, rtol=1e-5)
        assert torch.isfinite(trainer.step(images, torch.arange(4) % 3, 0.5, (0,)))


@pytest.mark.parametrize(("images", "accumulation"), [(1, 1), (4, 4)])
def test_a_batch_norm_cannot_be_trained_by_one_value(images: int, accumulation: int) -> None:
    module = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(2), nn.Linear(2, 2))
    trainer = trainer_of(module, Recipe("scratch", accumulation=accumulation), pretrained=False)
    with pytest.raises(LinneError) as caught:
        trainer.step(torch.from_numpy(normal(images, 2, 1, 1)), torch.zeros(images, dtype=torch.int64), 0.5, (0,))
    assert caught.value.value == f"{images} images in {accumulation} parts"


@pytest.mark.parametrize(("steps", "share"), [(1, 1.0), (9, 1.0), (10, 0.02), (100, 0.02)])
def test_a_training_of_few_steps_is_not_warmed_up(steps: int, share: float) -> None:
    trainer = trainer_of(nn.Linear(2, 2), Recipe("whole", learning_rate=0.5, warm_up=0.1), steps=steps)
    assert trainer.rate_at(0.0) == pytest.approx(0.5 * share)


def test_predictions_know_no_tf32() -> None:
    seen = []
    network = small_network(classes=3)
    network.classifier.register_forward_hook(lambda *_: seen.append(torch.backends.cudnn.conv.fp32_precision))
    before = torch.backends.cudnn.conv.fp32_precision
    trainer = trainer_of(Tail(network, 16), Recipe("stages"))
    trainer.step(torch.zeros(2, 56, 2, 2), torch.arange(2), 0.5, (0,))
    trainer.predict(torch.zeros(2, 56, 2, 2))
    assert seen == [before, "ieee"]
    assert torch.backends.cudnn.conv.fp32_precision == before


def test_predictions_do_not_depend_on_training_mode_or_dropout() -> None:
    network, images = small_network(classes=3), torch.from_numpy(normal(4, 3, 64, 64))
    trainer = steps(network, 0, images)
    one, other = trainer.predict(images), trainer.predict(images)
    assert torch.equal(one, other)
    torch.testing.assert_close(trainer.predict(images[:2]), one[:2], rtol=1e-3, atol=1e-4)


def test_a_lenet_learns_from_a_random_start() -> None:
    torch.manual_seed(0)
    network = create("lenet5", classes=2)
    images = torch.from_numpy(normal(32, 1, 32, 32))
    images[::2] += 1
    labels = torch.arange(32) % 2
    trainer = trainer_of(Tail(network, 0), Recipe("scratch", learning_rate=2e-3, label_smoothing=0.0), pretrained=False)
    losses = [float(trainer.step(images, labels, 0.2, (0, step))) for step in range(40)]
    assert losses[-1] < 0.1 < losses[0]
