"""Are the stored activations of other views those that the network gives?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from images import encode, place, scene
from small_networks import eager, small_backbone

from linne.embed.backbone import Backbone
from linne.embed.embedding import embed
from linne.fit.policy import Policy
from linne.index.class_folders import read_folder
from linne.pixels.prepare import prepare
from linne.records.index import Index
from linne.records.progress import Silent
from linne.road.activations import views_of

STAGE, IMAGES = 3, 10
FROZEN = small_backbone()


@pytest.fixture
def index(tmp_path: Path) -> Index:
    for number in range(IMAGES):
        place(tmp_path / "photos" / "ab"[number % 2] / f"{number}.png", encode(scene(70, 90, seed=number), "PNG"))
    return read_folder(tmp_path / "photos")


def digests(index: Index, store: Path) -> np.ndarray:
    """Of an index whose activations are then stored."""
    return embed(index, FROZEN, store, Silent(), STAGE, eager(FROZEN, STAGE)).passed.digest


def made(
    index: Index,
    digest: np.ndarray,
    store: Path,
    views: int,
    flip: bool = True,
    seed: int = 0,
    rows: object = None,
    failed: dict[int, str] | None = None,
    late: Callable[[], bool] = lambda: False,
) -> list[np.ndarray]:
    chosen = np.arange(len(index)) if rows is None else np.array(rows)
    policy = Policy.named("light", flip)
    backend = eager(FROZEN, STAGE)
    told = {} if failed is None else failed
    return views_of(FROZEN, STAGE, index, chosen, digest, policy, views, backend, seed, store, Silent(), told, late)


@torch.inference_mode()
def directly(frozen: Backbone, inputs: np.ndarray) -> np.ndarray:
    x = torch.from_numpy(inputs.copy())
    for stage in frozen.network.stages()[:STAGE]:
        x = stage(x)
    return x.numpy()


def inputs_of(index: Index, rows: range) -> np.ndarray:
    return np.stack([prepare(index.content(row).read(), FROZEN.pixels) for row in rows])


def test_the_first_view_is_the_image_and_the_second_its_mirror_image(index: Index, tmp_path: Path) -> None:
    plain, mirrored = made(index, digests(index, tmp_path / "store"), tmp_path / "store", 2)
    inputs = inputs_of(index, range(IMAGES))
    np.testing.assert_allclose(plain, directly(FROZEN, inputs), rtol=2e-3, atol=2e-3)
    np.testing.assert_allclose(mirrored, directly(FROZEN, inputs[..., ::-1]), rtol=2e-3, atol=2e-3)
    assert np.abs(plain - mirrored).max() > 0.1  # the tolerance is no excuse
    assert plain.dtype == mirrored.dtype == np.float16


def test_views_differ_and_are_the_same_each_time(index: Index, tmp_path: Path) -> None:
    store = tmp_path / "store"
    digest = digests(index, store)
    one, other, seeded = (made(index, digest, store, 4, seed=seed) for seed in (0, 0, 1))
    assert len(one) == 4
    for number, (view, same, of_seed) in enumerate(zip(one, other, seeded, strict=True)):
        assert np.array_equal(view, same)
        assert np.array_equal(view, of_seed) == (number < 2)  # these are not drawn
    for row in range(IMAGES):
        assert len({view[row].tobytes() for view in one}) == 4


def test_no_view_is_mirrored_where_that_changes_the_label(index: Index, tmp_path: Path) -> None:
    store = tmp_path / "store"
    digest = digests(index, store)
    mirrored = directly(FROZEN, inputs_of(index, range(IMAGES))[..., ::-1])
    for view in made(index, digest, store, 3, flip=False):
        assert np.abs(view - mirrored).reshape(IMAGES, -1).max(1).min() > 0.05


def test_views_of_some_rows_are_those_of_all_in_any_batch(index: Index, tmp_path: Path) -> None:
    store = tmp_path / "store"
    digest = digests(index, store)
    every, some = made(index, digest, store, 3), made(index, digest, store, 3, rows=[7, 2, 3])
    for one, other in zip(every, some, strict=True):
        np.testing.assert_allclose(one[[7, 2, 3]], other, rtol=2e-3, atol=2e-3)


def test_where_time_is_over_the_views_that_are_there_are_given(index: Index, tmp_path: Path) -> None:
    store, asked = tmp_path / "store", 0
    digest = digests(index, store)

    def late() -> bool:
        nonlocal asked
        asked += 1
        return asked > 2  # a view of these images is one batch

    every, some = made(index, digest, store, 5), made(index, digest, store, 5, late=late)
    assert len(some) == 3
    assert all(map(np.array_equal, some, every[:3]))


def test_an_image_that_cannot_be_read_any_more_has_its_first_view_in_all(index: Index, tmp_path: Path) -> None:
    store = tmp_path / "store"
    digest = digests(index, store)
    before = made(index, digest, store, 3)
    gone, changed = Path(index.root, index.path(2)), Path(index.root, index.path(5))
    gone.unlink()
    changed.write_bytes(encode(scene(70, 90, seed=99), "PNG"))
    failed: dict[int, str] = {}
    after = made(index, digest, store, 3, failed=failed)
    assert set(failed) == {2, 5}
    assert all(failed.values())
    for number, (view, earlier) in enumerate(zip(after, before, strict=True)):
        for row in range(IMAGES):
            expected = before[0] if row in (2, 5) else earlier
            assert np.array_equal(view[row], expected[row]), (number, row)
