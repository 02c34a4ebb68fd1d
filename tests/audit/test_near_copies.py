"""Copies that were mirrored, turned, cropped or written on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from images import encode, scene
from numpy.typing import NDArray
from PIL import Image, ImageOps
from planted_copies import as_set, digit_pictures, pairs_among

from linne.audit.alignment import Likeness, align, structure_likeness
from linne.audit.compared import Known
from linne.audit.duplicates import find_pairs
from linne.audit.neighbours import ALONE, Directions, close_pairs, nearest_of_some
from linne.audit.pairs import EDITED, Forest
from linne.audit.pictures import Pictures
from linne.audit.turned import TURNS, codes, turned
from linne.pixels.perceptual import thumbnail
from linne.records.progress import Silent

Turn = Image.Transpose
WAYS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "mirrored": ImageOps.mirror,
    "upside down": lambda picture: picture.transpose(Turn.ROTATE_180),
    "flipped upside down": ImageOps.flip,
    "turned left and mirrored": lambda picture: picture.transpose(Turn.TRANSVERSE),
    "turned right and mirrored": lambda picture: picture.transpose(Turn.TRANSPOSE),
    # The finding says how the copy has to be turned to look like the first.
    "turned right": lambda picture: picture.transpose(Turn.ROTATE_90),
    "turned left": lambda picture: picture.transpose(Turn.ROTATE_270),
}


@pytest.mark.parametrize("way", WAYS)
def test_pictures_that_were_turned_or_mirrored_are_copies(way: str) -> None:
    pictures = [Image.fromarray(scene(120, 160, seed)) for seed in range(12)]
    pairs = pairs_among([encode(picture, "JPEG") for picture in [*pictures, *map(WAYS[way], pictures)]])
    assert as_set(pairs) == {(row, row + 12) for row in range(12)}
    assert {TURNS[kind] for kind in pairs.kind} == {way}


def test_digits_that_are_taken_for_turned_copies_are_few() -> None:
    """A six is a nine upside down, and an eight is an eight."""
    files = [encode(picture, "PNG") for picture in digit_pictures(1797)]
    pairs = pairs_among(files)
    assert (pairs.kind > 0).sum() <= 5


def test_turning_a_thumbnail_eight_ways_gives_eight_pictures() -> None:
    thumb = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    assert len({turned(thumb, way).tobytes() for way in range(8)}) == 8
    assert len(set(codes(np.concatenate([turned(thumb, way) for way in range(8)])).tolist())) > 1


def crops(cut: float, side: int = 16) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Thumbnails of ten scenes, and of the same with some cut off on the left and at the bottom."""
    pictures = [Image.fromarray(scene(300, 400, seed)) for seed in range(10)]
    parts = [picture.crop((round(400 * cut), 0, 400, round(300 * (1 - cut)))) for picture in pictures]
    return np.array([thumbnail(picture, side) for picture in pictures]), np.array(
        [thumbnail(part, side) for part in parts]
    )


@pytest.mark.parametrize("cut", [0.05, 0.1])
def test_a_part_is_laid_over_the_whole(cut: float) -> None:
    wholes, parts = crops(cut)
    before = Likeness(np.concatenate([wholes, parts]))(np.arange(10), np.arange(10, 20))
    after, placement = align(wholes, parts)
    assert (after >= before).all()
    assert (after > 0.97).all()
    assert (placement[:, 0] == 0).all()
    assert np.abs(placement[:, 1] - cut).max() < 0.03
    turned_round, other_way = align(parts, wholes)
    assert np.abs(after - turned_round).max() < 1e-5
    assert (other_way[:, 0] == 1).all()
    assert align(wholes, np.roll(parts, 1, axis=0))[0].max() < after.min()


@pytest.mark.parametrize("cut", [0.05, 0.1])
def test_the_fine_structure_of_a_part_is_that_of_the_whole(cut: float) -> None:
    wholes, parts = crops(cut)
    whole_detail, part_detail = crops(cut, 32)
    right = structure_likeness(whole_detail, part_detail, align(wholes, parts)[1])
    swapped = structure_likeness(part_detail, whole_detail, align(parts, wholes)[1])
    wrong = structure_likeness(whole_detail, np.roll(part_detail, 1, axis=0), align(wholes, np.roll(parts, 1, 0))[1])
    assert right.min() > 0.6
    assert np.abs(right - swapped).max() < 1e-4
    assert wrong.max() < 0.5


def embedded(rows: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=(rows, 96)).astype(np.float32)


def test_cropped_pictures_with_close_embeddings_are_copies_and_others_are_not() -> None:
    wholes, parts = crops(0.08)
    others = np.array([thumbnail(Image.fromarray(scene(300, 400, seed))) for seed in range(10, 40)])
    thumbs, features = np.concatenate([wholes, parts, others]), embedded(50)
    features[10:15] = features[:5] + 0.2 * features[10:15]  # the embeddings of the last five say that they differ
    details = thumbs.repeat(2, axis=1).repeat(2, axis=2)
    details[:20] = np.concatenate(crops(0.08, 32))
    digest = np.random.default_rng(1).integers(0, 256, (50, 16), dtype=np.uint8)
    seen = Pictures(digest, codes(thumbs), thumbs, details, features, np.ones(50, bool))
    pairs = find_pairs(seen, Known.nothing(50), 2, Silent())
    assert {(row, row + 10) for row in range(5)} <= as_set(pairs)
    edited = pairs.kind == EDITED
    assert set(pairs.second[edited].tolist()) <= set(range(10, 15))
    assert edited.any()


