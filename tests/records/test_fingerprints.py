"""Fingerprints are the same on every machine, and change with every part of what they name."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from some_records import bundle, in_containers, index, spec

from linne.records import fingerprint
from linne.records.errors import LinneError
from linne.records.index import large_strings
from linne.records.pixel_spec import PixelSpec
from linne.records.split import Split

# A changed value here makes every store, run and bundle of a user stale: bump a schema, or do not change it.
OF_BYTES = "cae66941d9efbd404e4d88758ea67670"
OF_SPEC = "b49b57f5c1296f7fcdbdd10c99452810"
OF_INDEX = "582237a2b3380ee3d3fba713338b772c"


def test_pinned() -> None:
    assert fingerprint.of_bytes(b"").hex() == OF_BYTES
    assert spec().fingerprint == OF_SPEC
    assert index(["cat/1.png", "dog/🐕.png"]).fingerprint == OF_INDEX


def test_the_order_of_keys_does_not_matter_and_the_order_of_lists_does() -> None:
    assert fingerprint.of_settings({"a": 1, "b": 2}) == fingerprint.of_settings({"b": 2, "a": 1})
    assert fingerprint.of_settings([1, 2]) != fingerprint.of_settings([2, 1])


def test_arrays_are_named_with_their_types_and_shapes() -> None:
    zeros = np.zeros(4, np.int32)
    others = [zeros.astype(np.int64), zeros.reshape(2, 2), np.zeros(8, np.int16), np.ones(4, np.int32)]
    names = {fingerprint.of_arrays(array) for array in (zeros, *others)}
    names |= {fingerprint.of_arrays(zeros, zeros), fingerprint.of_arrays()}
    assert len(names) == 7
    assert fingerprint.of_arrays(np.arange(9).reshape(3, 3).T) == fingerprint.of_arrays(
        np.arange(9).reshape(3, 3).T.copy()
    )


def test_every_field_of_a_spec_counts() -> None:
    changed = [
        spec(height=200),
        spec(width=200),
        spec(channels=1, mean=(0.5,), std=(0.5,)),
        spec(fit="pad"),
        spec(resize=300),
        spec(interpolation="bicubic"),
        spec(mean=(0.485, 0.456, 0.407)),
        spec(std=(0.229, 0.224, 0.226)),
    ]
    assert len({each.fingerprint for each in (spec(), *changed)}) == len(changed) + 1


def test_every_column_of_an_index_counts_and_its_place_does_not() -> None:
    one = index(["a", "b"])
    changed = [
        replace(one, labels=("cat", "fox")),
        replace(one, paths=large_strings(["a", "c"])),
        replace(one, label=np.array([1, 0], np.int32)),
        replace(one, subset=np.array([1, 3], np.int8)),
        replace(one, size=np.array([1, 2], np.int64)),
        index(["b", "a"]),
        index(["a", "b"], labels_of=[[0], [1]]),
        index(["a", "b"], labels_of=[[0, 1], []]),
        index(["a", "b"], labels_of=[[], [0, 1]]),
    ]
    held = in_containers([0, 1])
    tar, parquet = held.containers
    changed += [
        replace(one, contained=each)
        for each in (
            held,
            in_containers([0, -1]),
            replace(held, offset=held.offset + 1),
            replace(held, stored=held.stored + 1),
            replace(held, containers=(replace(tar, stamp="22" * 16), parquet)),
            replace(held, containers=(tar, replace(parquet, column="photo"))),
        )
    ]
    assert len({each.fingerprint for each in (one, *changed)}) == len(changed) + 1
    assert replace(one, root="/elsewhere").fingerprint == one.fingerprint


def test_every_part_of_a_split_and_a_bundle_counts() -> None:
    split = Split(np.array([1, 2], np.int8), np.array([0, 1]), False, "i")
    others = [
        replace(split, subset=np.array([2, 1], np.int8)),
        replace(split, group=np.array([0, 0])),
        replace(split, index="j"),
    ]
    assert len({each.fingerprint for each in (split, *others)}) == 4
    bundles = [bundle(), bundle(labels=("dog", "cat")), bundle(temperature=1.0), bundle(model="11" * 16)]
    bundles += [bundle(pixels=spec(resize=300)), bundle(licence=""), bundle(network="lenet5"), bundle(provenance={})]
    assert len({each.fingerprint for each in bundles}) == len(bundles)


@pytest.mark.parametrize(
    "changes",
    [
        {"height": 0},
        {"width": -1},
        {"height": 4097},
        {"height": 224.0},
        {"height": "224"},
        {"resize": 200},
        {"resize": 5000},
        {"channels": 2},
        {"channels": 1},
        {"fit": "squash"},
        {"interpolation": "area"},
        {"mean": (0.5,)},
        {"std": (0.5, 0.5)},
        {"std": (0.5, 0.0, 0.5)},
        {"std": (0.5, -1.0, 0.5)},
        {"std": (0.5, float("nan"), 0.5)},
        {"std": (0.5, 0.5, float("inf"))},
        {"mean": (0.5, float("nan"), 0.5)},
        {"mean": (0.5, float("inf"), 0.5)},
    ],
)
def test_a_spec_that_cannot_be_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(LinneError):
        spec(**changes)


def test_only_a_crop_reads_resize() -> None:
    assert spec(fit="pad", resize=0).resize == 0


def test_a_spec_reads_back_the_same() -> None:
    for one in (spec(), spec(channels=1, mean=(0.1,), std=(1.0,), fit="stretch")):
        assert PixelSpec.from_json(one.to_json()) == one


@pytest.mark.parametrize(
    "wrong", [{}, {"decoding": 1}, {**spec().to_json(), "more": 1}, {**spec().to_json(), "mean": "x"}]
)
def test_a_malformed_spec_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(LinneError):
        PixelSpec.from_json(wrong)
