"""Does a student learn what a teacher says, whatever the order of classes, the size and the colour it sees?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from small_networks import normal, small_network, small_pixels
from torch import nn
from toy_training import trainer_of

from linne.fit.tail import Tail
from linne.fit.teacher import Teacher, keep_two_heads
from linne.nets import create
from linne.pixels.prepare import normalise
from linne.records.pixel_spec import PixelSpec
from linne.records.recipe import Recipe

CPU = torch.device("cpu")
GRAY = replace(small_pixels(32), channels=1, mean=(0.4,), std=(0.3,))
COLOUR = replace(small_pixels(32), mean=(0.1, 0.5, 0.6), std=(0.2, 0.3, 0.4))


class Averages(nn.Module):
    """Nine means of the input as logits, and what it was given."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.seen = images
        return F.adaptive_avg_pool2d(images.mean(1, keepdim=True), 3).flatten(1)


def intensities(channels: int, side: int = 32) -> np.ndarray:
    """``(4, side, side, channels)`` uint8."""
    return np.random.default_rng(0).integers(0, 256, (4, side, side, channels), dtype=np.uint8)


def inputs(pixels: np.ndarray, spec: PixelSpec) -> torch.Tensor:
    return torch.from_numpy(np.stack([normalise(each.transpose(2, 0, 1), spec) for each in pixels]))


@pytest.mark.parametrize(("own", "seen"), [(COLOUR, small_pixels(32)), (small_pixels(32), COLOUR), (GRAY, GRAY)])
def test_a_teacher_sees_its_own_normalisation(own: PixelSpec, seen: PixelSpec) -> None:
    network, pixels = Averages(), intensities(own.channels)
    Teacher(network, own, seen, range(9), CPU)(inputs(pixels, seen))
    torch.testing.assert_close(network.seen, inputs(pixels, own), rtol=1e-4, atol=1e-4)


def test_a_gray_teacher_sees_the_luma_that_pillow_gives() -> None:
    network, pixels = Averages(), intensities(3)
    Teacher(network, GRAY, COLOUR, range(9), CPU)(inputs(pixels, COLOUR))
    gray = np.stack([np.asarray(Image.fromarray(each).convert("L"))[:, :, None] for each in pixels])
    torch.testing.assert_close(network.seen, inputs(gray, GRAY), rtol=0, atol=1.1 / 255 / 0.3)  # Pillow rounds


def test_a_teacher_of_colour_sees_a_gray_student_in_gray() -> None:
    network, pixels = Averages(), intensities(1)
    Teacher(network, COLOUR, GRAY, range(9), CPU)(inputs(pixels, GRAY))
    torch.testing.assert_close(network.seen, inputs(pixels.repeat(3, 3), COLOUR), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("side", [16, 48])
def test_a_teacher_of_another_size_sees_the_same_resized(side: int) -> None:
    network, own = Averages(), replace(COLOUR, height=side, width=side, resize=side)
    images = inputs(intensities(3), COLOUR)
    found = Teacher(network, own, COLOUR, range(9), CPU)(images)
    expected = F.interpolate(images, (side, side), mode="bilinear", antialias=True)
    torch.testing.assert_close(network.seen, expected, rtol=1e-4, atol=1e-4)
    assert found.shape == (4, 9)


def test_answers_are_in_the_students_order_and_cost_no_gradient() -> None:
    network = small_network(classes=5)
    images, order = torch.from_numpy(normal(3, 3, 64, 64)), [3, 0, 4]
    found = Teacher(network, small_pixels(), small_pixels(), order, CPU)(images.requires_grad_())
    with torch.no_grad():
        expected = network(images)[:, order]
    torch.testing.assert_close(found, expected)
    assert not found.requires_grad
    assert not any(parameter.requires_grad for parameter in network.parameters())


class Linear(nn.Module):
    """Sixteen numbers an image to three classes."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.layer = nn.Linear(16, 3)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.layer(images.flatten(1))


@pytest.mark.parametrize("temperature", [2.0, None])
def test_a_student_learns_the_teachers_classes_and_not_the_labels(temperature: float | None) -> None:
    spec = replace(small_pixels(4), channels=1, mean=(0.5,), std=(0.5,))
    images, order = torch.from_numpy(normal(400, 1, 4, 4)), [2, 0, 1]
    network = Linear(1)
    network.layer.weight.data *= 8  # it is sure
    with torch.no_grad():
        truth = network(images)[:, order].argmax(1)
    recipe = Recipe("whole", learning_rate=3e-2, weight_decay=0, teacher_share=1.0, teacher_temperature=temperature)
    student = Linear(2)
    teacher = Teacher(network, spec, spec, order, CPU)
    taught = trainer_of(student, recipe, steps=200, teacher=teacher)
    before = (student(images).argmax(1) == truth).float().mean()
    for step in range(200):
        wrong = (truth[:200] + 1) % 3  # labels that contradict the teacher
        taught.step(images[:200], wrong, 0.3, (0, step))
    after = (taught.predict(images[200:]).argmax(1) == truth[200:]).float().mean()
    assert before < 0.7
    assert after > 0.8


def small_deit(classes: int) -> nn.Module:
    torch.manual_seed(0)
    network = create("deit_tiny_distilled", classes=7)
    network.replace_head(classes)
    return network


def test_two_heads_together_say_what_the_one_did() -> None:
    network, images = small_deit(3).eval(), torch.from_numpy(normal(2, 3, 64, 64))
    nn.init.normal_(network.classifier.bias)
    with torch.no_grad():
        expected = network(images)
        keep_two_heads(network, 3)
        torch.testing.assert_close(network(images), expected, rtol=1e-4, atol=1e-5)
        label, teacher = network.forward_heads(network.forward_features(images))
    assert label.shape == teacher.shape == (2, 3)


def test_each_of_two_heads_learns_from_its_own() -> None:
    """One step: with all the weight on the teacher, the labels' head has no gradient to move it, and the reverse."""
    for share, still, moved in ((1.0, "label", "teacher"), (0.0, "teacher", "label")):
        network = small_deit(3)
        keep_two_heads(network, 3)
        before = {name: getattr(network.classifier, name).weight.detach().clone() for name in ("label", "teacher")}
        recipe = Recipe("whole", learning_rate=1e-3, weight_decay=0, clip=0, teacher_share=share)
        answers = torch.tensor([[9.0, 0, 0], [0, 9.0, 0]])
        trainer = trainer_of(Tail(network, 0, both_heads=True), recipe, teacher=lambda images, given=answers: given)
        trainer.step(torch.from_numpy(normal(2, 3, 32, 32)), torch.tensor([2, 2]), 0.5, (0,))
        assert torch.equal(getattr(network.classifier, still).weight, before[still])
        assert not torch.equal(getattr(network.classifier, moved).weight, before[moved])
        assert trainer.predict(torch.zeros(2, 3, 32, 32)).shape == (2, 3)


def test_a_network_of_one_head_keeps_it() -> None:
    network = small_network(classes=3)
    classifier = network.classifier
    keep_two_heads(network, 3)
    assert network.classifier is classifier
