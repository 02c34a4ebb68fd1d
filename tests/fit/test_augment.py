"""Are views random in the right way: by (seed, epoch, image) and nothing else?"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from images import encode, place, scene
from PIL import Image
from small_networks import small_pixels

from linne.fit.augment import _crop_box, random_view
from linne.fit.sources import AugmentedImages, CachedActivations, prepared_batches, shuffled
from linne.index.class_folders import read_folder
from linne.nets.catalogue import entry
from linne.pixels.decode import decode
from linne.pixels.prepare import prepare
from linne.records.errors import ImageError
from linne.records.index import Index
from linne.records.pixel_spec import PixelSpec

SPECS = {
    "photo": replace(small_pixels(96), width=80),
    "gray photo": replace(small_pixels(96), channels=1, mean=(0.5,), std=(0.5,)),
    "small": small_pixels(48),
    "digit": entry("lenet5").pixels,
}


def picture_for(spec: PixelSpec, seed: int = 0) -> Image.Image:
    return Image.fromarray(scene(120, 150, seed)).convert("L" if spec.channels == 1 else "RGB")


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    root = tmp_path_factory.mktemp("photos")
    for number in range(24):
        place(root / ("a", "b", "c")[number % 3] / f"{number}.png", encode(scene(50, 60, seed=number), "PNG"))
    return read_folder(root)


@pytest.mark.parametrize("kind", SPECS)
def test_shape_and_range(kind: str) -> None:
    spec = SPECS[kind]
    low = min((0 - mean) / std for mean, std in zip(spec.mean, spec.std, strict=True))
    high = max((1 - mean) / std for mean, std in zip(spec.mean, spec.std, strict=True))
    for seed in range(20):
        view = random_view(picture_for(spec), spec, True, np.random.default_rng(seed))
        assert view.shape == (spec.channels, spec.height, spec.width)
        assert view.dtype == torch.float32
        assert low - 1e-5 <= view.min() <= view.max() <= high + 1e-5


@pytest.mark.parametrize("kind", SPECS)
def test_the_generator_decides(kind: str) -> None:
    spec, picture = SPECS[kind], picture_for(SPECS[kind])
    views = [random_view(picture, spec, True, np.random.default_rng((0, 1, seed))) for seed in (7, 7, 8)]
    assert torch.equal(views[0], views[1])
    assert not torch.equal(views[0], views[2])


@pytest.mark.parametrize("kind", SPECS)
@pytest.mark.parametrize("flip", [True, False])
def test_mirrored_only_where_asked_for(kind: str, flip: bool) -> None:
    """A picture that is dark on the left and bright on the right."""
    spec = SPECS[kind]
    ramp = np.tile(np.linspace(0, 255, 150).astype(np.uint8), (120, 1))
    picture = Image.fromarray(ramp).convert("L" if spec.channels == 1 else "RGB")
    mirrored = 0
    for seed in range(60):
        view = random_view(picture, spec, flip, np.random.default_rng(seed))
        third = view.shape[2] // 3
        mirrored += bool(view[:, :, :third].mean() > view[:, :, -third:].mean())
    assert 15 < mirrored < 45 if flip else mirrored == 0


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (3, 2), (17, 4001)])
@pytest.mark.parametrize("kind", SPECS)
def test_odd_sizes(kind: str, size: tuple[int, int]) -> None:
    spec = SPECS[kind]
    picture = picture_for(spec).resize(size)
    for seed in range(10):
        view = random_view(picture, spec, True, np.random.default_rng(seed))
        assert view.shape == (spec.channels, spec.height, spec.width)
        assert torch.isfinite(view).all()


@pytest.mark.parametrize(("width", "height"), [(100, 80), (1, 1), (1, 500), (640, 3)])
def test_crops_lie_in_the_picture(width: int, height: int) -> None:
    rng = np.random.default_rng(0)
    for _ in range(300):
        left, top, crop_width, crop_height = _crop_box(width, height, rng)
        assert left >= 0
        assert top >= 0
        assert left + crop_width <= width
        assert top + crop_height <= height
        assert min(crop_width, crop_height) > 0


def test_an_epoch_is_the_same_whatever_the_threads_do(index: Index) -> None:
    spec, rows = small_pixels(), np.arange(20)
    source = AugmentedImages(index, rows, spec, True, 8, seed=5)
    first = list(source.epoch(3))
    cores = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(cores)})
        again = list(source.epoch(3))
    finally:
        os.sched_setaffinity(0, cores)
    order = shuffled(20, 8, 5, 3)
    assert len(first) == len(again) == len(order) == 2
    for (views, labels), (others, same), places in zip(first, again, order, strict=True):
        assert torch.equal(views, others)
        assert torch.equal(labels, same)
        for view, row in zip(views, rows[places], strict=True):
            picture = decode(index.content(int(row)).read(), 3)
            alone = random_view(picture, spec, True, np.random.default_rng((5, 3, int(row))))
            assert torch.equal(view, alone)
        assert labels.tolist() == index.label[rows[places]].tolist()


def test_another_epoch_and_another_seed_give_other_views(index: Index) -> None:
    def of_row_0(seed: int, epoch: int) -> torch.Tensor:
        return next(iter(AugmentedImages(index, np.array([0]), small_pixels(), True, 8, seed).epoch(epoch)))[0]

    assert torch.equal(of_row_0(0, 1), of_row_0(0, 1))
    assert not torch.equal(of_row_0(0, 1), of_row_0(0, 2))
    assert not torch.equal(of_row_0(0, 1), of_row_0(1, 1))


@pytest.mark.parametrize(("images", "batch", "sizes"), [(20, 8, [8, 8]), (8, 8, [8]), (5, 8, [5]), (9, 8, [8])])
def test_batches_have_one_size(images: int, batch: int, sizes: list[int]) -> None:
    source = CachedActivations(np.zeros((images, 1, 1, 1), np.float16), np.arange(images), batch, 0)
    epochs = [[labels.tolist() for _, labels in source.epoch(epoch)] for epoch in (1, 2, 1)]
    assert [len(labels) for labels in epochs[0]] == sizes
    seen = [label for labels in epochs[0] for label in labels]
    assert len(set(seen)) == len(seen)
    assert epochs[0] == epochs[2]
    assert epochs[0] != epochs[1]


def test_cached_activations_stay_with_their_labels() -> None:
    labels = np.arange(30, dtype=np.int64)
    source = CachedActivations(labels.astype(np.float16)[:, None, None, None], labels, 7, 0)
    for values, given in source.epoch(1):
        assert values.dtype == torch.float32
        assert values.flatten().tolist() == given.tolist()


def test_prepared_batches_are_the_exact_inputs_in_order(index: Index) -> None:
    rows = np.array([5, 0, 23, 7, 7])
    batches = list(prepared_batches(index, rows, small_pixels(), 2))
    assert [len(batch) for batch in batches] == [2, 2, 1]
    expected = [prepare(index.content(int(row)).read(), small_pixels()) for row in rows]
    np.testing.assert_array_equal(np.concatenate(batches), np.stack(expected))


def test_a_picture_that_went_bad_is_named_and_no_thread_is_left(tmp_path: Path) -> None:
    for number in range(12):
        place(tmp_path / ("a", "b")[number % 2] / f"{number}.png", encode(scene(40, 40, seed=number), "PNG"))
    folder = read_folder(tmp_path)
    (tmp_path / "a" / "4.png").write_bytes(b"no image")
    with pytest.raises(ImageError) as caught:
        list(AugmentedImages(folder, np.arange(12), small_pixels(), True, 4, 0).epoch(1))
    assert caught.value.file == str(tmp_path / "a" / "4.png")
    with pytest.raises(ImageError):
        list(prepared_batches(folder, np.arange(12), small_pixels(), 4))
    assert not [t for t in threading.enumerate() if t.name.startswith(("augment", "decode"))]


def test_leaving_an_epoch_early_leaves_no_thread(index: Index) -> None:
    for batch in AugmentedImages(index, np.arange(24), small_pixels(), True, 4, 0).epoch(1):
        assert len(batch[1]) == 4
        break
    assert not [t for t in threading.enumerate() if t.name.startswith("augment")]


@pytest.mark.parametrize(
    "code", ["raise RuntimeError('operator torchvision::nms does not exist')", "raise ImportError('gone')"]
)
def test_a_torchvision_for_another_torch_is_an_install_error(tmp_path: Path, code: str) -> None:
    (tmp_path / "torchvision").mkdir()
    (tmp_path / "torchvision" / "__init__.py").write_text(code)
    script = (
        "from linne.fit.augment import transforms\n"
        "from linne.records.errors import InstallError\n"
        "try:\n    transforms()\n"
        "except InstallError as error:\n    assert 'torchvision' in error.problem and error.remedy\n"
        "else:\n    raise SystemExit('no error')\n"
    )
    path = os.pathsep.join([str(tmp_path), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", script], env={"PYTHONPATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
