"""What kind of data set is it? Decided by what is there."""

from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from images import class_folders, place
from index.indexed import PICTURES, contents

from linne.index.columns import Columns
from linne.index.photos import read_photos
from linne.records.errors import DataError


def test_class_folders_stay_class_folders_whatever_lies_beside_them(tmp_path: Path) -> None:
    class_folders(tmp_path, {"cat": 2, "dog": 1})
    pq.write_table(pa.table({"image": PICTURES[:2], "label": ["a", "b"]}), tmp_path / "cat" / "features.parquet")
    for name in ("labels.csv", "backup.tar", "backup.zip", "x.parquet"):
        (tmp_path / name).write_bytes(b"")
    index = read_photos(tmp_path)
    assert index.labels == ("cat", "dog")
    assert index.contained is None
    with pytest.raises(DataError):
        read_photos(tmp_path, Columns(label="x"))


def test_pictures_in_a_readme_are_no_classes(tmp_path: Path) -> None:
    place(tmp_path / "assets" / "example.png")
    pq.write_table(pa.table({"image": PICTURES[:2], "label": ["a", "b"]}), tmp_path / "x.parquet")
    assert contents(read_photos(tmp_path)) == PICTURES[:2]


@pytest.mark.parametrize("name", ["a.txt", "a.7z", "a.tar.gz", "a.tgz", "noname", "a.png"])
def test_files_of_no_known_kind(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(gzip.compress(b"x"))
    with pytest.raises(DataError) as caught:
        read_photos(tmp_path / name)
    assert caught.value.file == str(tmp_path / name)
    assert caught.value.remedy


def test_what_is_not_there(tmp_path: Path) -> None:
    for name in ("gone", "gone.csv", "gone.zip"):
        with pytest.raises(DataError):
            read_photos(tmp_path / name)


@pytest.mark.parametrize("suffix", ["csv", "parquet", "arrow", "zip", "tar"])
def test_a_folder_with_the_name_of_a_file_is_a_folder(tmp_path: Path, suffix: str) -> None:
    assert read_photos(class_folders(tmp_path / f"photos.{suffix}", {"a": 1, "b": 1})).labels == ("a", "b")
