"""Does ONNX Runtime give what PyTorch gives, at any batch size?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from small_networks import SMALL, lively, normal
from torch import nn

from linne.embed.backbone import Features
from linne.nets import create
from linne.nets.to_onnx import to_onnx
from linne.runtime.session import Session

CASES = {"lenet5": (1, 32), SMALL: (3, 64)}


@pytest.fixture(scope="module", params=CASES)
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[nn.Module, Path, tuple]:
    torch.manual_seed(0)
    network = create(request.param, classes=7)
    lively(network)
    channels, side = CASES[request.param]
    path = tmp_path_factory.mktemp("onnx") / "model.onnx"
    to_onnx(network, torch.zeros(1, channels, side, side), path, ["logits"])
    return network, path, (channels, side, side)


@pytest.mark.parametrize("batch", [1, 3, 32])
def test_equal_at_every_batch_size(exported: tuple[nn.Module, Path, tuple], batch: int) -> None:
    network, path, shape = exported
    images = normal(batch, *shape)
    with torch.inference_mode():
        expected = network(torch.from_numpy(images)).numpy()
    (found,) = Session(path).run(images)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_the_file_stands_alone(exported: tuple[nn.Module, Path, tuple]) -> None:
    network, path, _ = exported
    assert [other.name for other in path.parent.iterdir()] == [path.name]
    assert path.stat().st_size > 4 * sum(p.numel() for p in network.parameters() if p.ndim > 1)


def test_several_outputs_keep_their_order(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = create(SMALL)
    lively(network)
    module, images = Features(network, stage=3), normal(2, 3, 64, 64)
    to_onnx(module, torch.zeros(1, 3, 64, 64), tmp_path / "two.onnx", ["features", "activations"])
    with torch.inference_mode():
        expected = module(torch.from_numpy(images))
    for one, other in zip(Session(tmp_path / "two.onnx").run(images), expected, strict=True):
        np.testing.assert_allclose(one, other.numpy(), rtol=1e-4, atol=1e-5)


def test_branches_are_folded_but_not_the_networks_own(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = create("fastvit_t8", classes=7)
    lively(network)
    before = list(network.state_dict())
    to_onnx(network, torch.zeros(1, 3, 64, 64), tmp_path / "fastvit.onnx", ["logits"])
    assert list(network.state_dict()) == before
    images = normal(2, 3, 64, 64)
    with torch.inference_mode():
        expected = network(torch.from_numpy(images))
        network.reparameterise()
        to_onnx(network, torch.zeros(1, 3, 64, 64), tmp_path / "folded.onnx", ["logits"])
    (found,) = Session(tmp_path / "fastvit.onnx").run(images)
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-4, atol=1e-4)
    assert (tmp_path / "fastvit.onnx").stat().st_size == (tmp_path / "folded.onnx").stat().st_size


def test_the_network_is_left_as_it_was(tmp_path: Path) -> None:
    network = create("lenet5").train()
    network.c3.eval()  # frozen, say
    before = {name: module.training for name, module in network.named_modules()}
    images = torch.from_numpy(normal(2, 1, 32, 32)).requires_grad_()
    to_onnx(network, torch.zeros(1, 1, 32, 32), tmp_path / "model.onnx", ["logits"])
    assert {name: module.training for name, module in network.named_modules()} == before
    network(images).sum().backward()
    assert images.grad is not None
