"""``linne embed``: are the features those of the network, in files that others read?"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from full_disk import full_disk
from images import encode, place, scene
from small_networks import SMALL, small_network, small_pixels

import linne
from linne.embed.backbone import backbone
from linne.embed.embedding import stored_shares
from linne.nets.weights import write_weights
from linne.pixels.prepare import prepare
from linne.records.errors import LinneError, WriteError


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("photos")
    for number in range(12):
        place(root / ("b", "a 10", "a 9")[number % 3] / f"{number}.png", encode(scene(40, 50, seed=number), "PNG"))
    place(root / "loose, one.png", encode(scene(40, 50, seed=20), "PNG"))
    place(root / "b" / "damaged.png", b"\x89PNG\r\n\x1a\n")
    return root


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("weights") / "w.safetensors"
    write_weights(file, small_network(), SMALL, small_pixels())
    return file


def embed(photos: Path, weights: Path, out: Path, **more: object) -> object:
    return linne.embed(photos, network=SMALL, weights=weights, out=out, cache=out.parent / "cache", **more)


def expected(photos: Path, paths: list[str], layer: str = "") -> np.ndarray:
    network, kept = small_network().eval(), []
    if layer:
        network.get_submodule(layer).register_forward_hook(lambda _module, _inputs, output: kept.append(output))
    with torch.inference_mode():
        images = torch.from_numpy(np.stack([prepare((photos / path).read_bytes(), small_pixels()) for path in paths]))
        pooled = network.forward_head(network.forward_features(images), pre_logits=True)
        network(images)
    return (kept[-1].flatten(1) if layer else pooled).numpy()


def test_a_parquet_file_has_path_class_and_features_of_every_readable_image(
    photos: Path, weights: Path, tmp_path: Path
) -> None:
    passed = embed(photos, weights, tmp_path / "f.parquet")
    table = pq.read_table(tmp_path / "f.parquet")
    paths, classes = table["path"].to_pylist(), table["class"].to_pylist()
    assert len(paths) == 13 == passed.readable.sum()
    assert "b/damaged.png" not in paths
    assert [name or "" for name in classes] == [path.rpartition("/")[0] for path in paths]
    found = np.array(table["features"].to_pylist())
    np.testing.assert_allclose(found, expected(photos, paths), rtol=1e-3, atol=1e-4)


def test_an_array_has_the_rows_that_the_names_beside_it_tell(photos: Path, weights: Path, tmp_path: Path) -> None:
    embed(photos, weights, tmp_path / "f.npy")
    found = np.load(tmp_path / "f.npy")
    with (tmp_path / "f.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    np.testing.assert_allclose(found, expected(photos, [row["path"] for row in rows]), rtol=1e-3, atol=1e-4)
    assert {"path": "loose, one.png", "class": ""} in rows
    again = embed(photos, weights, tmp_path / "f.npy")
    assert again.computed == 0
    assert np.array_equal(np.load(tmp_path / "f.npy"), found)


@pytest.mark.parametrize("layer", ["layers.0", "classifier"])
def test_any_layer(layer: str, photos: Path, weights: Path, tmp_path: Path) -> None:
    """A list of modules that is never called, and a module that is."""
    embed(photos, weights, tmp_path / "f.npy", layer=layer)
    with (tmp_path / "f.csv").open(newline="") as file:
        paths = [row["path"] for row in csv.DictReader(file)]
    called = layer if layer == "classifier" else f"{layer}.{len(small_network().get_submodule(layer)) - 1}"
    np.testing.assert_allclose(np.load(tmp_path / "f.npy"), expected(photos, paths, called), rtol=1e-3, atol=2e-3)


def test_what_cannot_be_is_told_before_anything_is_computed(photos: Path, weights: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.npy").write_bytes(b"mine")
    (tmp_path / "other.csv").write_text("mine")
    for out, layer in (("f.txt", "pooled"), ("mine.npy", "pooled"), ("other.npy", "pooled"), ("f.npy", "nonsense")):
        with pytest.raises(LinneError):
            embed(photos, weights, tmp_path / out, layer=layer)
    assert (tmp_path / "mine.npy").read_bytes() == b"mine"
    assert (tmp_path / "other.csv").read_text() == "mine"
    assert not (tmp_path / "cache" / "features").exists()


def test_an_array_and_its_names_are_replaced_together_or_not_at_all(lenet_weights: Path, tmp_path: Path) -> None:
    """Names take more room than features here, and there is none for them."""
    photos, out, more = tmp_path / "photos", tmp_path / "f.npy", tmp_path / "more.npy"

    def run(file: Path) -> None:
        linne.embed(photos, network="lenet5", weights=lenet_weights, out=file, cache=tmp_path / "cache")

    for number in range(20):
        folder = photos / ("ab"[number % 2] * 200) / ("c" * 200)
        place(folder / f"{number}.png", encode(scene(40, 50, seed=number), "PNG"))
        if number == 10:
            run(out)
    run(more)
    before = [file.read_bytes() for file in (out, out.with_suffix(".csv"))]
    assert more.stat().st_size < more.with_suffix(".csv").stat().st_size
    with full_disk(more.stat().st_size), pytest.raises(WriteError):
        run(out)
    assert [file.read_bytes() for file in (out, out.with_suffix(".csv"))] == before
    assert not list(tmp_path.glob(".*.part"))
    run(out)
    assert out.read_bytes() == more.read_bytes()
    assert np.load(out).shape == (20, 84)


def test_hashes_are_left_to_those_who_ask(photos: Path, weights: Path, tmp_path: Path) -> None:
    passed = embed(photos, weights, tmp_path / "f.npy")
    frozen = backbone(small_network(), small_pixels())
    digests = [digest.tobytes() for digest in passed.digest[passed.readable]]
    assert stored_shares(frozen, digests, tmp_path / "cache") == (0, 1)
    found = linne.audit(photos, network=SMALL, weights=weights, cache=tmp_path / "cache", out=tmp_path / "found")
    assert [row.path for row in found.rows if row.check == "unreadable"] == ["b/damaged.png", "loose, one.png"]
    assert stored_shares(frozen, digests, tmp_path / "cache") == (12 / 13, 1)


def test_mirrored_views_do_not_meet_the_features_of_one(photos: Path, weights: Path, tmp_path: Path) -> None:
    found = {}
    for views in (1, 2, 1):
        embed(photos, weights, tmp_path / f"{views}.parquet", views=views)
        table = pq.read_table(tmp_path / f"{views}.parquet")
        paths, features = table["path"].to_pylist(), np.array(table["features"].to_pylist())
        assert np.array_equal(found.setdefault(views, features), features)
    network = small_network().eval()
    with torch.inference_mode():
        images = torch.from_numpy(np.stack([prepare((photos / path).read_bytes(), small_pixels()) for path in paths]))
        mirrored = network.forward_head(network.forward_features(images.flip(3)), pre_logits=True).numpy()
    np.testing.assert_allclose(found[2], (found[1] + mirrored) / 2, rtol=1e-3, atol=1e-4)
