"""Muon: momentum whose matrices are made orthogonal, so that all directions of a layer learn alike.

Jordan, Jin, Boza, You, Cesista, Newhouse, Bernstein: "Muon: An optimizer for hidden layers in neural networks", 2024
(kellerjordan.github.io/posts/muon). Steps are scaled to be as large as AdamW's, so that one learning rate serves both:
Liu et al., "Muon is Scalable for LLM Training", 2025 (arXiv 2502.16982), section 2.2. The update is that of
`torch.optim.Muon(adjust_lr_fn="match_rms_adamw")`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from linne.fit.adamw import AdamW
from linne.fit.groups import Group, is_weight, of_classifier
from linne.fit.restored import restore

MOMENTUM = 0.95
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
STEPS = 5
EPSILON = 1e-7
RMS_OF_ADAMW = 0.2


def hidden_weights(network: nn.Module) -> dict[nn.Parameter, int]:
    """Give the weights that are matrices between features and features, and of how many matrices each consists.

    A convolution is a matrix from all that its kernel covers to its outputs, a grouped one is a matrix a group. Left
    out are what reads the image and what gives the logits, as Jordan et al. do, and depthwise convolutions: a matrix
    of one row has one direction, and making it orthogonal would only give each filter a step of the same length,
    however small its gradient is.

    Parameters
    ----------
    network : torch.nn.Module
        Keeps `linne.nets.contract.Network`.
    """
    found: dict[nn.Parameter, int] = {}
    for name, module in network.named_modules():
        if not isinstance(module, nn.Linear | nn.Conv2d) or of_classifier(name):
            continue
        weight = module.get_parameter("weight")
        blocks = module.groups if isinstance(module, nn.Conv2d) else 1
        rows, columns = len(weight) // blocks, weight[0].numel()
        if is_weight(f"{name}.weight", weight) and min(rows, columns) > 1:
            found[weight] = blocks
    for weight in _reading_the_image(network):
        found.pop(weight, None)
    return found


def _reading_the_image(network: nn.Module) -> list[nn.Parameter]:
    """Give the first stage's first convolution, and those beside it."""
    stem = network.stages()[0]  # type: ignore[operator]
    convolutions = [module for module in stem.modules() if isinstance(module, nn.Conv2d)]
    return [each.get_parameter("weight") for each in convolutions if each.in_channels == convolutions[0].in_channels]


@dataclass(frozen=True, slots=True)
class _Matrices:
    """A weight, how its group trains it, and its moving mean of gradients."""

    parameter: nn.Parameter
    blocks: int
    decay: float
    rate: float
    mean: Tensor


class Muon:
    """Muon for hidden weights, AdamW for all others.

    Parameters
    ----------
    groups : iterable of Group
    hidden : mapping of Parameter to int
        What `hidden_weights` gave; those of no group are not trained.
    at_once : bool, optional
        Weights of one shape in one product; by default on a GPU, where most take longer to start than to run.
    dtype : torch.dtype, optional
        Of the products. By default bfloat16 on a GPU and float32 on a CPU, most of which have no bfloat16 products.
    """

    def __init__(
        self,
        groups: Iterable[Group],
        hidden: Mapping[nn.Parameter, int],
        at_once: bool | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        groups = tuple(groups)
        self._matrices = [
            _Matrices(parameter, hidden[parameter], group.decay, group.rate, torch.zeros_like(parameter))
            for group in groups
            for parameter in group.parameters
            if parameter in hidden
        ]
        others = (tuple(p for p in group.parameters if p not in hidden) for group in groups)
        self._others = AdamW(Group(some, group.decay, group.rate) for some, group in zip(others, groups, strict=True))
        on_gpu = any(each.parameter.is_cuda for each in self._matrices)
        self._at_once = on_gpu if at_once is None else at_once
        self._dtype = dtype or (torch.bfloat16 if on_gpu else torch.float32)

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        """Update every parameter that has a gradient, and forget the gradients."""
        self._others.step(learning_rate)
        alike: dict[tuple[object, ...], list[_Matrices]] = {}
        for number, each in enumerate(self._matrices):
            if each.parameter.grad is not None:
                shape = (each.blocks, *each.parameter.shape)
                alike.setdefault(shape if self._at_once else (number,), []).append(each)
        for some in alike.values():
            self._move(some, learning_rate)

    def state(self) -> dict[str, Tensor]:
        """Give what a checkpoint needs, by the parameters' order: not copies, the next step changes them."""
        return {
            **{f"matrix.{number}": each.mean for number, each in enumerate(self._matrices)},
            **{f"other.{name}": tensor for name, tensor in self._others.state().items()},
        }

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state` gave, of the same parameters in the same order; `LinneError` if it is of others."""
        restore(self.state(), state)

    def _move(self, moved: list[_Matrices], learning_rate: float) -> None:
        """Update weights of one shape."""
        parameters: list[Tensor] = [each.parameter for each in moved]
        gradients = [each.parameter.grad for each in moved if each.parameter.grad is not None]
        means, blocks, shape = [each.mean for each in moved], moved[0].blocks, moved[0].parameter.shape
        torch._foreach_lerp_(means, gradients, 1 - MOMENTUM)
        ahead = torch._foreach_lerp(gradients, means, MOMENTUM)
        matrices = torch.cat([each.reshape(blocks, shape[0] // blocks, -1) for each in ahead])
        size = RMS_OF_ADAMW * math.sqrt(max(matrices.shape[1:]))
        updates = torch.split(orthogonal(matrices, self._dtype), blocks)
        torch._foreach_mul_(parameters, [1 - learning_rate * each.rate * each.decay for each in moved])
        for each, update in zip(moved, updates, strict=True):
            each.parameter.add_(update.reshape(shape), alpha=-learning_rate * each.rate * size)
            each.parameter.grad = None


def orthogonal(matrices: Tensor, dtype: torch.dtype) -> Tensor:
    """Bring all singular values near 1, by five steps of Newton and Schulz with the coefficients of Jordan et al.

    Parameters
    ----------
    matrices : (n, rows, columns) Tensor
    dtype : torch.dtype
        Of the products.

    Returns
    -------
    Tensor
        Of the same shape, in `dtype`. Singular values lie between about 0.7 and 1.2, those of almost 0 below.
    """
    linear, cubic, quintic = COEFFICIENTS
    tall = matrices.shape[1] > matrices.shape[2]
    x = (matrices.mT if tall else matrices).to(dtype)
    x = x / torch.linalg.vector_norm(x, dim=(1, 2), keepdim=True).clamp(min=EPSILON)
    for _ in range(STEPS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=cubic, alpha=quintic), x, beta=linear)
    return x.mT if tall else x
