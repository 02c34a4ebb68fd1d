"""Are views random in the right way: by (seed, epoch, image) and nothing else?"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from images import encode, place, scene
from PIL import Image
from small_networks import small_pixels
from torchvision.transforms.v2 import functional

from linne.fit.augment import random_view, resized_crop
from linne.fit.decoded import Pictures
from linne.fit.draw import crop_box, draw, rng_of
from linne.fit.growth import Growth
from linne.fit.inputs import Normaliser
from linne.fit.order import Order
from linne.fit.policy import SMALL_SIDE, Policy
from linne.fit.prepared import prepared_batches
from linne.fit.sampling import shuffled
from linne.fit.sources import AugmentedImages, CachedActivations
from linne.index.class_folders import read_folder
from linne.nets.catalogue import entry
from linne.pixels.cache import PixelCache
from linne.pixels.decode import decode
from linne.pixels.prepare import normalise, pixels_of, prepare
from linne.pixels.shrunk import Decoded, Picture, Undecoded
from linne.records.fingerprint import of_bytes
from linne.records.index import Index
from linne.records.pixel_spec import Fit, PixelSpec
from linne.records.recipe import AUGMENTS, Augment

Area = tuple[float, float]

SPECS = {
    "photo": replace(small_pixels(96), width=80),
    "gray photo": replace(small_pixels(96), channels=1, mean=(0.5,), std=(0.5,)),
    "small": small_pixels(48),
    "digit": entry("lenet5").pixels,
}


def picture_for(spec: PixelSpec, seed: int = 0, size: tuple[int, int] = (150, 120)) -> Decoded:
    picture = Image.fromarray(scene(120, 150, seed)).resize(size)
    return Decoded(np.asarray(picture.convert("L"))[:, :, None] if spec.channels == 1 else np.asarray(picture))


def view_of(picture: Picture, spec: PixelSpec, flip: bool, *seed: int, area: Area = (0.35, 1)) -> torch.Tensor:
    out = torch.empty(1, spec.height, spec.width, spec.channels, dtype=torch.uint8).permute(0, 3, 1, 2)
    random_view(picture, spec, Policy(flip, area), rng_of(*seed, *(0,) * (3 - len(seed))), out)
    return out[0]


def images_of(index: Index, rows: np.ndarray, batch: int = 8, seed: int = 0, floats: bool = False) -> AugmentedImages:
    growth, order = Growth(small_pixels(), None, None, 1, 1), Order.of(len(rows), batch, seed)
    return AugmentedImages(Pictures(index, 3), index.label, rows, growth, Policy(True), order, floats)


def batches(source: AugmentedImages, epoch: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    return [(images.clone(), labels) for images, labels in source.epoch(epoch)]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    root = tmp_path_factory.mktemp("photos")
    for number in range(24):
        place(root / ("a", "b", "c")[number % 3] / f"{number}.png", encode(scene(50, 60, seed=number), "PNG"))
    return read_folder(root)


@pytest.mark.parametrize("kind", SPECS)
def test_views_differ_and_look_like_the_picture(kind: str) -> None:
    spec = SPECS[kind]
    means = [view_of(picture_for(spec), spec, True, seed).float().mean() for seed in range(20)]
    assert len(set(means)) == 20
    assert abs(np.mean(means) - picture_for(spec).pixels().mean()) < 30  # a digit is padded with white


@pytest.mark.parametrize("kind", SPECS)
def test_the_generator_decides(kind: str) -> None:
    spec, picture = SPECS[kind], picture_for(SPECS[kind])
    views = [view_of(picture, spec, True, 0, 1, seed) for seed in (7, 7, 8)]
    assert torch.equal(views[0], views[1])
    assert not torch.equal(views[0], views[2])


@pytest.mark.parametrize("kind", SPECS)
@pytest.mark.parametrize("flip", [True, False])
def test_mirrored_only_where_asked_for(kind: str, flip: bool) -> None:
    """A picture that is dark on the left and bright on the right."""
    spec = SPECS[kind]
    ramp = np.tile(np.linspace(0, 255, 150).astype(np.uint8), (120, 1))
    picture = Decoded(np.repeat(ramp[:, :, None], spec.channels, 2))
    mirrored = 0
    for seed in range(60):
        view = view_of(picture, spec, flip, seed).float()
        third = view.shape[2] // 3
        mirrored += bool(view[:, :, :third].mean() > view[:, :, -third:].mean())
    assert 15 < mirrored < 45 if flip else mirrored == 0


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (3, 2), (17, 4001)])
@pytest.mark.parametrize("kind", SPECS)
def test_odd_sizes(kind: str, size: tuple[int, int]) -> None:
    spec = SPECS[kind]
    picture = Decoded(np.full((size[1], size[0], spec.channels), 200, np.uint8))
    for seed in range(10):
        view = view_of(picture, spec, True, seed)
        assert view.shape == (spec.channels, spec.height, spec.width)
        assert 130 <= view.min() <= view.max()  # brightness and contrast of one colour, and nothing else


def test_inputs_that_are_small_only_at_first_are_coloured_as_they_will_be(tmp_path: Path) -> None:
    """Those of digits are only turned and shifted, and keep their colours."""
    for number in range(8):
        place(tmp_path / "ab"[number % 2] / f"{number}.png", encode(np.full((70, 80, 3), 128, np.uint8), "PNG"))
    flat = read_folder(tmp_path)
    for full, coloured in ((96, True), (64, False)):
        growth, order = Growth(small_pixels(full), 64, full, 1, 9), Order.of(8, 8, 0)
        source = AugmentedImages(Pictures(flat, 3), flat.label, np.arange(8), growth, Policy(True), order, False)
        ((views, _),) = source.epoch(1)
        assert views.shape == (8, 3, 64, 64)
        assert (len(views[:, 0, 32, 32].unique()) > 4) == coloured
        assert (views == 128).all() != coloured


@pytest.mark.parametrize("size", [(1, 1), (20_000, 20), (20, 20_000)])
@pytest.mark.parametrize("augment", AUGMENTS)
@pytest.mark.parametrize("kind", SPECS)
def test_the_oddest_files_go_through_every_policy(kind: str, augment: Augment, size: tuple[int, int]) -> None:
    """Stripes across the long side; in a picture that is squeezed they would be gone."""
    spec = SPECS[kind]
    stripes = np.uint8(255) * (np.indices(size[::-1]).sum(0) // 5 % 2).astype(np.uint8)
    pixels = np.repeat(stripes[:, :, None], spec.channels, 2)
    content = encode(pixels if spec.channels == 3 else pixels[:, :, 0], "PNG")
    for epoch in range(5):
        out = torch.zeros(1, spec.height, spec.width, spec.channels, dtype=torch.uint8).permute(0, 3, 1, 2)
        picture = Undecoded(content, spec.channels)
        random_view(picture, spec, Policy.named(augment, True), rng_of(0, epoch, 0), out)
        if augment == "light" and spec.fit == "crop" and max(size) > 1 and spec.height > SMALL_SIDE:
            assert out.float().std() > 60


def test_crops_of_a_strip_keep_its_proportions() -> None:
    spec = SPECS["photo"]
    for seed in range(50):
        _, _, width, height = draw(20_000, 20, spec, Policy(True), rng_of(seed, 0, 0)).box
        assert 1 / 2 < width / height < 2


@pytest.mark.parametrize("kind", SPECS)
@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
def test_without_augmentation_a_view_is_what_validation_sees(kind: str, fit: Fit) -> None:
    spec = replace(SPECS[kind], fit=fit, resize=110 if fit == "crop" else 0, interpolation="bicubic")
    picture = picture_for(spec)
    pixels = picture.pixels()
    content = encode(pixels if spec.channels == 3 else pixels[:, :, 0], "PNG")
    expected = pixels_of(decode(content, spec.channels), spec)
    policy = Policy.named("none", True)
    for seed in range(3):
        out = torch.empty(1, spec.height, spec.width, spec.channels, dtype=torch.uint8).permute(0, 3, 1, 2)
        random_view(Undecoded(content, spec.channels), spec, policy, rng_of(seed, 0, 0), out)
        assert np.array_equal(out[0], expected)


def test_without_augmentation_a_jpeg_and_a_cached_picture_are_nearly_that(tmp_path: Path) -> None:
    spec = replace(small_pixels(96), resize=110)
    content = encode(np.asarray(Image.fromarray(scene(300, 400, 1))), "JPEG")
    place(tmp_path / "a" / "0.jpg", content)
    place(tmp_path / "b" / "0.jpg", encode(scene(300, 400, 2), "JPEG"))
    index, policy = read_folder(tmp_path), Policy.named("none", True)
    expected = pixels_of(decode(content, 3), spec).astype(int)
    digest = np.array([list(of_bytes(index.content(row).read())) for row in range(2)], np.uint8)
    with closing(PixelCache(tmp_path / "cache", digest, 3, policy.cache_side(spec), 10_000_000)) as cache:
        for pictures in (Pictures(index, 3), Pictures(index, 3, cache, digest)):
            out = torch.empty(1, 96, 96, 3, dtype=torch.uint8).permute(0, 3, 1, 2)
            random_view(pictures.of(0), spec, policy, rng_of(0, 0, 0), out)
            assert np.abs(out[0].numpy().astype(int) - expected).mean() < 4


@pytest.mark.parametrize(("width", "height"), [(100, 80), (1, 1), (1, 500), (640, 3)])
def test_crops_lie_in_the_picture(width: int, height: int) -> None:
    rng = rng_of(0, 0, 0)
    for _ in range(300):
        left, top, crop_width, crop_height = crop_box(width, height, (0.35, 1.0), rng)
        assert left >= 0
        assert top >= 0
        assert left + crop_width <= width
        assert top + crop_height <= height
        assert min(crop_width, crop_height) > 0


def test_an_epoch_is_the_same_whatever_the_threads_do(index: Index) -> None:
    spec, rows = small_pixels(), np.arange(20)
    source = images_of(index, rows, seed=5)
    first = batches(source, 3)
    cores = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(cores)})
        again = batches(source, 3)
    finally:
        os.sched_setaffinity(0, cores)
    order = shuffled(20, 8, 5, 3)
    assert len(first) == len(again) == len(order) == 2
    for (views, labels), (others, same), places in zip(first, again, order, strict=True):
        assert torch.equal(views, others)
        assert torch.equal(labels, same)
        for view, row in zip(views, rows[places], strict=True):
            picture = Undecoded(index.content(int(row)).read(), 3)
            assert torch.equal(view, view_of(picture, spec, True, 5, 3, int(row)))
        assert labels.tolist() == index.label[rows[places]].tolist()


def test_another_epoch_and_another_seed_give_other_views(index: Index) -> None:
    def of_row_0(seed: int, epoch: int) -> torch.Tensor:
        return batches(images_of(index, np.array([0]), seed=seed), epoch)[0][0]

    assert torch.equal(of_row_0(0, 1), of_row_0(0, 1))
    assert not torch.equal(of_row_0(0, 1), of_row_0(0, 2))
    assert not torch.equal(of_row_0(0, 1), of_row_0(1, 1))


@pytest.mark.parametrize(("images", "batch", "sizes"), [(20, 8, [8, 8]), (8, 8, [8]), (5, 8, [5]), (9, 8, [8])])
def test_batches_have_one_size(images: int, batch: int, sizes: list[int]) -> None:
    source = CachedActivations([np.zeros((images, 1, 1, 1), np.float16)], np.arange(images), Order.of(images, batch, 0))
    epochs = [[labels.tolist() for _, labels in source.epoch(epoch)] for epoch in (1, 2, 1)]
    assert [len(labels) for labels in epochs[0]] == sizes
    seen = [label for labels in epochs[0] for label in labels]
    assert len(set(seen)) == len(seen)
    assert epochs[0] == epochs[2]
    assert epochs[0] != epochs[1]


def test_cached_activations_stay_with_their_labels() -> None:
    labels = np.arange(30, dtype=np.int64)
    source = CachedActivations([labels.astype(np.float16)[:, None, None, None]], labels, Order.of(30, 7, 0))
    for values, given in source.epoch(1):
        assert values.dtype == torch.float32
        assert values.flatten().tolist() == given.tolist()


@pytest.mark.parametrize("kind", SPECS)
def test_normalised_as_for_validation(kind: str) -> None:
    channels = SPECS[kind].channels
    spec = replace(SPECS[kind], mean=(0.4, 0.5, 0.6)[:channels], std=(0.2, 0.3, 0.1)[:channels])
    pixels = np.random.default_rng(0).integers(0, 256, (3, spec.channels, spec.height, spec.width), dtype=np.uint8)
    batch = torch.from_numpy(pixels).contiguous(memory_format=torch.channels_last)
    inputs = Normaliser(spec, torch.device("cpu"))(batch)
    assert inputs.is_contiguous(memory_format=torch.channels_last)
    np.testing.assert_allclose(inputs.numpy(), normalise(pixels, spec), rtol=0, atol=2e-6)
    assert torch.equal(batch, torch.from_numpy(pixels))


def test_resizing_is_that_of_torchvision_and_of_pillow() -> None:
    """The box in whole pixels, antialiased."""
    picture = Decoded(scene(120, 150, seed=1))
    for left, top, width, height in ((10, 20, 100, 80), (0, 0, 150, 120), (40, 30, 40, 50)):
        out = torch.empty(1, 64, 48, 3, dtype=torch.uint8).permute(0, 3, 1, 2)
        resized_crop(picture, (left, top, width, height), out)
        whole = torch.from_numpy(picture.pixels()).permute(2, 0, 1)
        theirs = functional.resized_crop(whole, top, left, height, width, [64, 48], antialias=True)
        assert (out[0].int() - theirs.int()).abs().max() <= 1
        box = (left, top, left + width, top + height)
        pillow = Image.fromarray(picture.pixels()).crop(box).resize((48, 64), Image.Resampling.BILINEAR)
        assert np.abs(out[0].permute(1, 2, 0).int().numpy() - np.asarray(pillow).astype(int)).max() <= 1


def digests(index: Index) -> np.ndarray:
    return np.stack([np.frombuffer(of_bytes(index.content(row).read()), np.uint8) for row in range(len(index))])


def test_prepared_batches_are_the_exact_inputs_in_order(index: Index) -> None:
    rows = np.array([5, 0, 23, 7, 7])
    failed: dict[int, str] = {}
    found = list(prepared_batches(index, rows, digests(index), small_pixels(), 2, failed))
    assert [places.tolist() for places, _ in found] == [[0, 1], [2, 3], [4]]
    expected = [prepare(index.content(int(row)).read(), small_pixels()) for row in rows]
    np.testing.assert_array_equal(np.concatenate([inputs for _, inputs in found]), np.stack(expected))
    assert not failed


def test_pictures_that_went_bad_are_named_and_left_out_and_no_thread_is_left(tmp_path: Path) -> None:
    for number in range(12):
        place(tmp_path / ("a", "b")[number % 2] / f"{number}.png", encode(scene(40, 40, seed=number), "PNG"))
    folder = read_folder(tmp_path)
    digest = digests(folder)
    (tmp_path / "a" / "4.png").write_bytes(b"no image")
    (tmp_path / "b" / "5.png").unlink()
    (tmp_path / "a" / "6.png").write_bytes((tmp_path / "a" / "6.png").read_bytes()[:-40])
    source, whole = images_of(folder, np.arange(12), 4), shuffled(12, 4, 0, 1)
    bad = {row for row in range(12) if folder.path(row) in ("a/4.png", "b/5.png", "a/6.png")}
    for (images, labels), rows in zip(batches(source, 1), whole, strict=True):
        kept = [row for row in rows.tolist() if row not in bad]
        assert labels.tolist() == folder.label[kept].tolist()
        for image, row in zip(images, kept, strict=True):
            picture = Undecoded(folder.content(row).read(), 3)
            assert torch.equal(image, view_of(picture, small_pixels(), True, 0, 1, row))
    assert set(source.failed) == bad
    assert all(folder.path(row) in reason for row, reason in source.failed.items())
    failed: dict[int, str] = {}
    places = [p for p, _ in prepared_batches(folder, np.arange(12), digest, small_pixels(), 4, failed)]
    assert np.concatenate(places).tolist() == [row for row in range(12) if row not in bad]
    assert set(failed) == bad
    swapped = folder.path(0)
    (tmp_path / swapped).write_bytes((tmp_path / folder.path(1)).read_bytes())
    assert not list(prepared_batches(folder, np.array([0]), digest, small_pixels(), 4, failed))
    assert swapped in failed[0]
    assert not [t for t in threading.enumerate() if t.name.startswith(("augment", "decode"))]


def test_leaving_an_epoch_early_leaves_no_thread(index: Index) -> None:
    for batch in images_of(index, np.arange(24), 4).epoch(1):
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


def test_floats_are_the_same_views_normalised(index: Index) -> None:
    whole, floats = (batches(images_of(index, np.arange(24), floats=floats), 1) for floats in (False, True))
    for (images, labels), (inputs, same) in zip(whole, floats, strict=True):
        assert torch.equal(labels, same)
        assert torch.equal(Normaliser(small_pixels(), torch.device("cpu"))(images), inputs)


@pytest.mark.parametrize("floats", [False, True])
def test_a_jpeg_that_ends_early_is_left_out(floats: bool, tmp_path: Path) -> None:
    for number in range(4):
        content = encode(scene(40, 40, seed=number), "JPEG")
        place(tmp_path / "ab"[number % 2] / f"{number}.jpg", content if number else content[: len(content) // 2])
    folder = read_folder(tmp_path)
    source = images_of(folder, np.arange(4), 4, floats=floats)
    assert [len(labels) for _, labels in batches(source, 1)] == [3]
    assert [folder.path(row) for row in source.failed] == ["a/0.jpg"]
