"""What becomes a class, a subset and an image, and what is an error."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from images import class_folders, place

from linne.index.class_folders import read_folder
from linne.index.names import natural_key
from linne.pixels.decode import decode
from linne.records.errors import DataError, ImageError
from linne.records.index import SUBSETS, TEST, TRAIN, VALIDATION, Index


def rows(index: Index) -> list[tuple[str, str, str]]:
    return [(index.path(row), index.labels[index.label[row]], SUBSETS[index.subset[row]]) for row in range(len(index))]


def test_class_folders(tmp_path: Path) -> None:
    class_folders(tmp_path, {"dog": 2, "cat": 1})
    place(tmp_path / "dog" / "puppies" / "spring" / "a.JPG")
    index = read_folder(tmp_path)
    assert rows(index) == [
        ("cat/0.png", "cat", "none"),
        ("dog/0.png", "dog", "none"),
        ("dog/1.png", "dog", "none"),
        ("dog/puppies/spring/a.JPG", "dog", "none"),
    ]
    assert index.root == str(tmp_path.resolve())
    assert not index.supplied_split
    assert index.counts().tolist() == [1, 3]
    assert index.size.tolist() == [-1] * 4  # no file is asked


def test_labels_are_in_natural_order(tmp_path: Path) -> None:
    names = ["10", "9", "a10", "a9", "B", "c"]
    class_folders(tmp_path, dict.fromkeys(reversed(names), 1))
    assert read_folder(tmp_path).labels == ("9", "10", "a9", "a10", "B", "c")


@given(st.lists(st.text(), unique=True))
def test_the_order_of_names_depends_on_nothing_else(names: list[str]) -> None:
    assert sorted(names, key=natural_key) == sorted(set(names), key=natural_key)
    assert len({natural_key(name) for name in names}) == len(names)


@pytest.mark.parametrize(
    ("train", "validation", "test"),
    [("train", "val", "test"), ("Training", "VALID", "Testing"), ("TRAIN", "validation", "test")],
)
def test_split_folders(tmp_path: Path, train: str, validation: str, test: str) -> None:
    for name in (train, validation, test):
        class_folders(tmp_path / name, {"cat": 2, "dog": 1})
    (tmp_path / "empty").mkdir()
    (tmp_path / "README.txt").write_text("about")
    (tmp_path / ".cache").mkdir()
    index = read_folder(tmp_path)
    assert index.labels == ("cat", "dog")
    assert index.supplied_split
    for name, subset in ((train, TRAIN), (validation, VALIDATION), (test, TEST)):
        assert [path for path, *_ in rows(index) if path.startswith(name + "/")] == [
            index.path(int(row)) for row in np.flatnonzero(index.subset == subset)
        ]


def test_train_alone_is_a_split_of_which_the_rest_is_missing(tmp_path: Path) -> None:
    class_folders(tmp_path / "train", {"cat": 2, "dog": 2})
    index = read_folder(tmp_path)
    assert index.labels == ("cat", "dog")
    assert set(index.subset.tolist()) == {TRAIN}


def test_another_folder_of_images_beside_train_makes_them_classes(tmp_path: Path) -> None:
    for name in ("train", "ship"):
        class_folders(tmp_path / name, {"toy": 1, "real": 1})
    assert read_folder(tmp_path).labels == ("ship", "train")


def test_a_folder_without_images_is_no_class(tmp_path: Path) -> None:
    class_folders(tmp_path, {"cat": 1, "dog": 1})
    (tmp_path / "bird").mkdir()
    place(tmp_path / "fish" / "notes.txt", b"none yet")
    index = read_folder(tmp_path)
    assert index.labels == ("cat", "dog")
    assert [item.path for item in index.set_aside] == ["fish/notes.txt"]


def test_images_that_lie_loose_are_set_aside(tmp_path: Path) -> None:
    class_folders(tmp_path, {"cat": 1, "dog": 1})
    place(tmp_path / "loose.png")
    index = read_folder(tmp_path)
    assert len(index) == 2
    assert [item.path for item in index.set_aside] == ["loose.png"]


def test_names_that_differ_in_case_are_two(tmp_path: Path) -> None:
    class_folders(tmp_path, {"cat": 1, "Cat": 1})
    if len(list(tmp_path.iterdir())) < 2:
        pytest.skip("this file system ignores case")
    place(tmp_path / "cat" / "A.png")
    place(tmp_path / "cat" / "a.png")
    index = read_folder(tmp_path)
    assert index.labels == ("Cat", "cat")
    assert len(index) == 4


@pytest.mark.parametrize("name", ["two\nlines", 'quo"te', "it's", "🐈‍⬛", "שלום", "a b ", "-rf", "%2F", "a,b", "c\\d"])
def test_odd_names(tmp_path: Path, name: str) -> None:
    place(tmp_path / name / f"{name}.png")
    class_folders(tmp_path, {"dog": 1})
    index = read_folder(tmp_path)
    assert set(index.labels) == {name, "dog"}
    row = index.paths.to_pylist().index(f"{name}/{name}.png")
    decode(index.content(row).read(), 3)


def test_the_order_in_which_files_were_made_does_not_matter(tmp_path: Path) -> None:
    names = [f"{label}/{number}.png" for label in ("b", "a", "c") for number in (3, 10, 1)]
    for seed, name in enumerate(names):
        place(tmp_path / "one" / name, seed=seed)
    for seed, name in reversed(list(enumerate(names))):
        place(tmp_path / "two" / name, seed=seed)
    one, two = read_folder(tmp_path / "one"), read_folder(tmp_path / "two")
    assert rows(one) == rows(two)
    assert one.fingerprint == two.fingerprint


def test_a_page_named_as_a_picture_is_indexed_and_cannot_be_decoded(tmp_path: Path) -> None:
    class_folders(tmp_path, {"cat": 1, "dog": 1})
    place(tmp_path / "cat" / "blocked.jpg", b"<!DOCTYPE html><title>403</title>")
    index = read_folder(tmp_path)
    row = index.paths.to_pylist().index("cat/blocked.jpg")
    with pytest.raises(ImageError):
        decode(index.content(row).read(), 3)


def refused(root: Path) -> DataError:
    with pytest.raises(DataError) as caught:
        read_folder(root)
    assert caught.value.file == str(root)
    return caught.value


def test_what_cannot_be_indexed(tmp_path: Path) -> None:
    refused(tmp_path)  # empty
    refused(tmp_path / "gone")
    refused(place(tmp_path / "file.png"))
    refused(tmp_path)  # a loose image only
    place(tmp_path / "notes" / "a.txt", b"text")
    refused(tmp_path)
    class_folders(tmp_path, {"cat": 5})
    refused(tmp_path)  # one class
    class_folders(tmp_path, {"dog": 1})
    assert read_folder(tmp_path).labels == ("cat", "dog")


def test_a_class_that_train_has_not(tmp_path: Path) -> None:
    class_folders(tmp_path / "train", {"cat": 1, "dog": 1})
    class_folders(tmp_path / "test", {"cat": 1, "bird": 1})
    assert "bird" in str(refused(tmp_path).value)


@pytest.mark.parametrize("folders", [("val", "test"), ("train", "test", "thumbs"), ("Train", "Valid", "test", "extra")])
def test_half_a_split_is_no_classes(tmp_path: Path, folders: tuple[str, ...]) -> None:
    for name in folders:
        class_folders(tmp_path / name, {"cat": 2, "dog": 1})
    with pytest.raises(DataError) as caught:
        read_folder(tmp_path)
    assert caught.value.file == str(tmp_path)


def test_a_class_that_is_named_as_a_subset_is_a_class(tmp_path: Path) -> None:
    """Vehicles: trains and cars."""
    class_folders(tmp_path, {"train": 2, "car": 1})
    class_folders(tmp_path / "train", {"steam": 1, "diesel": 1})
    index = read_folder(tmp_path)
    assert index.labels == ("car", "train")
    assert not index.supplied_split


def test_a_folder_above_the_classes_is_named_in_the_remedy(tmp_path: Path) -> None:
    class_folders(tmp_path / "all", {"cat": 2, "dog": 1})
    with pytest.raises(DataError) as caught:
        read_folder(tmp_path)
    assert "all" in str(caught.value.remedy)
