"""Are views cut from the pixel cache those that were cut from files, whatever disk is full and whoever else writes?"""

from __future__ import annotations

import errno
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from full_disk import full_disk
from images import encode, place, scene
from small_networks import small_pixels

from linne.fit.decoded import Pictures
from linne.fit.growth import Growth
from linne.fit.order import Order
from linne.fit.policy import Policy
from linne.fit.sources import AugmentedImages
from linne.index.class_folders import read_folder
from linne.pixels.cache import PixelCache
from linne.records.fingerprint import of_bytes
from linne.records.index import Index

IMAGES, SIDE = 24, 40
PLENTY = 10**9
HALF = IMAGES * SIDE * 48 * 3 // 2

Batches = list[tuple[torch.Tensor, torch.Tensor]]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    root = tmp_path_factory.mktemp("photos")
    for number in range(IMAGES):
        place(root / ("a", "b", "c")[number % 3] / f"{number}.png", encode(scene(50, 60, seed=number), "PNG"))
    return read_folder(root)


def digest_of(index: Index) -> np.ndarray:
    return np.stack([np.frombuffer(of_bytes(index.content(row).read()), np.uint8) for row in range(len(index))])


def opened(index: Index, folder: Path, limit: int = PLENTY) -> PixelCache:
    return PixelCache(folder, digest_of(index), 3, SIDE, limit)


def source_of(index: Index, cache: PixelCache, batch: int = 8) -> AugmentedImages:
    pictures = Pictures(index, 3, cache, digest_of(index))
    growth, order = Growth(small_pixels(), None, None, 1, 1), Order.of(len(index), batch, 0)
    return AugmentedImages(pictures, index.label, np.arange(len(index)), growth, Policy(True), order, False)


def views(source: AugmentedImages, epoch: int) -> Batches:
    return [(images.clone(), labels) for images, labels in source.epoch(epoch)]


def assert_same(some: Batches, others: Batches) -> None:
    for (images, labels), (same, their) in zip(some, others, strict=True):
        assert torch.equal(images, same)
        assert torch.equal(labels, their)


@pytest.fixture(scope="module")
def uncached(index: Index, tmp_path_factory: pytest.TempPathFactory) -> Batches:
    """The second epoch, all of it from files."""
    cache = opened(index, tmp_path_factory.mktemp("cache"), 0)
    found = views(source_of(index, cache), 2)
    assert cache.lacking(np.arange(1)) == 1
    cache.close()
    return found


@pytest.mark.parametrize("limit", [PLENTY, HALF])
def test_views_from_the_cache_are_those_from_files(index: Index, uncached: Batches, tmp_path: Path, limit: int) -> None:
    cache = opened(index, tmp_path, limit)
    for _ in range(2):
        assert_same(views(source_of(index, cache), 2), uncached)
    assert (cache.lacking(np.arange(IMAGES)) == 0) == (limit == PLENTY)
    cache.close()


def test_a_disk_that_gets_full_in_an_epoch_changes_no_view(index: Index, uncached: Batches, tmp_path: Path) -> None:
    cache = opened(index, tmp_path)
    with full_disk(HALF):
        for _ in range(2):
            assert_same(views(source_of(index, cache), 2), uncached)
    assert 0 < sum(cache.get(row) is not None for row in range(IMAGES)) < IMAGES
    assert cache.problem == os.strerror(errno.EFBIG)
    cache.close()
    again = opened(index, tmp_path)  # there is space again
    assert_same(views(source_of(index, again), 2), uncached)
    assert not again.lacking(np.arange(IMAGES))
    again.close()


AT_ONCE = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from linne.index.class_folders import read_folder
from test_cached_views import opened, said, source_of, views

index = read_folder(Path(sys.argv[1]))
cache = opened(index, Path(sys.argv[2]))
print(cache.keeps, flush=True)
sys.stdin.readline()
source = source_of(index, cache)
print(*(said(views(source, epoch)) for epoch in (2, 1, 2)), len(source.failed), flush=True)
sys.stdin.readline()
cache.close()
"""


def said(batches: Batches) -> str:
    """A digest of what is in them."""
    return hashlib.sha256(b"".join(part.numpy().tobytes() for batch in batches for part in batch)).hexdigest()


def test_two_processes_with_one_cache_see_the_same_views(index: Index, uncached: Batches, tmp_path: Path) -> None:
    command = [sys.executable, "-c", AT_ONCE, index.root, str(tmp_path), str(Path(__file__).parent)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])}
    both = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True)
        for _ in range(2)
    ]

    def answers() -> list[str]:
        return [process.stdout.readline().strip() for process in both]

    def go_on() -> None:
        for process in both:
            process.stdin.write("\n")
            process.stdin.flush()

    assert sorted(answers()) == ["False", "True"]  # one writes, the other reads what is there
    go_on()
    one, other = answers()
    assert one == other
    second, _, again, failed = one.split()
    assert second == again == said(uncached)
    assert failed == "0"
    go_on()
    for process in both:
        process.communicate()
        assert process.returncode == 0
    cache = opened(index, tmp_path)
    assert not cache.lacking(np.arange(IMAGES))
    cache.close()


def test_another_file_in_the_place_of_an_indexed_one_is_left_out(tmp_path: Path) -> None:
    for number in range(4):
        place(tmp_path / "photos" / "ab"[number % 2] / f"{number}.bmp", encode(scene(40, 40, seed=number), "BMP"))
    folder = read_folder(tmp_path / "photos")
    cache = opened(folder, tmp_path / "cache")
    source = source_of(folder, cache, 4)
    place(tmp_path / "photos" / "a" / "0.bmp", encode(scene(40, 40, seed=9), "BMP"))  # of the same size
    assert [len(labels) for _, labels in views(source, 1)] == [3]
    assert list(source.failed) == [next(row for row in range(4) if folder.path(row) == "a/0.bmp")]
    cache.close()
