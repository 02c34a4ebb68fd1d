"""A second audit looks only for copies of what was added, and says what the first would have said of everything."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from images import scene
from numpy.typing import NDArray
from PIL import Image, ImageOps

from linne.audit import compared
from linne.audit.compared import Known, recall, remember
from linne.audit.duplicates import find_pairs
from linne.audit.pairs import Pairs, duplicate_groups
from linne.audit.pictures import Pictures
from linne.audit.turned import codes
from linne.pixels.perceptual import perceptual_hash, thumbnail
from linne.records.progress import Silent

Turn = Image.Transpose


def pictures() -> list[Image.Image]:
    """Nine scenes: six of them again darker, mirrored, turned left and right, cropped, and all of it at once."""
    scenes = [Image.fromarray(scene(90, 120, seed)) for seed in range(9)]
    again = [
        scenes[0].point(lambda value: round(value * 0.9)),
        ImageOps.mirror(scenes[1]),
        scenes[2].transpose(Turn.ROTATE_90),
        scenes[3].transpose(Turn.ROTATE_270),
        scenes[4].resize((60, 45)),
        scenes[0].resize((60, 45)),
    ]
    return [*scenes, *again]


class Seen:
    """What an audit knows of some pictures."""

    def __init__(self, rows: list[int]) -> None:
        some = pictures()
        self.digest = np.array([[row + 1] * 16 for row in rows], np.uint8).reshape(-1, 16)
        self.hash = np.array([perceptual_hash(some[row]) for row in rows], np.uint64)
        self.thumb = np.array([thumbnail(some[row]) for row in rows], np.uint8).reshape(-1, 16, 16)
        self.detail = np.array([thumbnail(some[row], 32) for row in rows], np.uint8).reshape(-1, 32, 32)
        rng = np.random.default_rng(0)
        every = rng.normal(size=(len(some), 40)).astype(np.float32)
        self.features = every[rows]
        self.readable = np.ones(len(rows), bool)

    def pairs(self, known: Known) -> Pairs:
        seen = Pictures(self.digest, self.hash, self.thumb, self.detail, self.features, self.readable)
        return find_pairs(seen, known, 2, Silent())


def groups_by_digest(seen: Seen, pairs: Pairs) -> set[frozenset[int]]:
    group = duplicate_groups(pairs, len(seen.digest))
    return {frozenset(seen.digest[group == number, 0].tolist()) for number in np.unique(group)}


ALL = list(range(15))


@pytest.mark.parametrize("order", [ALL, ALL[::-1], [3, 14, 0, 9, 11, 2, 12, 5, 1, 4, 6, 10, 13, 7, 8]])
@pytest.mark.parametrize("before", [[0], [0, 1, 2, 3], [9, 10, 11, 12, 14], [0, 9, 2, 11, 14]])
def test_what_was_added_finds_its_copies_among_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: list[int], order: list[int]
) -> None:
    monkeypatch.setattr(compared, "MOST_GROWN", len(order))
    old, now = Seen(before), Seen(order)
    remember(tmp_path / "compared.npz", old.digest, old.readable, old.pairs(Known.nothing(len(before))))
    known = recall(tmp_path / "compared.npz", now.digest, now.readable)
    assert known.compared.sum() == len(before)
    again, afresh = now.pairs(known), now.pairs(Known.nothing(15))
    assert groups_by_digest(now, again) == groups_by_digest(now, afresh)
    told = [
        set(zip(*(column.tolist() for column in (p.first, p.second, p.kind, p.score)), strict=True))
        for p in (again, afresh)
    ]
    assert told[0] == told[1]


def test_a_set_that_has_grown_by_more_than_half_is_compared_anew(tmp_path: Path) -> None:
    """What is usual in it, by which embeddings are called close, is not what it was."""
    for before, expected in ((9, 0), (10, 10)):
        old, now = Seen(ALL[:before]), Seen(ALL)
        remember(tmp_path / "compared.npz", old.digest, old.readable, old.pairs(Known.nothing(before)))
        assert recall(tmp_path / "compared.npz", now.digest, now.readable).compared.sum() == expected


def test_what_is_known_is_not_looked_for_again(tmp_path: Path) -> None:
    seen = Seen(ALL)
    pairs = seen.pairs(Known.nothing(15))
    remember(tmp_path / "compared.npz", seen.digest, seen.readable, pairs)
    known = recall(tmp_path / "compared.npz", seen.digest, seen.readable)
    assert known.compared.all()
    seen.hash[:] = np.arange(15)  # nothing could be found with these
    seen.thumb[:] = np.random.default_rng(0).integers(0, 256, seen.thumb.shape)
    again = seen.pairs(known)
    assert again.first.tolist() == pairs.first.tolist()
    assert again.kind.tolist() == pairs.kind.tolist()
    assert again.score.tolist() == pairs.score.tolist()


def test_where_a_copy_is_gone_the_others_of_its_group_are_compared_again(tmp_path: Path) -> None:
    """0, 9 and 14 are one picture, joined by two pairs: without the one in the middle, two are still one."""
    old = Seen(ALL)
    pairs = old.pairs(Known.nothing(15))
    remember(tmp_path / "compared.npz", old.digest, old.readable, pairs)
    for gone in (0, 9, 14):
        now = Seen([row for row in ALL if row != gone])
        known = recall(tmp_path / "compared.npz", now.digest, now.readable)
        assert (~known.compared).sum() == 2
        left = frozenset({1, 10, 15} - {gone + 1})
        assert left in groups_by_digest(now, now.pairs(known))


def damage(path: Path, how: str) -> None:
    content = path.read_bytes()
    if how == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif how == "altered":
        arrays = dict(np.load(path))
        arrays["kind"] = arrays["kind"] + np.int8(1)
        np.savez(path, **arrays)
    elif how == "gone":
        path.unlink()
    else:
        path.write_bytes(b"")


@pytest.mark.parametrize("how", ["cut", "altered", "gone", "empty"])
def test_a_damaged_memory_is_none(tmp_path: Path, how: str) -> None:
    seen, path = Seen(ALL), tmp_path / "compared.npz"
    remember(path, seen.digest, seen.readable, seen.pairs(Known.nothing(15)))
    damage(path, how)
    known = recall(path, seen.digest, seen.readable)
    assert not known.compared.any()
    assert len(known.pairs.first) == 0


def test_nothing_compared_before_and_nothing_there_now(tmp_path: Path) -> None:
    empty, some = Seen([]), Seen([0, 9])
    remember(tmp_path / "none.npz", empty.digest, empty.readable, empty.pairs(Known.nothing(0)))
    assert not recall(tmp_path / "none.npz", some.digest, some.readable).compared.any()
    remember(tmp_path / "some.npz", some.digest, some.readable, some.pairs(Known.nothing(2)))
    assert len(recall(tmp_path / "some.npz", empty.digest, empty.readable).compared) == 0


def test_the_codes_of_turned_pictures_are_those_of_turning_the_thumbnail() -> None:
    thumbs: NDArray[np.uint8] = Seen(ALL).thumb
    assert codes(thumbs[:, :, ::-1]).tolist() == codes(thumbs, 1).tolist()
