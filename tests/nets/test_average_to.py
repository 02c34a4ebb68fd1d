"""Is a map of any size averaged as adaptive pooling does it?"""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from references import noise

from linne.nets.blocks.average_to import average_to


@pytest.mark.parametrize("size", [(1, 1), (2, 5), (6, 6), (7, 4), (9, 13), (12, 18), (14, 7), (23, 29)])
@pytest.mark.parametrize("side", [1, 4, 6, 7, 14])
def test_the_values_are_those_of_adaptive_pooling(size: tuple[int, int], side: int) -> None:
    x = noise(2, 3, *size)
    torch.testing.assert_close(average_to(x, side), F.adaptive_avg_pool2d(x, side))


def test_a_map_of_the_size_is_not_touched() -> None:
    x = noise(1, 2, 6, 6)
    assert average_to(x, 6) is x


def test_precision_is_kept() -> None:
    assert average_to(noise(1, 2, 5, 5).double(), 3).dtype == torch.float64
