"""Is the lean ReLU6 torch's?"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from linne.fit.lanes import Lane
from linne.fit.lean import LeanReLU6, lean_activations
from linne.nets.blocks.conv_norm_act import ConvNormAct, relu6
from linne.nets.build import create

EDGES = torch.tensor([-torch.inf, -1.0, -0.0, 0.0, 1e-30, 3.0, 5.999, 6.0, 6.001, torch.inf, torch.nan])


def _through(layer: nn.Module, values: Tensor) -> tuple[Tensor, Tensor]:
    """What a layer gives, and the gradient of its input."""
    leaf = values.clone().requires_grad_()
    out = layer(leaf * 1.0)  # a leaf cannot be worked on in place
    out.backward(torch.linspace(-2, 3, values.numel()).reshape(values.shape))
    assert leaf.grad is not None
    return out.detach(), leaf.grad


def test_values_and_gradients_are_torchs_at_every_edge() -> None:
    for ours, theirs in zip(_through(LeanReLU6(), EDGES), _through(nn.ReLU6(inplace=True), EDGES), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=0, equal_nan=True)


def test_what_is_kept_for_the_gradient_is_the_output_itself() -> None:
    def kept(layer: nn.Module) -> tuple[list[int], int]:
        saved: list[int] = []
        with torch.autograd.graph.saved_tensors_hooks(lambda x: saved.append(x.data_ptr()) or x, lambda x: x):
            out = layer(torch.randn(4, requires_grad=True) * 1.0)
        return saved[-1:], out.data_ptr()

    saved, out = kept(LeanReLU6())
    assert saved == [out]
    copied, out = kept(nn.ReLU6(inplace=True))
    assert copied != [out]


@pytest.mark.parametrize("name", ["mobilenet_v1", "mobilenet_v2", "efficientnet_lite0"])
def test_a_network_is_trained_bit_for_bit_as_without_it(name: str) -> None:
    network = create(name, classes=3)
    lane = Lane(network, fixed_norms=False)
    assert not any(type(part) is nn.ReLU6 for part in lane.module.modules())
    assert any(type(part) is nn.ReLU6 for part in network.modules())  # the network itself stays as it is
    images = torch.randn(4, 3, 64, 64, generator=torch.Generator().manual_seed(0))

    def gradients(module: nn.Module) -> list[Tensor]:
        torch.manual_seed(0)  # of dropout
        return list(torch.autograd.grad(module.train()(images).square().sum(), list(module.parameters())))

    plain = create(name, classes=3)
    plain.load_state_dict(network.state_dict())
    before = gradients(plain)
    lean_activations(plain)
    for one, other in zip(before, gradients(plain), strict=True):
        assert torch.equal(one, other)


def test_others_stay() -> None:
    layers = nn.Sequential(nn.ReLU6(inplace=True), ConvNormAct(3, 3, 1), ConvNormAct(3, 3, 1, act=relu6))
    lean_activations(layers)
    assert [type(part) for part in layers.modules() if "ReLU" in type(part).__name__] == [
        nn.ReLU6,
        nn.ReLU,
        LeanReLU6,
    ]
