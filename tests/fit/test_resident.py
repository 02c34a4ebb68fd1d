"""Are batches that are cut on a device those that threads cut on the host?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from images import encode, place, scene
from PIL import Image
from small_networks import small_pixels

from linne.embed.backends import device
from linne.fit import resident
from linne.fit.augment import random_view
from linne.fit.decoded import Pictures
from linne.fit.draw import draw, rng_of
from linne.fit.growth import Growth
from linne.fit.order import Order
from linne.fit.policy import Policy
from linne.fit.resident import ResidentImages, can_be_cut_at_once
from linne.fit.sampling import shuffled
from linne.fit.sources import AugmentedImages
from linne.fit.views import cut_views, resize_weights
from linne.index.class_folders import read_folder
from linne.nets.catalogue import entry
from linne.pixels.cache import PixelCache
from linne.pixels.shrunk import Decoded
from linne.records.fingerprint import of_bytes
from linne.records.index import Index
from linne.records.pixel_spec import PixelSpec

SPEC = replace(small_pixels(96), width=80, resize=110)
GRAY = replace(SPEC, channels=1, mean=(0.5,), std=(0.5,))
DEVICES = list({torch.device("cpu"), device()})
SIZES = ((150, 120), (110, 170), (300, 260), (60, 50), (110, 110), (400, 110))


def picture(size: tuple[int, int], seed: int, channels: int) -> np.ndarray:
    image = Image.fromarray(scene(120, 150, seed)).resize(size)
    return np.array(image) if channels == 3 else np.array(image.convert("L"))[:, :, None]


def by_host(pictures: list[np.ndarray], spec: PixelSpec, policy: Policy, seed: int) -> torch.Tensor:
    out = torch.empty(len(pictures), spec.height, spec.width, spec.channels, dtype=torch.uint8).permute(0, 3, 1, 2)
    for place_, pixels in enumerate(pictures):
        random_view(Decoded(pixels), spec, policy, rng_of(seed, 0, place_), out[place_ : place_ + 1])
    return out


@pytest.mark.parametrize("device", DEVICES, ids=str)
@pytest.mark.parametrize("spec", [SPEC, GRAY], ids=["colour", "gray"])
@pytest.mark.parametrize(
    ("policy", "levels"),
    [(Policy(True, colour=0), 1), (Policy(True), 6), (Policy(False, (0.05, 0.2)), 6)],
    ids=["resized", "coloured", "enlarged"],
)
def test_views_are_those_of_the_host_but_for_rounding(
    device: torch.device, spec: PixelSpec, policy: Policy, levels: int
) -> None:
    pictures = [picture(SIZES[i % len(SIZES)], i, spec.channels) for i in range(24)]
    assert can_be_cut_at_once(spec, policy)
    draws = [
        draw(pixels.shape[1], pixels.shape[0], spec, policy, rng_of(7, 0, place_))
        for place_, pixels in enumerate(pictures)
    ]
    views = cut_views([torch.from_numpy(each).to(device) for each in pictures], draws, spec.height, spec.width)
    assert views.dtype == torch.uint8
    assert views.is_contiguous(memory_format=torch.channels_last)
    off = (views.cpu().int() - by_host(pictures, spec, policy, 7).int()).abs()
    assert off.max() <= levels
    assert off.float().mean() < 0.3


def test_weights_resize_as_pytorch_does() -> None:
    for side, out in ((97, 40), (40, 97), (33, 33), (5, 1), (1, 7)):
        row = torch.rand(1, 1, 1, side)
        expected = torch.nn.functional.interpolate(row, (1, out), mode="bilinear", antialias=True)[0, 0, 0]
        weights = resize_weights([side], side + 3, out, torch.device("cpu"))[0]
        assert torch.allclose(weights[:, :side] @ row[0, 0, 0], expected, atol=1e-5)
        assert not weights[:, side:].any()


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    root = tmp_path_factory.mktemp("photos")
    for number in range(22):
        size = SIZES[number % len(SIZES)]
        place(root / "abc"[number % 3] / f"{number}.png", encode(np.asarray(picture(size, number, 3)), "PNG"))
    return read_folder(root)


def sources(index: Index, folder: Path, limit: int = 10**9) -> tuple[AugmentedImages, ResidentImages, PixelCache]:
    digest = np.stack([np.frombuffer(of_bytes(index.content(row).read()), np.uint8) for row in range(len(index))])
    policy = Policy(True)
    cache = PixelCache(folder, digest, 3, policy.cache_side(SPEC), limit)
    pictures = Pictures(index, 3, cache, digest)
    growth, order = Growth(SPEC, None, None, 1, 1), Order.of(len(index), 8, 3)
    host = AugmentedImages(pictures, index.label, np.arange(len(index)), growth, policy, order, False)
    return host, ResidentImages(host, DEVICES[-1]), cache


def same(host: AugmentedImages, source: ResidentImages, epoch: int) -> bool:
    """Whether both give the same epoch, but for rounding."""
    expected = [(images.clone(), labels) for images, labels in host.epoch(epoch)]
    found = [(images.cpu().clone(), labels.cpu()) for images, labels in source.epoch(epoch)]
    return len(found) == len(expected) and all(
        torch.equal(labels, truth) and (images.int() - views.int()).abs().max() <= 6
        for (images, labels), (views, truth) in zip(found, expected, strict=True)
    )


def test_pictures_settle_after_the_first_epoch(index: Index, tmp_path: Path) -> None:
    host, source, cache = sources(index, tmp_path)
    assert len(list(source.epoch(1))) == 2
    assert not source.resident
    assert cache.lacking(np.arange(len(index))) == 6  # the last batch would have been smaller
    for epoch in (2, 3):
        assert same(host, source, epoch)
        assert source.resident
    cache.close()
    assert len(list(source.epoch(4))) == 2  # the cache is not needed any more


def test_a_run_that_goes_on_in_a_later_epoch_has_the_views_that_it_would_have_had(index: Index, tmp_path: Path) -> None:
    ends = []
    for first in (1, 2):
        _, source, cache = sources(index, tmp_path)
        for epoch in range(first, 3):
            last = [images.cpu().clone() for images, _ in source.epoch(epoch, first - 1)]
        assert source.resident
        ends.append(last[first - 2 :])
        cache.close()
    (whole,), (resumed,) = ends
    assert torch.equal(whole, resumed)


def test_a_full_cache_of_an_earlier_run_changes_nothing(index: Index, tmp_path: Path) -> None:
    runs = []
    for _ in range(2):
        _, source, cache = sources(index, tmp_path)
        runs.append(
            [(images.cpu().clone(), labels.cpu()) for epoch in (1, 2) for images, labels in source.epoch(epoch)]
        )
        assert source.resident
        cache.close()
    for (images, labels), (again, same_labels) in zip(*runs, strict=True):
        assert torch.equal(images, again)
        assert torch.equal(labels, same_labels)


def test_pictures_stay_where_they_do_not_fit(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host, source, cache = sources(index, tmp_path)
    monkeypatch.setattr(resident, "SHARE", 0.0)
    for epoch in range(1, 4):
        assert same(host, source, epoch)
        assert not source.resident
    cache.close()


def test_pictures_stay_where_the_cache_is_too_small(index: Index, tmp_path: Path) -> None:
    host, source, cache = sources(index, tmp_path, 200_000)
    for epoch in range(1, 3):
        assert same(host, source, epoch)
        assert not source.resident
    cache.close()


def test_what_is_gone_is_in_no_later_batch(tmp_path: Path) -> None:
    for number in range(9):
        place(tmp_path / "photos" / "ab"[number % 2] / f"{number}.png", encode(scene(120, 150, seed=number), "PNG"))
    index = read_folder(tmp_path / "photos")
    _, source, cache = sources(index, tmp_path / "cache")
    list(source.epoch(1))
    (lacking,) = (row for row in range(9) if cache.get(row) is None)  # in no batch of the first epoch
    (tmp_path / "photos" / index.path(lacking)).unlink()
    seen = 0
    for epoch in range(2, 5):
        seen += sum(len(labels) for _, labels in source.epoch(epoch))
        assert source.resident
    assert list(source.failed) == [lacking]
    drawn = sum(lacking not in shuffled(9, 8, 3, epoch)[0] for epoch in range(2, 5))
    assert seen == 3 * 7 + drawn
    cache.close()


def test_small_inputs_and_automatic_changes_are_made_on_the_host() -> None:
    assert not can_be_cut_at_once(entry("lenet5").pixels, Policy(False))
    assert not can_be_cut_at_once(SPEC, Policy.named("trivial", True))
