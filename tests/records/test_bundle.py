"""A bundle's manifest reads back the same, or is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from some_records import bundle, spec

from linne.records import fingerprint
from linne.records.bundle import MANIFEST, Bundle
from linne.records.errors import BundleError


@given(
    labels=st.lists(st.text(), min_size=2, max_size=4),
    temperature=st.floats(0.05, 20),
    provenance=st.dictionaries(st.text(), st.text() | st.integers() | st.floats(-1e9, 1e9) | st.none(), max_size=3),
    licence=st.text(),
)
def test_round_trip(
    tmp_path: Path, labels: list[str], temperature: float, provenance: dict[str, Any], licence: str
) -> None:
    wrote = bundle(labels=tuple(labels), temperature=temperature, provenance=provenance, licence=licence)
    wrote.write(tmp_path)
    read = Bundle.read(tmp_path)
    assert read == wrote
    assert read.fingerprint == wrote.fingerprint


def test_no_flipped_bit_goes_unseen(tmp_path: Path) -> None:
    wrote = bundle(temperature=0.1 + 0.2, labels=("cat", "🐈"))
    wrote.write(tmp_path)
    path = tmp_path / MANIFEST
    whole = path.read_bytes()
    unseen = []
    for place in range(len(whole)):
        for bit in (place % 8, (place + 3) % 8, 5):
            damaged = bytearray(whole)
            damaged[place] ^= 1 << bit
            path.write_bytes(damaged)
            try:
                assert Bundle.read(tmp_path) == wrote
                unseen.append(bytes(damaged[place - 8 : place + 8]))
            except BundleError:
                pass
    # What is read is the same number written otherwise: 1e-05 as 1E-05, or the last of 17 digits.
    assert len(unseen) <= 5, unseen


def test_every_cut_is_refused(tmp_path: Path) -> None:
    bundle().write(tmp_path)
    path = tmp_path / MANIFEST
    whole = path.read_bytes()
    for length in range(0, len(whole) - 2, 7):
        path.write_bytes(whole[:length])
        with pytest.raises(BundleError):
            Bundle.read(tmp_path)


def sealed(tmp_path: Path, **changes: Any) -> None:
    """A manifest that somebody changed and sealed again; None takes the field away."""
    value = {**bundle().to_json(), **changes}
    value = {name: item for name, item in value.items() if item is not None}
    (tmp_path / MANIFEST).write_text(json.dumps({**value, "seal": fingerprint.of_settings(value)}))


@pytest.mark.parametrize(
    "changes",
    [
        {"schema": 2},
        {"schema": None},
        {"labels": None},
        {"temperature": "warm"},
        {"pixels": []},
        {"pixels": {**spec().to_json(), "decoding": 0}},
        {"pixels": {**spec().to_json(), "std": [0, 0, 0]}},
        {"parity": {"images": 1}},
        {"parity": None},
    ],
)
def test_an_incomplete_manifest_is_refused_though_its_seal_fits(tmp_path: Path, changes: dict[str, Any]) -> None:
    sealed(tmp_path, **changes)
    with pytest.raises(BundleError) as caught:
        Bundle.read(tmp_path)
    assert caught.value.file == str(tmp_path / MANIFEST)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_a_number_that_json_has_not_is_refused(tmp_path: Path, number: str) -> None:
    bundle().write(tmp_path)
    path = tmp_path / MANIFEST
    path.write_text(path.read_text().replace("1.25", number))
    with pytest.raises(BundleError):
        Bundle.read(tmp_path)


def test_no_folder_and_an_empty_one(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "gone"):
        with pytest.raises(BundleError):
            Bundle.read(folder)


def test_a_bundle_of_one_label_is_written_as_before_and_one_of_several_as_something_else(tmp_path: Path) -> None:
    single, several = bundle(), bundle(task="multi", thresholds=(0.25, 0.75))
    assert single.to_json()["schema"] == 1
    assert not {"task", "thresholds"} & set(single.to_json())
    several.write(tmp_path)
    value = json.loads((tmp_path / MANIFEST).read_text())
    assert value["schema"] == 2  # who knows one label only must not take it for his
    read = Bundle.read(tmp_path)
    assert read == several
    assert read.fingerprint == several.fingerprint != single.fingerprint


def test_as_many_thresholds_as_labels(tmp_path: Path) -> None:
    bundle(task="multi", thresholds=(0.25,)).write(tmp_path)
    with pytest.raises(BundleError) as caught:
        Bundle.read(tmp_path)
    assert caught.value.file == str(tmp_path / MANIFEST)