def test_close_embeddings_of_pictures_that_do_not_look_alike_are_no_copies() -> None:
    thumbs = np.random.default_rng(0).integers(0, 256, (20, 16, 16), dtype=np.uint8)
    features = embedded(20)
    features[10:] = features[:10] * 1.01
    digest = np.random.default_rng(1).integers(0, 256, (20, 16), dtype=np.uint8)
    details = thumbs.repeat(2, axis=1).repeat(2, axis=2)
    seen = Pictures(digest, codes(thumbs), thumbs, details, features, np.ones(20, bool))
    pairs = find_pairs(seen, Known.nothing(20), 2, Silent())
    assert not as_set(pairs)


def all_close(features: NDArray[np.float32], distance: float) -> dict[tuple[int, int], float]:
    directions = Directions(features, np.arange(len(features)))
    out = {}
    rng = np.random.default_rng(0)
    for first, second, cosine in close_pairs(directions, distance, 0, directions.rows, rng, Silent()):
        out |= dict(zip(zip(first.tolist(), second.tolist(), strict=True), cosine.tolist(), strict=True))
    return out


def test_close_embeddings_are_those_that_comparing_each_with_each_gives() -> None:
    features = embedded(3000)
    features[2000:] = features[:1000] + 0.4 * features[2000:]
    centred = features - features.mean(axis=0)
    units = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    first, second = np.nonzero(np.triu(units @ units.T >= 0.9, 1))
    assert set(all_close(features, 0.1)) == set(zip(first.tolist(), second.tolist(), strict=True))


def test_hardly_a_close_pair_is_lost_in_the_cells_of_many_images() -> None:
    features = embedded(ALONE + 4000)
    features[-4000:] = features[:4000] + 0.25 * features[-4000:]
    pairs = all_close(features, 0.1)
    planted = {(row, row + ALONE) for row in range(4000)}
    assert set(pairs) <= planted
    assert len(pairs) >= 0.99 * 4000


def test_the_nearest_of_some_are_the_nearest() -> None:
    features = embedded(5000)
    directions = Directions(features, np.arange(5000))
    places, nearest, cosine = nearest_of_some(directions, np.random.default_rng(0))
    units = directions[slice(0, 5000)]
    cosines = units[places] @ units.T
    cosines[np.arange(len(places)), places] = -1
    assert len(np.unique(places)) == 1000
    assert nearest.tolist() == cosines.argmax(axis=1).tolist()
    assert np.abs(cosine - cosines.max(axis=1)).max() < 1e-5


@pytest.mark.parametrize("network", [0, 1])
def test_digits_of_one_class_are_no_edited_copies_of_each_other(network: int) -> None:
    """They agree in what little they hold, and embeddings of digits of one class lie close."""
    pictures = digit_pictures(300)
    thumbs = np.array([thumbnail(picture) for picture in pictures])
    details = np.array([thumbnail(picture, 32) for picture in pictures])
    pixels = thumbs.reshape(300, -1).astype(np.float32)
    mixed = np.random.default_rng(0).normal(size=(256, 64)).astype(np.float32)
    features = [pixels, np.maximum(pixels @ mixed, 0)][network]
    digest = np.random.default_rng(1).integers(0, 256, (300, 16), dtype=np.uint8)
    seen = Pictures(digest, codes(thumbs), thumbs, details, features, np.ones(300, bool))
    assert not (find_pairs(seen, Known.nothing(300), 2, Silent()).kind == EDITED).any()


def test_the_surer_way_to_know_a_pair_is_told() -> None:
    forest = Forest(3)
    one, two = np.array([0]), np.array([1])
    forest.add(one, two, np.array([0.9], np.float32), EDITED)
    forest.add(one, two, np.array([0.99], np.float32), 1)
    forest.add(two, np.array([2]), np.array([0.8], np.float32), EDITED)
    pairs = forest.pairs()
    assert as_set(pairs) == {(0, 1), (1, 2)}
    assert pairs.kind.tolist() == [1, EDITED]


def test_the_nearest_are_given_up_to_a_distance_of_their_own() -> None:
    features = np.eye(30, dtype=np.float32)
    features[10:20] = 0.7 * features[:10] + 0.3 * features[10:20]
    directions = Directions(features, np.arange(30))
    units = directions[slice(0, 30)]
    rng = np.random.default_rng(0)
    given = {
        (one, two): cosine
        for first, second, cosines in close_pairs(directions, 0.01, 0.3, directions.rows, rng, Silent())
        for one, two, cosine in zip(first.tolist(), second.tolist(), cosines.tolist(), strict=True)
    }
    assert set(given) == {(row, row + 10) for row in range(10)}
    for (one, two), cosine in given.items():
        assert cosine == pytest.approx(units[one] @ units[two], abs=1e-5)
