"""Are DeiT's two heads there for a teacher, and one where they are replaced?"""

from __future__ import annotations

import pytest
import torch
from families import images_for, lively_network
from references import references
from torch import nn

from linne.records.errors import LinneError

NAME = "deit_tiny_distilled"


@torch.no_grad()
def test_both_heads_in_training_are_timms() -> None:
    reference = next(found for found in references() if found.name == NAME)
    theirs = reference.build().train()
    ours = reference.ours(theirs).train()
    theirs.set_distilled_training(True)
    images = images_for(NAME, pixels=224)
    for expected, found in zip(theirs(images), ours.forward_heads(ours.forward_features(images)), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_the_logits_are_the_mean_of_both_heads() -> None:
    network = lively_network(NAME, classes=5)
    features = network.forward_features(images_for(NAME))
    label, teacher = network.forward_heads(features)
    assert label.shape == teacher.shape == (2, 5)
    assert not torch.allclose(label, teacher)
    assert torch.equal(network.forward_head(features), (label + teacher) / 2)


@torch.no_grad()
def test_each_head_reads_its_own_token() -> None:
    network = lively_network(NAME, classes=5)
    features = network.forward_features(images_for(NAME))
    other = features.clone()
    other[:, 1] = 0.0
    assert torch.equal(network.forward_heads(features)[0], network.forward_heads(other)[0])
    expected = network.classifier.teacher.bias.expand(2, 5)
    assert torch.equal(network.forward_heads(other)[1], expected)


def test_a_replaced_head_is_one_that_reads_both_tokens() -> None:
    network = lively_network(NAME)
    network.replace_head(5)
    assert isinstance(network.classifier, nn.Linear)
    assert network.classifier.in_features == 2 * network.config.width
    with pytest.raises(LinneError, match="replaced"):
        network.forward_heads(network.forward_features(images_for(NAME)))
