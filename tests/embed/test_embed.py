"""Does the pass give what the network gives, and compute nothing twice?"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from images import encode, place, scene
from small_networks import eager, gray_backbone, small_backbone

from linne.embed import one_pass
from linne.embed.backbone import Backbone
from linne.embed.embedding import Embedding, activations, embed, stored_shares
from linne.index.class_folders import read_folder
from linne.pixels.prepare import prepare
from linne.records.fingerprint import of_bytes
from linne.records.index import Index
from linne.records.progress import Silent

FROZEN = {"colour": small_backbone, "gray": gray_backbone}


def run(index: Index, frozen: Backbone | None, cache: Path, stage: int | None = None) -> Embedding:
    return embed(index, frozen, cache, Silent(), stage, None if frozen is None else eager(frozen, stage))


def directly(index: Index, frozen: Backbone) -> np.ndarray:
    """Features of one image after the other."""
    network = frozen.network
    with torch.inference_mode():
        return np.concatenate(
            [
                network.forward_head(
                    network.forward_features(torch.from_numpy(prepare(index.content(row).read(), frozen.pixels))[None]),
                    pre_logits=True,
                ).numpy()
                for row in range(len(index))
            ]
        )


@pytest.mark.parametrize("kind", FROZEN)
def test_features_are_the_networks(index: Index, tmp_path: Path, kind: str) -> None:
    frozen = FROZEN[kind]()
    found = embed(index, frozen, tmp_path / "cache", Silent())  # by the backend that is picked
    assert found.network
    assert found.backend is not None
    np.testing.assert_allclose(found.features, directly(index, frozen), rtol=0, atol=1e-4)
    assert found.passed.readable.all()
    assert len(np.unique(found.hash)) > 30


def test_a_second_pass_computes_nothing_and_gives_the_same(index: Index, tmp_path: Path) -> None:
    frozen = small_backbone()
    first, second = (run(index, frozen, tmp_path / "cache") for _ in range(2))
    assert (first.passed.computed, second.passed.computed) == (40, 0)
    for name in ("features", "thumb", "hash"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
    np.testing.assert_array_equal(first.passed.digest, second.passed.digest)


def test_little_room_for_what_waits_changes_nothing(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = run(index, small_backbone(), tmp_path / "some")
    monkeypatch.setattr(one_pass, "WAITING", 1)
    less = run(index, small_backbone(), tmp_path / "none")
    np.testing.assert_array_equal(found.features, less.features)


def test_a_renamed_and_moved_photo_costs_nothing(index: Index, photos: Path, tmp_path: Path) -> None:
    frozen = small_backbone()
    first = run(index, frozen, tmp_path / "cache")
    shutil.move(photos, tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "b" / "01.png").rename(tmp_path / "elsewhere" / "a" / "zz.png")
    moved = read_folder(tmp_path / "elsewhere")
    second = run(moved, frozen, tmp_path / "cache")
    assert second.passed.computed == 0
    row = moved.paths.to_pylist().index("a/zz.png")
    np.testing.assert_array_equal(second.features[row], first.features[index.paths.to_pylist().index("b/01.png")])


def test_the_same_bytes_are_computed_once(photos: Path, tmp_path: Path) -> None:
    for number in range(5):
        shutil.copy(photos / "a" / "00.png", photos / "b" / f"copy{number}.png")
    index, frozen = read_folder(photos), small_backbone()
    found = run(index, frozen, tmp_path / "cache")
    assert (len(index), found.passed.computed) == (45, 40)
    copies = [row for row, path in enumerate(index.paths.to_pylist()) if path == "a/00.png" or "copy" in path]
    assert len(copies) == 6
    assert (found.features[copies] == found.features[copies[0]]).all()


def test_changed_bytes_are_computed_again(photos: Path, tmp_path: Path) -> None:
    frozen = small_backbone()
    first = run(read_folder(photos), frozen, tmp_path / "cache")
    place(photos / "a" / "00.png", encode(scene(40, 50, seed=999), "PNG"))
    index = read_folder(photos)
    second = run(index, frozen, tmp_path / "cache")
    assert second.passed.computed == 1
    changed = (first.features != second.features).any(axis=1)
    assert np.flatnonzero(changed).tolist() == [index.paths.to_pylist().index("a/00.png")]


def test_another_preprocessing_and_other_weights_have_shelves_of_their_own(index: Index, tmp_path: Path) -> None:
    frozen = small_backbone()
    run(index, frozen, tmp_path / "cache")
    darker = replace(frozen, pixels=replace(frozen.pixels, mean=(0.4, 0.4, 0.4)))
    others = [darker, small_backbone(seed=1)]
    assert len({one.shelf("pooled") for one in (frozen, *others)}) == 3
    for other in others:
        found = run(index, other, tmp_path / "cache")
        assert found.passed.computed == 40
        np.testing.assert_allclose(found.features, directly(index, other), atol=1e-4)


def test_a_backbone_is_named_by_its_weights_alone() -> None:
    assert small_backbone().weights == small_backbone().weights
    changed = small_backbone()
    with torch.no_grad():
        next(changed.network.buffers())[0] += 1
    from linne.embed.backbone import backbone

    assert backbone(changed.network, changed.pixels).weights != small_backbone().weights


def test_unreadable_images_get_a_reason_and_zeros(photos: Path, tmp_path: Path) -> None:
    place(photos / "a" / "noise.png", b"\x89PNG and then nothing")
    place(photos / "a" / "empty.jpg", b"")
    place(photos / "b" / "half.png", (photos / "a" / "02.png").read_bytes()[:900])
    gone = place(photos / "b" / "gone.png", b"was here")
    index, frozen = read_folder(photos), small_backbone()
    gone.unlink()
    paths = index.paths.to_pylist()
    bad = [row for row, path in enumerate(paths) if path in {"a/noise.png", "b/half.png", "b/gone.png", "a/empty.jpg"}]
    for _ in range(2):  # as found, and as stored
        found = run(index, frozen, tmp_path / "cache")
        assert np.flatnonzero(~found.passed.readable).tolist() == bad
        assert all(found.passed.reason[row] for row in bad)
        assert not found.features[bad].any()
        assert not found.thumb[bad].any()
        assert not found.passed.digest[paths.index("b/gone.png")].any()
        good = found.passed.readable
        assert found.features[good].any(axis=1).all()
    assert found.passed.computed == 0


def test_a_failure_that_passes_is_not_remembered(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A decoder that knows a format less, say: the next pass finds the images readable."""
    with monkeypatch.context() as patch:
        patch.setattr("linne.pixels.decode.FORMATS", ("GIF",))
        assert not run(index, small_backbone(), tmp_path / "cache").passed.readable.any()
    assert run(index, small_backbone(), tmp_path / "cache").passed.readable.all()


