"""Does the sheet show what training would see, and nothing that it must not?"""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from images import encode, place, scene
from PIL import Image
from small_networks import REAL_WEIGHTS, SMALL, small_network, small_pixels
from walked import state_of, write_digits

import linne
from linne.fit.augment import random_view
from linne.fit.decoded import Pictures
from linne.fit.draw import rng_of
from linne.fit.growth import Growth
from linne.fit.mixing import mix_of
from linne.fit.order import Order
from linne.fit.plan import RECIPES
from linne.fit.policy import Policy
from linne.fit.sources import AugmentedImages
from linne.index.photos import read_photos
from linne.nets.weights import write_weights
from linne.pixels.decode import decode
from linne.pixels.prepare import pixels_of
from linne.records.errors import DataError, LinneError, WriteError
from linne.records.plan import Plan
from linne.records.recipe import AUGMENTS, Augment

SPEC = replace(small_pixels(128), resize=144)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    root = tmp_path / "photos"
    for number in range(6):
        place(root / ("coat", "hat")[number % 2] / f"{number}.png", encode(scene(150, 170, seed=number), "PNG"))
    return root


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """Of a network that looks at 128 pixels: that is what a sheet enlarges nothing of."""
    path = tmp_path / "weights.safetensors"
    write_weights(path, small_network(), SMALL, SPEC)
    return path


def opened(sheet: Path) -> Image.Image:
    with Image.open(sheet) as picture:
        picture.load()
    return picture


def cells(sheet: Path, side: int) -> np.ndarray:
    """All squares of the sheet that a picture of this side could be at: ``(y, x, side, side, 3)``."""
    pixels = np.asarray(opened(sheet))
    return np.lib.stride_tricks.sliding_window_view(pixels, (side, side), axis=(0, 1)).transpose(0, 1, 3, 4, 2)


def places_of(picture: np.ndarray, sheet: Path) -> list[tuple[int, int]]:
    """Where ``(channels, height, width)`` stands in a sheet, pixel by pixel."""
    wanted = np.broadcast_to(picture, (3, *picture.shape[1:])).transpose(1, 2, 0)
    windows = cells(sheet, wanted.shape[0])
    found = np.argwhere((windows[:, :, 0] == wanted[0]).all((2, 3)))
    return [(int(y), int(x)) for y, x in found if np.array_equal(windows[y, x], wanted)]


def view_of(photos: Path, path: str, policy: Policy, seed: int, epoch: int) -> np.ndarray:
    index = read_photos(photos)
    row = index.row_of(path)
    out = torch.empty(1, 128, 128, 3, dtype=torch.uint8).permute(0, 3, 1, 2)
    random_view(Pictures(index, 3).of(row), SPEC, policy, rng_of(seed, epoch, row), out)
    return out[0].numpy()


@pytest.mark.parametrize("augment", AUGMENTS)
def test_rows_hold_what_validation_sees_and_then_the_views(
    photos: Path, weights: Path, tmp_path: Path, augment: Augment
) -> None:
    sheet = tmp_path / "sheet.png"
    made = linne.preview(photos, out=sheet, weights=weights, augment=augment, images=3, views=2, seed=4)
    assert made.pixels == SPEC
    assert len(made.images) == 3
    rows = []
    for path, label in made.images:
        assert path.startswith(label)
        whole = pixels_of(decode((photos / path).read_bytes(), 3), SPEC)
        pictures = [whole, *(view_of(photos, path, made.policy, 4, epoch) for epoch in (1, 2))]
        if augment == "none":
            assert all(np.array_equal(picture, whole) for picture in pictures)
            continue
        ((top, left), (y, x), (last_y, last_x)) = (places_of(picture, sheet)[0] for picture in pictures)
        assert top == y == last_y
        assert left < x < last_x
        rows.append(top)
    assert rows == sorted(rows)


