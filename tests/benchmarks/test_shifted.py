"""Are small pictures shifted and mirrored as they should be, wherever and in whatever order they are cut?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from images import encode, place, scene
from shifted import ShiftedImages, shifted_views, small_pictures, with_border
from six_views import mirrored_and_shifted
from small_networks import small_pixels

from linne.embed.backends import device
from linne.fit.decoded import Pictures
from linne.fit.sampling import shuffled
from linne.index.class_folders import read_folder
from linne.nets import create
from linne.pixels.prepare import normalise, prepare
from linne.records.fingerprint import of_bytes

DEVICES = list({torch.device("cpu"), device()})
RNG = np.random.default_rng(0)
PICTURES = RNG.integers(0, 256, (50, 12, 10, 3), np.uint8)
LABELS = RNG.integers(0, 4, 50)


def on_device(pictures: np.ndarray, labels: np.ndarray, *more: object) -> ShiftedImages:
    return ShiftedImages(torch.from_numpy(pictures).to(device()), torch.from_numpy(labels).to(device()), *more)


def source(seed: int = 0, batch: int = 8, flip: bool = True, shift: int | None = 2) -> ShiftedImages:
    return on_device(PICTURES, LABELS, flip, batch, seed, shift)


@pytest.mark.parametrize("where", DEVICES, ids=str)
@pytest.mark.parametrize("border", [0, 1, 3])
def test_borders_are_numpys_reflection(where: torch.device, border: int) -> None:
    expected = np.pad(PICTURES, ((0, 0), (border, border), (border, border), (0, 0)), "reflect")
    assert np.array_equal(with_border(torch.from_numpy(PICTURES).to(where), border).cpu().numpy(), expected)


@pytest.mark.parametrize("where", DEVICES, ids=str)
def test_views_are_slices_of_the_bordered_pictures(where: torch.device) -> None:
    border = 2
    bordered = np.pad(PICTURES, ((0, 0), (border, border), (border, border), (0, 0)), "reflect")
    rows, down, across = RNG.integers(0, 50, 30), RNG.integers(0, 5, 30), RNG.integers(0, 5, 30)
    flip = RNG.random(30) < 0.5
    given = (torch.from_numpy(values).to(where) for values in (bordered, rows, down, across, flip))
    found = shifted_views(*given, border)
    assert found.is_contiguous(memory_format=torch.channels_last)
    for i in range(30):
        cut = bordered[rows[i], down[i] : down[i] + 12, across[i] : across[i] + 10]
        expected = cut[:, ::-1] if flip[i] else cut
        assert np.array_equal(found[i].permute(1, 2, 0).cpu().numpy(), expected)


def test_batches_are_the_views_that_are_drawn_in_the_order_of_all_sources() -> None:
    made = source()
    begins, mirrored = made.drawn(3)
    found = list(made.epoch(3))
    places = shuffled(50, 8, 0, 3)
    assert len(found) == len(places) == 6
    for (views, labels), which in zip(found, places, strict=True):
        bordered = np.pad(PICTURES, ((0, 0), (2, 2), (2, 2), (0, 0)), "reflect")
        assert np.array_equal(labels.cpu().numpy(), LABELS[which])
        for view, row in zip(views, which, strict=True):
            y, x = begins[row]
            cut = bordered[row, y : y + 12, x : x + 10]
            assert np.array_equal(view.permute(1, 2, 0).cpu().numpy(), cut[:, ::-1] if mirrored[row] else cut)


def test_a_view_depends_on_seed_epoch_and_picture_alone() -> None:
    begins, mirrored = source(batch=8).drawn(5)
    again, also = source(batch=50).drawn(5)
    assert np.array_equal(begins, again)
    assert np.array_equal(mirrored, also)
    assert not np.array_equal(begins, source(seed=1).drawn(5)[0])
    assert not np.array_equal(begins, source().drawn(6)[0])


def test_every_shift_occurs_as_often_and_each_picture_is_mirrored_in_every_other_epoch() -> None:
    many = on_device(np.zeros((9000, 4, 4, 1), np.uint8), np.zeros(9000, np.int64), True, 100, 0, 1)
    begins, first = many.drawn(0)
    counts = np.bincount(3 * begins[:, 0] + begins[:, 1], minlength=9)
    assert counts.min() > 850
    assert counts.max() < 1150
    assert abs(first.mean() - 0.5) < 0.02
    assert np.array_equal(many.drawn(1)[1], ~first)
    assert np.array_equal(many.drawn(2)[1], first)


def test_without_mirroring_and_shifting_a_picture_stays() -> None:
    made = source(flip=False, shift=0, batch=50)
    ((views, _),) = made.epoch(1)
    assert np.array_equal(views.permute(0, 2, 3, 1).cpu().numpy(), PICTURES[shuffled(50, 50, 0, 1)[0]])


@pytest.mark.parametrize(("side", "shift"), [(32, 2), (28, 1), (64, 4)])
def test_the_shift_goes_with_the_size(side: int, shift: int) -> None:
    pictures = np.zeros((3, side, side, 1), np.uint8)
    made = on_device(pictures, np.zeros(3, np.int64), True, 2, 0)
    assert made.shift == shift


def test_pictures_are_what_the_network_sees_and_failures_are_told(tmp_path: Path) -> None:
    for i in range(6):
        place(tmp_path / "ab"[i % 2] / f"{i}.png", encode(scene(40, 52, i), "PNG"))
    index = read_folder(tmp_path)
    digest = np.stack([np.frombuffer(of_bytes(index.content(row).read()), np.uint8) for row in range(6)])
    (tmp_path / "a" / "2.png").write_bytes(b"no picture")
    failed: dict[int, str] = {}
    spec = small_pixels(32)
    found = small_pictures(Pictures(index, 3, None, digest), np.arange(6), spec, failed)
    assert len(failed) == 1
    for row in set(range(6)) - set(failed):
        expected = prepare(index.content(row).read(), spec, "")
        assert np.allclose(normalise(found[row].transpose(2, 0, 1), spec), expected, atol=1e-6)
    (lost,) = failed
    assert not found[lost].any()


@torch.inference_mode()
def test_logits_of_six_views_are_their_weighted_mean() -> None:
    torch.manual_seed(0)
    network, images = create("cifarnet"), torch.randn(3, 3, 32, 32)
    padded = np.pad(images.numpy(), ((0, 0), (0, 0), (1, 1), (1, 1)), "reflect")
    expected = torch.zeros(3, 10)
    for start, weight in ((1, 0.5), (0, 0.25), (2, 0.25)):
        view = torch.from_numpy(padded[:, :, start : start + 32, start : start + 32].copy())
        expected += weight * (network(view) + network(view.flip(-1))) / 2
    torch.testing.assert_close(mirrored_and_shifted(network, images), expected)
