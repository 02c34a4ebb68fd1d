"""Shards of samples, as WebDataset writes them, and tars of class folders."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest
from images import class_folders
from index.indexed import PICTURES, again, aside, contents, rows, sets

from linne.index.columns import Columns
from linne.index.photos import read_photos
from linne.records.errors import DataError


def write_tar(path: Path, members: list[tuple[str, bytes | str | dict[str, object]]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for name, content in members:
            given = json.dumps(content).encode() if isinstance(content, dict) else content
            given = given.encode() if isinstance(given, str) else given
            info = tarfile.TarInfo(name)
            info.size = len(given)
            archive.addfile(info, io.BytesIO(given))
    return path


def samples(first: int, last: int, folder: str = "") -> list[tuple[str, bytes | str | dict[str, object]]]:
    """Pictures with their numbers modulo 3 as classes."""
    return [
        member
        for i in range(first, last)
        for member in ((f"{folder}{i:04d}.png", PICTURES[i]), (f"{folder}{i:04d}.cls", f"{i % 3}\n"))
    ]


def test_one_shard(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "s.tar", samples(0, 6))
    index = again(read_photos(path), tmp_path)
    assert rows(index) == [(f"{i:04d}.png", str(i % 3), "none") for i in range(6)]
    assert contents(index) == PICTURES[:6]
    assert (index.root, index.name) == (str(path.resolve()), "s")
    assert not index.set_aside


def test_a_folder_of_shards(tmp_path: Path) -> None:
    write_tar(tmp_path / "photos" / "000.tar", samples(0, 4))
    write_tar(tmp_path / "photos" / "more" / "001.tar", samples(0, 2) + samples(4, 8))
    (tmp_path / "photos" / "README.md").write_text("about")
    (tmp_path / "photos" / "example.png").write_bytes(PICTURES[0])
    index = again(read_photos(tmp_path / "photos"), tmp_path)
    assert [path for path, *_ in rows(index)][3:5] == ["000.tar/0003.png", "more/001.tar/0000.png"]
    assert contents(index) == PICTURES[:4] + PICTURES[:2] + PICTURES[4:8]
    assert index.content(4).name == f"{(tmp_path / 'photos').resolve()}/more/001.tar/0000.png"
    assert index.name == "photos"


@pytest.mark.parametrize(
    "names", [("train-000.tar", "val-000.tar", "test-000.tar"), ("train/0.tar", "valid/0.tar", "test/0.tar")]
)
def test_names_of_shards_speak_of_subsets(tmp_path: Path, names: tuple[str, ...]) -> None:
    for place, name in enumerate(names):
        write_tar(tmp_path / name, samples(3 * place, 3 * place + 3))
    index = read_photos(tmp_path)
    assert {path.rsplit("/", 1)[0]: subset for path, _, subset in rows(index)} == dict(
        zip(names, ("train", "validation", "test"), strict=True)
    )


@pytest.mark.parametrize("names", [("val-0.tar", "test-0.tar"), ("train-0.tar", "test-0.tar", "more-0.tar")])
def test_half_a_split_of_shards(tmp_path: Path, names: tuple[str, ...]) -> None:
    for name in names:
        write_tar(tmp_path / name, samples(0, 3))
    with pytest.raises(DataError):
        read_photos(tmp_path)


def test_labels_in_json(tmp_path: Path) -> None:
    members: list[tuple[str, bytes | str | dict[str, object]]] = []
    for i, about in enumerate([{"label": "cat"}, {"Class": 7, "when": 1}, {"x": 1}, {"label": 2.0}, {"label": None}]):
        members += [(f"a/{i}.JPG", PICTURES[i]), (f"a/{i}.json", about)]
    members += [("a/5.png", PICTURES[5]), ("a/5.json", "no json"), ("a/6.png", PICTURES[6])]
    index = read_photos(write_tar(tmp_path / "s.tar", members))
    assert rows(index) == [("a/0.JPG", "cat", "none"), ("a/1.JPG", "7", "none"), ("a/3.JPG", "2", "none")]
    assert aside(index) == ["a/2.JPG", "a/4.JPG", "a/5.png", "a/6.png"]
    with pytest.raises(DataError):  # one class
        read_photos(tmp_path / "s.tar", Columns(label="x"))


def test_several_labels_in_json(tmp_path: Path) -> None:
    members: list[tuple[str, bytes | str | dict[str, object]]] = []
    for i, labels in enumerate([["cat", "dog"], "cat", [3], []]):
        members += [(f"{i}.png", PICTURES[i]), (f"{i}.json", {"labels": labels})]
    index = again(read_photos(write_tar(tmp_path / "s.tar", members)), tmp_path)
    assert sets(index) == [{"cat", "dog"}, {"cat"}, {"3"}, set()]


def test_what_a_sample_is(tmp_path: Path) -> None:
    """A key ends at the first dot after the last slash, and holds one image."""
    members: list[tuple[str, bytes | str | dict[str, object]]] = [
        ("v1.0/a.seg.png", PICTURES[0]),
        ("v1.0/a.jpg", PICTURES[1]),
        ("v1.0/a.cls", "cat"),
        ("v1.0/a.txt", "a caption"),
        ("./v1.0/b.png", PICTURES[2]),
        ("./v1.0/b.cls", "dog"),
        ("v1.0/.c.png", PICTURES[3]),
        ("d.png", b""),
        ("d.cls", "dog"),
        ("e.cls", "dog"),
        ("../f.png", PICTURES[4]),
        ("../f.cls", "dog"),
        ("v1.0/b.png", PICTURES[5]),
        ("v1.0/b.cls", "dog"),
    ]
    index = read_photos(write_tar(tmp_path / "s.tar", members))
    assert rows(index) == [("v1.0/a.jpg", "cat", "none"), ("v1.0/b.png", "dog", "none")]
    assert contents(index) == PICTURES[1:3]
    assert sorted(aside(index)) == ["../f.png", "d.png", "v1.0/a.seg.png", "v1.0/b.png"]


def test_class_folders_in_a_tar(tmp_path: Path) -> None:
    class_folders(tmp_path / "photos", {"cat": 3, "dog": 2})
    (tmp_path / "photos" / "cat" / "notes.v1.txt").write_text("about")
    (tmp_path / "photos" / "cat" / "link.png").symlink_to("0.png")
    for number in (1, 2):  # one key, if these were samples
        (tmp_path / "photos" / "dog" / f"img.{number}.png").write_bytes(PICTURES[number])
    with tarfile.open(tmp_path / "p.tar", "w") as archive:
        archive.add(tmp_path / "photos", "photos")
    index = read_photos(tmp_path / "p.tar")
    assert index.labels == ("cat", "dog")
    assert index.counts().tolist() == [3, 4]
    assert sorted(aside(index)) == ["photos/cat/link.png", "photos/cat/notes.v1.txt"]
    for row in range(len(index)):
        assert index.content(row).read() == (tmp_path / index.path(row)).read_bytes()


def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "s.tar", [*samples(0, 3), ("caf\udce9.png", PICTURES[4]), ("caf\udce9.cls", "1")])
    assert aside(read_photos(path))[0] == "caf\\xe9.png"


def test_of_a_torn_shard_what_is_whole_is_read(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "photos" / "b.tar", samples(0, 8))
    write_tar(tmp_path / "photos" / "a.tar", samples(8, 11))
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.index(PICTURES[5]) + 10])
    index = read_photos(tmp_path / "photos")
    assert contents(index) == PICTURES[8:11] + PICTURES[:5]
    assert aside(index) == ["b.tar"]


@pytest.mark.parametrize("content", [b"", b"no tar" * 200, bytes(1024), b"\x1f\x8b" + bytes(600)])
def test_what_is_no_tar(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "s.tar").write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_photos(tmp_path / "s.tar")
    assert caught.value.file == str(tmp_path / "s.tar")


def test_columns_of_paths_and_splits_are_of_tables(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "s.tar", samples(0, 3))
    for columns in (Columns(path="x"), Columns(split="x")):
        with pytest.raises(DataError):
            read_photos(path, columns)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # webdataset leaves files open
def test_shards_by_webdataset(tmp_path: Path) -> None:
    wds = pytest.importorskip("webdataset")
    with wds.ShardWriter(str(tmp_path / "shards-%06d.tar"), maxcount=4, verbose=0) as writer:
        for i, picture in enumerate(PICTURES):
            writer.write({"__key__": f"some/{i:04d}", "png": picture, "cls": i % 2, "json": {"label": "other"}})
    index = read_photos(tmp_path)
    assert contents(index) == PICTURES
    assert [label for _, label, _ in rows(index)] == ["0", "1"] * 6
    theirs = wds.WebDataset(str(tmp_path / "shards-{000000..000002}.tar"), shardshuffle=False, empty_check=False)
    for (path, label, _), sample in zip(rows(index), theirs, strict=True):
        assert (path.partition("/")[2], label) == (f"{sample['__key__']}.png", sample["cls"].decode())
