"""Are mixed images and losses those of torchvision's MixUp and CutMix?"""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torchvision.transforms import v2
from toy_training import trainer_of

from linne.fit.draw import rng_of
from linne.fit.mixing import CUTMIX_ALPHA, MIXUP_ALPHA, Mix, mix_of
from linne.records.recipe import Recipe

CLASSES = 5


class Given(nn.Module):
    """Gives its own logits, whatever it sees."""

    def __init__(self, logits: torch.Tensor) -> None:
        super().__init__()
        self.logits = nn.Parameter(logits.clone())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.logits


def mixed_loss(
    images: torch.Tensor, logits: torch.Tensor, labels: torch.Tensor, mix: Mix, smoothing: float
) -> torch.Tensor:
    """What a step reports, of logits that the network happens to give."""
    trainer = trainer_of(Given(logits), Recipe("whole", label_smoothing=smoothing))
    return trainer.step(images, labels, 0.5, (0,), mix)


def batch() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(6, 3, 20, 30, generator=generator)
    return images, torch.tensor([0, 1, 2, 3, 4, 0]), torch.randn(6, CLASSES, generator=generator)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_mixup_is_torchvisions(share: float, smoothing: float) -> None:
    images, labels, logits = batch()
    reference = v2.MixUp(num_classes=CLASSES)
    given = {"labels": labels, "batch_size": 6, "lam": share}
    expected, soft = reference.transform(images, given), reference.transform(labels, given)
    mixed, own = Mix(share, None).images(images, images.roll(1, 0))
    torch.testing.assert_close(mixed, expected)
    assert own == share
    found = mixed_loss(images, logits, labels, Mix(share, None), smoothing)
    torch.testing.assert_close(found, F.cross_entropy(logits, soft, label_smoothing=smoothing))


@pytest.mark.parametrize("box", [(0.0, 0.0, 0.5, 0.5), (0.25, 0.1, 0.8, 1.0), (0.3, 0.3, 0.3, 0.3), (0, 0, 1, 1)])
def test_cutmix_is_torchvisions(box: tuple[float, float, float, float]) -> None:
    images, labels, logits = batch()
    reference = v2.CutMix(num_classes=CLASSES)
    top, left, bottom, right = int(box[0] * 20), int(box[1] * 30), int(box[2] * 20), int(box[3] * 30)
    share = 1 - (bottom - top) * (right - left) / 600
    given = {"labels": labels, "batch_size": 6, "lam_adjusted": share, "box": (left, top, right, bottom)}
    expected, soft = reference.transform(images, given), reference.transform(labels, given)
    mixed, own = Mix(0.123, box).images(images, images.roll(1, 0))
    assert own == pytest.approx(share)
    assert torch.equal(mixed, expected)
    found = mixed_loss(images, logits, labels, Mix(0.123, box), 0.1)
    torch.testing.assert_close(found, F.cross_entropy(logits, soft, label_smoothing=0.1))


def test_draws_depend_on_seed_epoch_and_batch_and_follow_the_distributions() -> None:
    drawn = [mix_of(0, epoch, number) for epoch in range(20) for number in range(100)]
    assert drawn == [mix_of(0, epoch, number) for epoch in range(20) for number in range(100)]
    assert len(set(drawn)) == 2000
    assert mix_of(0, 0, 0) != mix_of(1, 0, 0)
    over, cut = ([mix.share for mix in drawn if (mix.box is None) == laid] for laid in (True, False))
    assert 900 < len(over) < 1100
    for shares, alpha in ((over, MIXUP_ALPHA), (cut, CUTMIX_ALPHA)):
        assert np.mean(shares) == pytest.approx(0.5, abs=0.05)
        assert np.var(shares) == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.1)
    for mix in drawn:
        if mix.box is not None:
            top, left, bottom, right = mix.box
            assert 0 <= top <= bottom <= 1 >= right >= left >= 0
            assert (bottom - top) * (right - left) <= 1 - mix.share + 1e-9


def test_the_draws_of_a_batch_are_not_those_of_an_image() -> None:
    assert mix_of(0, 1, 7).share != rng_of(0, 1, 7).betavariate(MIXUP_ALPHA, MIXUP_ALPHA)
