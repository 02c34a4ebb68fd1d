"""A zip is read as the folder that it would unpack to."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from index.indexed import PICTURES, again, aside, contents, rows

from linne.index.columns import Columns
from linne.index.photos import read_photos
from linne.records.errors import DataError

Members = list[tuple[str, bytes]]


def write_zip(path: Path, members: Members, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


CATS_AND_DOGS: Members = [(f"{'cat' if i % 2 else 'dog'}/{i}.png", picture) for i, picture in enumerate(PICTURES[:6])]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("above", ["", "photos/", "a/b/"])
def test_class_folders(tmp_path: Path, method: int, above: str) -> None:
    path = write_zip(tmp_path / "p.zip", [(above + name, content) for name, content in CATS_AND_DOGS], method)
    index = again(read_photos(path), tmp_path)
    assert rows(index) == [(above + name, name[:3], "none") for name, _ in CATS_AND_DOGS]
    assert contents(index) == PICTURES[:6]
    assert (index.root, index.name) == (str(path.resolve()), "p")
    assert all(index.content(row).name == f"{path}/{index.path(row)}" for row in range(6))


def test_subset_folders(tmp_path: Path) -> None:
    members = [(f"train/{name}", content) for name, content in CATS_AND_DOGS[:4]]
    members += [(f"test/{name}", content) for name, content in CATS_AND_DOGS[4:]]
    index = read_photos(write_zip(tmp_path / "p.zip", members))
    assert index.labels == ("cat", "dog")
    assert index.subset.tolist() == [1, 1, 1, 1, 3, 3]
    with pytest.raises(DataError):
        read_photos(write_zip(tmp_path / "half.zip", [*members, ("extra/cat/1.png", PICTURES[0])]))


def test_what_is_left_out(tmp_path: Path) -> None:
    members = [*CATS_AND_DOGS, ("__MACOSX/cat/._1.png", b"x"), ("cat/.hidden.png", b"x"), ("cat/Thumbs.db", b"x")]
    members += [("cat/notes.txt", b"x"), ("cat/empty.png", b""), ("../up.png", b"x"), ("loose.png", b"x")]
    with pytest.warns(UserWarning, match="Duplicate"):
        path = write_zip(tmp_path / "p.zip", [*members, ("cat/1.png", PICTURES[7])])
    with zipfile.ZipFile(path, "a", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("cat/b.png", PICTURES[8])
        archive.mkdir("bird")
    index = read_photos(path)
    assert set(aside(index)) == {"cat/notes.txt", "cat/empty.png", "../up.png", "loose.png", "cat/1.png", "cat/b.png"}
    assert len(index) == 6
    assert contents(index)[-1] == PICTURES[7]  # what unpacking would leave


def test_backslashes_of_a_windows_zip_are_folders(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as archive:
        for number, name in enumerate(("cat\\1.png", "dog\\1.png")):
            info = zipfile.ZipInfo(name)
            info.create_system = 0
            archive.writestr(info, PICTURES[number])
    assert read_photos(tmp_path / "p.zip").labels == ("cat", "dog")


def test_an_encrypted_member_is_set_aside(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "p.zip", CATS_AND_DOGS, zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\1\2") + 8] |= 1  # flags of the first entry of the directory
    path.write_bytes(content)
    assert aside(read_photos(path)) == ["dog/0.png"]


def test_a_zip_with_something_before_it(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "p.zip", CATS_AND_DOGS)
    path.write_bytes(b"#!/bin/sh\n" + path.read_bytes())
    assert contents(read_photos(path)) == PICTURES[:6]


@pytest.mark.parametrize("content", [b"", b"PK\3\4", b"no zip", b"PK\5\6" + bytes(18)])
def test_what_is_no_zip(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "p.zip").write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_photos(tmp_path / "p.zip")
    assert caught.value.file == str(tmp_path / "p.zip")


@given(st.data())
def test_a_damaged_zip_is_refused_or_gives_the_pictures_that_were_in_it(tmp_path: Path, data: st.DataObject) -> None:
    path = write_zip(tmp_path / "p.zip", CATS_AND_DOGS)
    whole = path.read_bytes()
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(damaged[: data.draw(st.sampled_from([len(whole), len(whole) // 2]))])
    try:
        index = read_photos(path)
    except DataError:
        return
    for row in range(len(index)):
        try:
            content = index.content(row).read()
        except DataError:
            continue
        assert content in PICTURES


def test_a_zip_has_no_columns(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        read_photos(write_zip(tmp_path / "p.zip", CATS_AND_DOGS), Columns(label="x"))
