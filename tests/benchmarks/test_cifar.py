"""Are the pieces of the CIFAR-10 benchmark what they say: the packed file, and the steps of its optimisers?"""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from images import scene
from PIL import Image
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from cifar_data import CLASSES, pack, read
from speed_run import Descent, Orthogonal, orthogonal


def test_a_packed_file_holds_every_picture_and_its_label(tmp_path: Path) -> None:
    expected: dict[str, list[tuple[bytes, int]]] = {"train": [], "test": []}
    for number in range(40):
        part, label = ("train", "test")[number % 4 == 3], number % 10
        path = tmp_path / "all" / part / CLASSES[label] / f"{number:04}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(scene(32, 32, number)).save(path, quality=75)
        expected[part].append((np.asarray(Image.open(io.BytesIO(path.read_bytes()))).tobytes(), label))
    for part in expected:
        for name in CLASSES:
            (tmp_path / "all" / part / name).mkdir(exist_ok=True)
    pack(tmp_path / "all", tmp_path / "packed.npz")
    for part, images in zip(("train", "test"), read(tmp_path / "packed.npz"), strict=True):
        found = [(pixels.tobytes(), int(label)) for pixels, label in zip(images.pixels, images.labels, strict=True)]
        assert sorted(found) == sorted(expected[part])
        assert [label for _, label in found] != sorted(label for _, label in found)


def parameters() -> list[nn.Parameter]:
    rng = torch.Generator().manual_seed(0)
    return [nn.Parameter(torch.randn(shape, generator=rng)) for shape in ((6, 4, 3, 3), (6, 4, 3, 3), (30, 2, 2, 2))]


def test_descent_is_torchs() -> None:
    ours, theirs = parameters(), parameters()
    step = Descent(ours, 0.02)
    reference = torch.optim.SGD(theirs, 0.1, momentum=0.85, nesterov=True, weight_decay=0.02)
    for turn in range(4):
        for one, other in zip(ours, theirs, strict=True):
            one.grad = torch.randn(one.shape, generator=torch.Generator().manual_seed(turn))
            other.grad = one.grad.clone()
        reference.param_groups[0]["lr"] = 0.1 - 0.02 * turn
        step.step(0.1 - 0.02 * turn)
        reference.step()
    torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("shape", [(3, 20, 30), (3, 30, 20)])
def test_orthogonal_keeps_directions_and_brings_singular_values_near_one(shape: tuple[int, ...]) -> None:
    matrices = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    found = orthogonal(matrices, torch.float32)
    left, _, right = torch.linalg.svd(matrices, full_matrices=False)
    values = torch.diagonal(left.mT @ found @ right.mT, dim1=1, dim2=2)
    torch.testing.assert_close(found, left @ torch.diag_embed(values) @ right, atol=1e-4, rtol=0)
    assert float(values.min()) > 0.3
    assert float(values.max()) < 1.3


def test_weights_begin_each_step_with_unit_rows_in_the_mean() -> None:
    ours = parameters()
    before = [parameter.detach().clone() for parameter in ours]
    for parameter in ours:
        parameter.grad = torch.ones_like(parameter)
    Orthogonal(ours).step(0.0)
    for parameter, old in zip(ours, before, strict=True):
        torch.testing.assert_close(parameter.detach(), old * len(old) ** 0.5 / old.norm())
        assert parameter.grad is None
