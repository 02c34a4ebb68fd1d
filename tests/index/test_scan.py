"""A walk ends, opens nothing, and tells what it left out."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from images import class_folders, place

from linne.index.class_folders import read_folder
from linne.index.scan import Listing, scan
from linne.records.index import Index
from linne.records.set_aside import SetAside


def found(root: Path) -> tuple[list[str], list[SetAside]]:
    items = list(scan(str(root)))
    images = [path for item in items if isinstance(item, Listing) for path in item.paths()]
    return images, [item for item in items if isinstance(item, SetAside)]


def test_hidden_files_and_debris_are_passed_over_without_a_word(tmp_path: Path) -> None:
    names = [".hidden.png", ".git/a.png", "__MACOSX/cat/._1.png", "cat/.DS_Store", "cat/Thumbs.db", "cat/desktop.ini"]
    for name in [*names, "cat/@eaDir/1.png", "cat/1.png"]:
        place(tmp_path / name)
    assert found(tmp_path) == (["cat/1.png"], [])


def test_files_that_hold_no_image_are_set_aside(tmp_path: Path) -> None:
    place(tmp_path / "labels.csv", b"a,b")
    place(tmp_path / "noname", b"x")
    images, aside = found(tmp_path)
    assert images == []
    assert [item.path for item in aside] == ["labels.csv", "noname"]


@pytest.mark.parametrize("suffix", ["jpg", "JPEG", "png", "webp", "gif", "bmp", "tif", "TIFF", "ppm", "avif", "jp2"])
def test_suffixes_of_images(tmp_path: Path, suffix: str) -> None:
    place(tmp_path / f"a.{suffix}")
    assert found(tmp_path) == ([f"a.{suffix}"], [])


def test_a_linked_folder_is_read_once_and_under_its_own_name(tmp_path: Path) -> None:
    class_folders(tmp_path, {"cat": 1, "dog": 1})
    (tmp_path / "a_link").symlink_to("cat")  # sorts before what it links to
    images, aside = found(tmp_path)
    assert images == ["cat/0.png", "dog/0.png"]
    assert [item.path for item in aside] == ["a_link"]


def test_a_folder_behind_a_link_that_was_read_already_is_told_of(tmp_path: Path) -> None:
    class_folders(tmp_path / "elsewhere", {"cats": 1, "dogs": 1})
    class_folders(tmp_path / "photos", {"real": 1})
    (tmp_path / "photos" / "a").symlink_to(tmp_path / "elsewhere" / "cats")
    (tmp_path / "photos" / "b").symlink_to(tmp_path / "elsewhere")
    images, aside = found(tmp_path / "photos")
    assert images == ["real/0.png", "a/0.png", "b/dogs/0.png"]
    assert [item.path for item in aside] == ["b/cats"]


def test_a_link_leads_out_of_the_root_and_to_single_files(tmp_path: Path) -> None:
    class_folders(tmp_path / "elsewhere", {"cat": 2})
    class_folders(tmp_path / "photos", {"dog": 1})
    (tmp_path / "photos" / "cat").symlink_to(tmp_path / "elsewhere" / "cat")
    (tmp_path / "photos" / "dog" / "linked.png").symlink_to(tmp_path / "elsewhere" / "cat" / "0.png")
    index = read_folder(tmp_path / "photos")
    assert sorted(index.paths.to_pylist()) == ["cat/0.png", "cat/1.png", "dog/0.png", "dog/linked.png"]


def test_links_that_lead_nowhere_end(tmp_path: Path) -> None:
    class_folders(tmp_path, {"cat": 1, "dog": 1})
    (tmp_path / "itself").symlink_to("itself")
    (tmp_path / "cat" / "itself.png").symlink_to("itself.png")
    (tmp_path / "cat" / "broken.png").symlink_to("gone.png")
    (tmp_path / "cat" / "up").symlink_to("..")
    (tmp_path / "dog" / "across").symlink_to("../cat")
    (tmp_path / "cat" / "across").symlink_to("../dog")
    index = read_folder(tmp_path)
    assert index.paths.to_pylist() == ["cat/0.png", "dog/0.png"]
    aside = {item.path for item in index.set_aside}
    assert aside == {"itself", "cat/itself.png", "cat/broken.png", "cat/up", "cat/across", "dog/across"}


@pytest.mark.skipif(sys.platform == "win32", reason="no such files there")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    class_folders(tmp_path, {"cat": 1, "dog": 1})
    os.mkfifo(tmp_path / "cat" / "pipe.png")
    (tmp_path / "cat" / "to_pipe.png").symlink_to("pipe.png")
    start = time.monotonic()
    index = read_folder(tmp_path)
    assert time.monotonic() - start < 5
    assert len(index) == 2
    assert {item.path for item in index.set_aside} == {"cat/pipe.png", "cat/to_pipe.png"}
    assert {item.reason for item in index.set_aside} == {"no regular file"}


@pytest.mark.skipif(sys.platform != "linux", reason="names are Unicode on other systems")
def test_names_that_are_not_utf8_are_set_aside(tmp_path: Path) -> None:
    class_folders(tmp_path, {"cat": 1, "dog": 1})
    for name in (b"cat/caf\xe9.png", b"\xff\xfe/1.png"):
        place(Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)))
    index = read_folder(tmp_path)
    assert len(index) == 2
    assert {item.path for item in index.set_aside} == {"cat/caf\\xe9.png", "\\xff\\xfe"}
    index.write(tmp_path / "index.parquet")
    assert Index.read(tmp_path / "index.parquet").set_aside == index.set_aside


@pytest.mark.skipif(sys.platform != "linux", reason="names are Unicode on other systems")
def test_a_root_whose_name_is_not_utf8(tmp_path: Path) -> None:
    root = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    index = read_folder(class_folders(root, {"cat": 1, "dog": 1}))
    index.write(tmp_path / "index.parquet")
    assert Index.read(tmp_path / "index.parquet").content(0).read()


def test_a_folder_that_may_not_be_read_is_set_aside(tmp_path: Path) -> None:
    class_folders(tmp_path, {"cat": 1, "dog": 1, "bird": 1})
    (tmp_path / "bird").chmod(0)
    try:
        if os.access(tmp_path / "bird", os.R_OK):
            pytest.skip("this user may read everything")
        index = read_folder(tmp_path)
        assert index.labels == ("cat", "dog")
        assert [item.path for item in index.set_aside] == ["bird"]
    finally:
        (tmp_path / "bird").chmod(0o700)


@pytest.mark.skipif(sys.platform == "win32", reason="paths are shorter there")
def test_folders_may_lie_deeper_than_python_recurses(tmp_path: Path) -> None:
    class_folders(tmp_path, {"cat": 1, "dog": 1})
    depth = 1200
    here = os.open(tmp_path / "cat", os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d", dir_fd=here)
        here, above = os.open("d", os.O_RDONLY, dir_fd=here), here
        os.close(above)
    os.close(os.open("deep.png", os.O_WRONLY | os.O_CREAT, dir_fd=here))
    os.close(here)
    try:
        index = read_folder(tmp_path)
        assert max(path.count("/") for path in index.paths.to_pylist()) == depth + 1
    finally:
        subprocess.run(["rm", "-r", tmp_path / "cat"], check=True)  # too deep for pytest to tidy