def test_views_are_those_of_the_batches_that_are_trained_on(photos: Path, weights: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    made = linne.preview(photos, out=sheet, weights=weights, images=6, views=1, seed=2)
    index = read_photos(photos)
    growth, order = Growth(SPEC, None, None, 1, 1), Order.of(6, 6, 2)
    source = AugmentedImages(Pictures(index, 3), index.label, np.arange(6), growth, made.policy, order, False)
    ((views, labels),) = [(images.clone(), labels) for images, labels in source.epoch(1)]
    assert [index.labels[label] for label in labels] == [label for _, label in made.images]
    tops = [places_of(view.numpy(), sheet)[0][0] for view in views]
    assert tops == sorted(tops)


def test_mixed_rows_are_batches_mixed_as_in_training(photos: Path, weights: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    made = linne.preview(photos, out=sheet, weights=weights, mix=True, images=3, views=2, seed=1)
    assert made.mixes == (mix_of(1, 1, 0), mix_of(1, 2, 0))
    for epoch, mix in enumerate(made.mixes, 1):
        views = np.stack([view_of(photos, path, made.policy, 1, epoch) for path, _ in made.images])
        batch = torch.from_numpy(views).float()
        mixed, _ = mix.images(batch, batch.roll(1, 0))
        tops = {places_of(picture, sheet)[0][0] for picture in mixed.round().to(torch.uint8).numpy()}
        assert len(tops) == 1


def test_a_plan_shows_what_its_training_sees(photos: Path, tmp_path: Path) -> None:
    spec = replace(SPEC, height=128, width=128, fit="stretch")
    grown = replace(RECIPES["whole"], epochs=3, augment="trivial", mix=True, first_side=64, last_side=96)
    levels = (replace(RECIPES["stages"], frozen_stages=1, epochs=2), grown)
    Plan(SMALL, "weights", "fingerprint", spec, levels, False, 3, None, ()).write(tmp_path / "plan.json")
    sheet = tmp_path / "sheet.png"
    made = linne.preview(photos, out=sheet, plan=tmp_path / "plan.json", augment="light", images=2, seed=9)
    assert (made.network, made.augment, made.pixels) == (SMALL, "trivial", spec)
    assert made.policy == Policy.named("trivial", False)
    assert made.mixes == tuple(mix_of(3, epoch, 0) for epoch in (3, 4, 5))
    index = read_photos(photos)
    growth = Growth(spec, 64, 96, 3, 3)
    assert [growth.at(epoch).height for epoch in (3, 4, 5)] == [64, 64, 96]
    for path, _ in made.images:
        whole = pixels_of(decode((photos / path).read_bytes(), 3), spec)
        ((top, left),) = places_of(whole, sheet)
        row = index.row_of(path)
        for epoch in (3, 4, 5):
            size = growth.at(epoch)
            out = torch.empty(1, size.height, size.width, 3, dtype=torch.uint8).permute(0, 3, 1, 2)
            random_view(Pictures(index, 3).of(row), size, made.policy, rng_of(3, epoch, row), out)
            y, x = places_of(out[0].numpy(), sheet)[0]
            assert y == top
            assert x > left


def test_a_plan_that_varies_nothing_is_refused(photos: Path, tmp_path: Path) -> None:
    level = replace(RECIPES["stages"], frozen_stages=1)
    Plan(SMALL, "weights", "fingerprint", SPEC, (level,), True, 3, None, ()).write(tmp_path / "plan.json")
    with pytest.raises(LinneError) as caught:
        linne.preview(photos, out=tmp_path / "sheet.png", plan=tmp_path / "plan.json")
    assert caught.value.file == str(tmp_path / "plan.json")


@pytest.mark.parametrize("flip", [True, False])
def test_mirroring_may_be_decided_by_hand(photos: Path, tmp_path: Path, flip: bool) -> None:
    (photos / "coat").rename(photos / "left glove")
    made = linne.preview(photos, out=tmp_path / "sheet.png", images=1, views=1, flip=flip)
    assert made.policy.flip == flip
    assert "left glove" not in made.mirroring


def test_the_seed_decides(photos: Path, weights: Path, tmp_path: Path) -> None:
    sheets = [tmp_path / f"{number}.png" for number in range(3)]
    for sheet, seed in zip(sheets, (0, 0, 1), strict=True):
        linne.preview(photos, out=sheet, weights=weights, mix=True, images=2, views=2, seed=seed)
    same, again, other = (sheet.read_bytes() for sheet in sheets)
    assert same == again
    assert same != other


def test_the_sheet_grows_with_images_and_views(photos: Path, tmp_path: Path) -> None:
    def size(**asked: int | bool) -> tuple[int, int]:
        linne.preview(photos, out=tmp_path / "sheet.png", **{"images": 2, "views": 6, **asked})
        return opened(tmp_path / "sheet.png").size

    width, height = size()
    more, taller = size(views=8)
    assert more - width == 2 * (128 + 8)
    assert taller == height
    assert size(images=4)[1] - height == 2 * (size(images=3)[1] - height) > 2 * 128
    assert size(mix=True)[1] > height + 4 * 128


def test_an_image_that_cannot_be_read_is_named_and_left_out(photos: Path, tmp_path: Path) -> None:
    place(photos / "hat" / "9.png", b"\x89PNG\r\n\x1a\n rubbish")
    before = state_of(photos)
    made = linne.preview(photos, out=tmp_path / "sheet.png", images=20, views=1)
    assert list(made.left_out) == ["hat/9.png"]
    assert len(made.images) == 6
    assert state_of(photos) == before


def test_a_folder_of_one_image_will_do(tmp_path: Path) -> None:
    for folder in ("flat", "class/only"):
        place(tmp_path / folder / "0.png", encode(scene(90, 80), "PNG"))
        made = linne.preview(tmp_path / folder.split("/")[0], out=tmp_path / "sheet.png", mix=True)
        assert [label for _, label in made.images] == [""]
        assert made.policy.flip


@pytest.mark.parametrize("augment", AUGMENTS)
def test_gray_digits(tmp_path: Path, augment: Augment) -> None:
    write_digits(tmp_path / "digits", a_class=2, classes=3)
    made = linne.preview(tmp_path / "digits", out=tmp_path / "sheet.png", augment=augment, mix=True, images=4)
    assert made.pixels.channels == 1
    assert not made.policy.flip
    path = made.images[0][0]
    whole = pixels_of(decode((tmp_path / "digits" / path).read_bytes(), 1), made.pixels)
    assert places_of(whole.repeat(4, 1).repeat(4, 2), tmp_path / "sheet.png")


def test_test_and_validation_images_are_not_shown(tmp_path: Path) -> None:
    for number, subset in enumerate(("train", "train", "validation", "test", "test")):
        for label in "xy":
            content = encode(scene(60, 60, seed=2 * number + (label == "y")), "PNG")
            place(tmp_path / "photos" / subset / f"{label}-class" / f"{number}.png", content)
    made = linne.preview(tmp_path / "photos", out=tmp_path / "sheet.png", images=100, views=1)
    assert {path.split("/")[0] for path, _ in made.images} == {"train"}
    assert len(made.images) == 4


def test_a_zip_and_a_table(photos: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        for path in sorted(photos.rglob("*.png")):
            archive.write(path, path.relative_to(photos))
    (tmp_path / "photos.csv").write_text(
        "path,label\n" + "".join(f"photos/{p.relative_to(photos)},{p.parent.name}\n" for p in photos.rglob("*.png"))
    )
    for source in ("photos.zip", "photos.csv"):
        assert len(linne.preview(tmp_path / source, out=tmp_path / "sheet.png", views=1).images) == 6


def test_only_an_earlier_sheet_is_written_over(photos: Path, tmp_path: Path) -> None:
    for name in ("sheet.png", "sheet.jpg"):
        for _ in range(2):
            linne.preview(photos, out=tmp_path / name, images=1, views=1)
    mine = place(tmp_path / "mine.png")
    before = mine.read_bytes()
    with pytest.raises(WriteError):
        linne.preview(photos, out=mine)
    assert mine.read_bytes() == before
    (tmp_path / "folder.png").mkdir()
    for name in ("folder.png", "sheet.gif", "sheet"):
        with pytest.raises(WriteError):
            linne.preview(photos, out=tmp_path / name)


def test_a_sheet_never_becomes_one_of_the_photos(photos: Path) -> None:
    before = state_of(photos)
    for place_in in (photos, photos / "hat", photos / "new"):
        with pytest.raises(WriteError):
            linne.preview(photos, out=place_in / "preview.png")
    assert state_of(photos) == before


@pytest.mark.parametrize("asked", [{"images": 0}, {"images": 101}, {"views": 0}, {"views": 21}, {"seed": -1}])
def test_odd_numbers_are_refused(photos: Path, tmp_path: Path, asked: dict[str, int]) -> None:
    with pytest.raises(LinneError):
        linne.preview(photos, out=tmp_path / "sheet.png", **asked)
    assert not (tmp_path / "sheet.png").exists()


def test_nothing_readable_is_an_error(tmp_path: Path) -> None:
    for label in "ab":
        place(tmp_path / "photos" / label / "0.png", b"rubbish")
    with pytest.raises(DataError):
        linne.preview(tmp_path / "photos", out=tmp_path / "sheet.png")


def test_long_and_foreign_names_fit(tmp_path: Path) -> None:
    for label in ("Ärmel und Säume, " * 12, "衣服 [bold]", "two\nlines"):
        place(tmp_path / "photos" / label / "0.png", encode(scene(60, 60, seed=len(label)), "PNG"))
    made = linne.preview(tmp_path / "photos", out=tmp_path / "sheet.png", mix=True, views=1)
    assert len(made.images) == 3
    assert opened(tmp_path / "sheet.png").width < 600


@pytest.mark.real_data
def test_real_photos(tmp_path: Path) -> None:
    photos = REAL_WEIGHTS.parents[1] / "data" / "clothing" / "train"
    if not photos.is_dir():
        pytest.skip("the clothing photos do not lie beside the checkout")
    made = linne.preview(photos, out=tmp_path / "sheet.png", weights=REAL_WEIGHTS, augment="augmix", images=2)
    assert made.pixels.height == 224
    assert opened(tmp_path / "sheet.png").width > 7 * 224
