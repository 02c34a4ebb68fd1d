"""Do blocks that are written otherwise than in PyTorch compute the same, backwards too?"""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from families import images_for
from references import noise
from torch import Tensor, nn

from linne.nets import create
from linne.nets.blocks.attend import attend
from linne.nets.blocks.linear import Linear
from linne.nets.blocks.local_response_norm import LocalResponseNorm
from linne.nets.blocks.windows import offsets_of_distances


def gradients(out: Tensor, *inputs: Tensor) -> tuple[Tensor, ...]:
    return torch.autograd.grad((out * torch.linspace(-1, 1, out.numel()).reshape(out.shape)).sum(), inputs)


@pytest.mark.parametrize("maps", [1, 2, 5, 16])
@pytest.mark.parametrize("window", [1, 3, 5])
def test_local_response_norm_is_that_of_pytorch(maps: int, window: int) -> None:
    x = (10 * noise(2, maps, 5, 7)).requires_grad_()
    ours = LocalResponseNorm(window, alpha=0.01, k=2.0)(x)
    theirs = nn.LocalResponseNorm(window, alpha=0.01 * window, beta=0.75, k=2.0)(x)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(gradients(ours, x), gradients(theirs, x))


@pytest.mark.parametrize("queries", [1, 12])
def test_attention_is_that_of_pytorch(queries: int) -> None:
    query, key, value = noise(2, 3, queries, 8), noise(2, 3, 12, 8, seed=1), noise(2, 3, 12, 32, seed=2)
    given = [x.requires_grad_() for x in (query, key, value, noise(1, 3, queries, 12, seed=3))]
    ours, theirs = attend(*given), F.scaled_dot_product_attention(*given)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(gradients(ours, *given), gradients(theirs, *given))


@pytest.mark.parametrize(
    "name",
    [
        "vit_tiny_16",
        "deit_tiny",
        "swin_tiny",
        "swin_v2_tiny",
        "coatnet_0",
        "maxvit_tiny",
        "mobilevit_xxs",
        "fastvit_sa12",
    ],
)
def test_attention_goes_through_the_fused_function(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once a block of attention; LeViT's is written out on CPUs, where that is faster (`attend`)."""
    calls = []
    fused = F.scaled_dot_product_attention

    def counted(*args: Any, **kwargs: Any) -> Tensor:
        calls.append(args[0].shape)
        return fused(*args, **kwargs)

    monkeypatch.setattr(F, "scaled_dot_product_attention", counted)
    network = create(name)
    network(images_for(name))
    assert len(calls) == sum("ttention" in type(module).__name__ for module in network.modules()) > 0


def test_distances_become_offsets() -> None:
    table = torch.tensor([[[0.0, 1.0, 2.0], [10.0, 11.0, 12.0]]])
    expected = torch.tensor([[[12.0, 11, 10, 11, 12], [2, 1, 0, 1, 2], [12, 11, 10, 11, 12]]])
    assert torch.equal(offsets_of_distances(table), expected)
    assert torch.equal(offsets_of_distances(torch.ones(2, 1, 1)), torch.ones(2, 1, 1))


@pytest.mark.parametrize("shape", [(5, 8), (2, 7, 8), (2, 5, 3, 8), (2, 3, 2, 5, 4, 8), (0, 7, 8)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("bias", [True, False])
def test_linear_is_that_of_pytorch(
    shape: tuple[int, ...], dtype: torch.dtype, bias: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the convolution too, whatever processor this is."""
    monkeypatch.setattr("linne.nets.blocks.linear._mkl_is_slow", lambda: True)
    torch.manual_seed(0)
    layer = Linear(8, 12, bias=bias).to(dtype)
    x = torch.randn(shape, dtype=dtype, requires_grad=True)
    given = (x, *layer.parameters())
    ours, theirs = layer(x), F.linear(x, layer.weight, layer.bias)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(gradients(ours, *given), gradients(theirs, *given))
    turned = x.transpose(0, 1) if x.ndim > 2 else x
    torch.testing.assert_close(layer(turned), F.linear(turned, layer.weight, layer.bias))
