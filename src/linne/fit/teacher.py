"""A trained network whose answers another one learns from, on the same views."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from linne.embed.backends import full_precision
from linne.nets.blocks.two_heads import TwoHeads
from linne.records.pixel_spec import PixelSpec

LUMA = 0.299, 0.587, 0.114
"""ITU-R 601, as `linne.records.pixel_spec.PixelSpec` has it."""


class Teacher:
    """Gives a teacher's logits for what its student sees.

    Parameters
    ----------
    network : torch.nn.Module
    own, seen : PixelSpec
        The teacher's, and the student's.
    classes : sequence of int
        For each class of the student, which of the teacher's it is.
    device : torch.device
    """

    def __init__(
        self, network: nn.Module, own: PixelSpec, seen: PixelSpec, classes: Sequence[int], device: torch.device
    ) -> None:
        self._network = network.eval().requires_grad_(False).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._size, self._gray = (own.height, own.width), own.channels == 1
        self._classes = torch.tensor(classes, device=device)
        mean, std, seen_mean, seen_std = (
            torch.tensor(values, device=device).view(1, -1, 1, 1) for values in (own.mean, own.std, seen.mean, seen.std)
        )
        self._factor, self._shift = seen_std / std, (seen_mean - mean) / std
        self._luma = torch.tensor(LUMA, device=device).view(1, 3, 1, 1)

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Tensor:
        """The student's inputs ``(batch, channels, height, width)`` to logits ``(batch, classes)``."""
        images = images * self._factor + self._shift
        if self._gray and images.shape[1] == 3:
            images = (images * self._luma).sum(1, keepdim=True)
        if images.shape[2:] != self._size:
            images = F.interpolate(images, self._size, mode="bilinear", antialias=True)
        with full_precision():
            logits: Tensor = self._network(images.contiguous(memory_format=torch.channels_last))
        return logits.float()[:, self._classes]


def keep_two_heads(network: nn.Module, classes: int) -> None:
    """Give a network of two heads, one for the labels and one for the teacher, new ones in place of its single new one.

    Together they say what the single one does. Other networks stay as they are.
    """
    if not hasattr(network, "forward_heads"):
        return
    single = network.classifier
    assert isinstance(single, nn.Linear)  # noqa: S101 - `replace_head` has put it there
    heads = TwoHeads(single.in_features // 2, classes)
    with torch.no_grad():
        for head, weight in zip((heads.label, heads.teacher), single.weight.chunk(2, dim=1), strict=True):
            head.weight.copy_(2 * weight)
            head.bias.copy_(single.bias)
    network.classifier = heads