def test_no_memory_is_no_fault_of_the_image(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def starved(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("PIL.Image.open", starved)
    with pytest.raises(MemoryError):
        run(index, small_backbone(), tmp_path / "cache")


def test_nothing_readable_at_all(tmp_path: Path) -> None:
    for number in range(3):
        place(tmp_path / "photos" / ("a", "b")[number % 2] / f"{number}.png", b"no image %d" % number)
    index = read_folder(tmp_path / "photos")
    for frozen in (small_backbone(), None):
        found = run(index, frozen, tmp_path / "cache")
        assert not found.passed.readable.any()
        assert not found.features.any()
        assert len(found.features) == 3


def test_without_a_network_the_thumbnail_is_the_feature(index: Index, tmp_path: Path) -> None:
    found = run(index, None, tmp_path / "cache")
    assert not found.network
    assert found.backend is None
    np.testing.assert_allclose(found.features, found.thumb.reshape(40, 256) / 255, atol=1e-6)
    assert found.features.dtype == np.float32
    later = run(index, small_backbone(), tmp_path / "cache")
    np.testing.assert_array_equal(later.thumb, found.thumb)


@pytest.mark.parametrize(("kind", "stage"), [("colour", 0), ("colour", 2), ("colour", 18), ("gray", 1), ("gray", 2)])
def test_stored_activations_lead_to_the_same_logits(index: Index, tmp_path: Path, kind: str, stage: int) -> None:
    frozen = FROZEN[kind]()
    found = run(index, frozen, tmp_path / "cache", stage)
    stored = activations(frozen, stage, found.passed.digest, tmp_path / "cache")
    assert stored.dtype == np.float16
    with torch.inference_mode():
        x = torch.from_numpy(stored).float()
        for part in frozen.network.stages()[stage:]:
            x = part(x)
        logits = frozen.network.forward_head(x)
        images = np.stack([prepare(index.content(row).read(), frozen.pixels) for row in range(len(index))])
        expected = frozen.network(torch.from_numpy(images))
    assert (logits - expected).abs().max() <= 5e-3 * expected.abs().max()
    np.testing.assert_allclose(found.features, directly(index, frozen), atol=1e-4)


def test_activations_of_what_was_not_stored_are_a_key_error(index: Index, tmp_path: Path) -> None:
    frozen = gray_backbone()
    found = run(index, frozen, tmp_path / "cache", stage=1)
    with pytest.raises(KeyError):
        activations(frozen, 2, found.passed.digest, tmp_path / "cache")
    with pytest.raises(KeyError):
        activations(frozen, 1, found.passed.digest ^ 1, tmp_path / "cache")


def test_a_stage_more_keeps_the_features_that_are_stored(index: Index, tmp_path: Path) -> None:
    frozen = gray_backbone()
    first = run(index, frozen, tmp_path / "cache")
    shelf = tmp_path / "cache" / "features" / frozen.shelf("pooled")
    before = sorted(shelf.iterdir())
    second = run(index, frozen, tmp_path / "cache", stage=1)
    assert second.passed.computed == 40
    assert sorted(shelf.iterdir()) == before
    np.testing.assert_array_equal(first.features, second.features)


def test_the_stored_shares(index: Index, photos: Path, tmp_path: Path) -> None:
    frozen, cache = gray_backbone(), tmp_path / "cache"
    every = [of_bytes(index.content(row).read()) for row in range(len(index))]
    assert stored_shares(frozen, every, cache) == (0, 0)
    shutil.rmtree(photos / "b")
    place(photos / "b" / "unreadable.png", b"nothing")
    run(read_folder(photos), frozen, cache)
    assert stored_shares(frozen, every, cache) == (0.5, 0.5)
    assert stored_shares(frozen, every, cache, stage=1) == (0.5, 0)
    assert stored_shares(None, every, cache) == (0.5, 1)
    assert stored_shares(frozen, [], cache) == (0, 0)


def test_facts_are_kept_and_are_zero_where_an_image_cannot_be_read(photos: Path, tmp_path: Path) -> None:
    place(photos / "a" / "broken.png", b"no image")
    index = read_folder(photos)
    first, second = (run(index, None, tmp_path / "cache").facts for _ in range(2))
    broken = index.row_of("a/broken.png")
    assert np.flatnonzero(first.width == 0).tolist() == [broken]
    assert (first.width[first.width > 0] == 50).all()
    for name in vars(first):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
