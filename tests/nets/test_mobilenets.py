"""Are MobileNets equal where it shows: with norms that keep the differences between images alive to the last layer?

Depthwise convolutions and norms drawn at random shrink what depends on the image by half in each of their many
blocks, and what remains behind the last is the biases. Trained networks do not: their norms know the variances.
"""

from __future__ import annotations

import pytest
import torch
from references import SLOW, Reference, noise, references, settle
from torch import Tensor, nn

from linne.nets.catalogue import entry
from linne.nets.translate.mobilenet_v3 import TORCHVISION
from linne.nets.translate.rules import translate

SIDE = 96


def _cases() -> list[object]:
    found = [reference for reference in references() if entry(reference.name).family.startswith("mobilenet_v")]
    return [
        pytest.param(
            reference,
            marks=[pytest.mark.slow] if entry(reference.name).parameters > SLOW else [],
            id=f"{reference.name}-{reference.project}",
        )
        for reference in found
    ]


@pytest.mark.parametrize("reference", _cases())
def test_logits_and_gradients_are_equal_with_settled_norms(reference: Reference) -> None:
    theirs = reference.build()
    settle(theirs, noise(8, 3, SIDE, SIDE, seed=3))
    ours = reference.ours(theirs)
    images = noise(2, 3, SIDE, SIDE)
    found = []
    for network in (theirs, ours):
        network.requires_grad_(True)
        logits = network(images)
        (logits * noise(*logits.shape, seed=2)).sum().backward()
        found.append((logits.detach(), {key: p.grad for key, p in network.named_parameters()}))
    (expected, theirs_grad), (logits, gradients) = found
    assert (expected[0] - expected[1]).std() > 0.1 * expected.std(), "the logits do not depend on the image"
    assert _apart(logits, expected) <= 1e-4
    named = translate(theirs_grad, entry(reference.name).family, reference.project)
    assert named is not None
    assert named.keys() == gradients.keys()
    assert {key for key in named if _apart(gradients[key], named[key]) > 1e-3} == set()


def test_a_channel_that_never_changes_is_read_from_torchvision() -> None:
    """Torchvision's third network adds 1e-3 to variances, not 1e-5: it is most of the sum where they are nearly 0."""
    torch.manual_seed(0)
    theirs = nn.BatchNorm2d(5, eps=1e-3)
    ours = nn.BatchNorm2d(5)
    theirs.running_var.copy_(torch.tensor([0.0, 1e-9, 1e-5, 1e-2, 4.0]))
    layout = next(rule.layout for rule in TORCHVISION if rule.pattern.endswith("running_var"))
    ours.load_state_dict({**theirs.state_dict(), "running_var": layout(theirs.running_var)})
    x = noise(2, 5, 3, 3)
    torch.testing.assert_close(ours.eval()(x), theirs.eval()(x), rtol=1e-5, atol=0)


def _apart(found: Tensor, expected: Tensor) -> float:
    return float((found - expected).abs().max() / expected.abs().max())
