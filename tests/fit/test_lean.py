"""Is the lean ReLU6 torch's?"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from linne.fit.lanes import Lane
from linne.fit.lean import LeanReLU6, lean_activations
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


def test_nothing_is_copied() -> None:
    inputs = torch.randn(4, requires_grad=True) * 1.0
    assert LeanReLU6()(inputs).data_ptr() == inputs.data_ptr()


def test_a_network_is_trained_bit_for_bit_as_without_it() -> None:
    network = create("mobilenet_v2", classes=3)
    lane = Lane(network, fixed_norms=False)
    assert not any(type(part) is nn.ReLU6 for part in lane.module.modules())
    assert any(type(part) is nn.ReLU6 for part in network.modules())  # the network itself stays as it is
    images = torch.randn(4, 3, 64, 64, generator=torch.Generator().manual_seed(0))

    def gradients(module: nn.Module) -> list[Tensor]:
        torch.manual_seed(0)  # of dropout
        return list(torch.autograd.grad(module.train()(images).square().sum(), list(module.parameters())))

    plain = create("mobilenet_v2", classes=3)
    plain.load_state_dict(network.state_dict())
    before = gradients(plain)
    lean_activations(plain)
    for one, other in zip(before, gradients(plain), strict=True):
        assert torch.equal(one, other)


def test_others_stay() -> None:
    layers = nn.Sequential(nn.ReLU6(), nn.ReLU(inplace=True), nn.Sequential(nn.ReLU6(inplace=True)))
    lean_activations(layers)
    assert [type(part) for part in layers.modules() if not isinstance(part, nn.Sequential)] == [
        nn.ReLU6,
        nn.ReLU,
        LeanReLU6,
    ]
