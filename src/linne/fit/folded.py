"""Batch norms that keep their statistics, folded into the convolutions before them while both are trained.

With fixed statistics a batch norm is a factor and a shift a channel, so it can be applied to the convolution's weights,
of which there are few, and not to what the convolution gives, of which there is much. Gradients reach the same
parameters.
"""

from __future__ import annotations

from torch import Tensor, nn

from linne.nets.blocks.fold_norms import foldable


class FixedNorm(nn.Module):
    """A convolution and the batch norm behind it, as one convolution.

    Parameters
    ----------
    conv : torch.nn.Conv2d
        Without bias.
    norm : torch.nn.BatchNorm2d
        Its running statistics are used in training, too.
    """

    def __init__(self, conv: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
        super().__init__()
        self.conv, self.norm = conv, norm

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, c, h, w)`` to what the norm would give."""
        norm = self.norm
        mean, variance = norm.running_mean, norm.running_var
        assert mean is not None  # noqa: S101 - `foldable` has seen to it
        assert variance is not None  # noqa: S101
        factor = norm.weight * (variance + norm.eps).rsqrt()
        weight = self.conv.weight * factor[:, None, None, None]
        out: Tensor = self.conv._conv_forward(x, weight, norm.bias - mean * factor)
        return out


def fold_fixed_norms(module: nn.Module) -> None:
    """Put `FixedNorm` in the place of each convolution with a batch norm behind it, in place."""
    for part, place, conv, norm_place, norm in list(foldable(module)):
        setattr(part, place, FixedNorm(conv, norm))
        setattr(part, norm_place, nn.Identity())
