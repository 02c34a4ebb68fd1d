"""An audit of what people point it at: images without classes, one class, all the same, a single pixel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from images import class_folders, encode, noise, place, turned
from some_facts import real_photos
from walked import write_digits

import linne
from linne.records.errors import DataError, WriteError
from linne.records.findings import Findings


def audited(folder: Path) -> Findings:
    return linne.audit(folder, cache=folder.parent / "cache")


def test_images_without_classes_are_judged_but_for_their_labels(tmp_path: Path) -> None:
    photos = real_photos()
    for number, photo in enumerate(photos):
        place(tmp_path / "photos" / f"{number}.jpg", encode(photo, "JPEG"))
    place(tmp_path / "photos" / "copy.jpg", encode(photos[0], "JPEG"))
    place(tmp_path / "photos" / "deep" / "er" / "plain.jpg", encode(np.full((200, 300, 3), 90, np.uint8), "JPEG"))
    place(tmp_path / "photos" / "png.jpg", encode(photos[1].resize((300, 200)), "PNG"))
    place(tmp_path / "photos" / "broken.jpg", b"no image")
    found = audited(tmp_path / "photos")
    checks = found.counts()
    assert checks["unreadable"] == checks["exact duplicate"] == checks["wrong extension"] == 1
    assert checks["low information"] == 1
    assert not {"label doubt", "small class", "imbalance", "shortcut"} & set(checks)
    assert any("labels not judged" in note for note in found.notes)
    assert {row.label for row in found.rows} == {""}


def test_one_class_and_loose_images(tmp_path: Path) -> None:
    class_folders(tmp_path / "photos", {"cat": 12})
    place(tmp_path / "photos" / "loose.png", seed=99)
    found = audited(tmp_path / "photos")
    assert any("labels not judged" in note for note in found.notes)
    assert not {"small class", "imbalance"} & set(found.counts())


def test_a_class_with_one_image(tmp_path: Path) -> None:
    class_folders(tmp_path / "photos", {"cat": 1, "dog": 30})
    assert audited(tmp_path / "photos").counts()["small class"] == 1


def test_single_pixels_and_pictures_that_are_all_the_same(tmp_path: Path) -> None:
    for number in range(30):
        place(tmp_path / "tiny" / "ab"[number % 2] / f"{number}.png", encode(noise(1, 1, seed=number), "PNG"))
        place(tmp_path / "same" / "ab"[number % 2] / f"{number}.png", encode(noise(40, 40), "PNG"))
    assert audited(tmp_path / "tiny").counts()["low information"] == 1  # told once, of the set
    same = audited(tmp_path / "same").counts()
    assert same.pop("exact duplicate") == 29
    assert same == {"small class": 2, "two labels": 15}


def test_half_of_the_labels_wrong(tmp_path: Path) -> None:
    """Thumbnails tell digits apart only where labels agree with them; then the note says that so many do not."""
    write_digits(tmp_path / "all", a_class=60)
    rng, flipped = np.random.default_rng(0), 0
    for path in sorted((tmp_path / "all").rglob("*.png")):
        label = path.parent.name
        if rng.random() < 0.5:
            label, flipped = rng.choice([digit for digit in "0123456789" if digit != label]), flipped + 1
        place(tmp_path / "photos" / label / path.name, path.read_bytes())
    found = audited(tmp_path / "photos")
    assert found.noise is None  # without a network nobody can say whether the labels or the thumbnails are at fault
    assert any("thumbnails" in note for note in found.notes)
    assert "label doubt" not in found.counts()


@pytest.mark.slow
def test_ten_thousand_classes_of_two(tmp_path: Path) -> None:
    for label in range(10_000):
        for number in range(2):
            value = np.random.default_rng(2 * label + number).integers(0, 256, (4, 4, 3), dtype=np.uint8)
            picture = value.repeat(4, axis=0).repeat(4, axis=1)
            place(tmp_path / "photos" / f"class {label}" / f"{number}.png", encode(picture, "PNG"))
    found = audited(tmp_path / "photos")
    assert found.counts()["small class"] == 1  # told once, of the set
    assert sum(found.counts().values()) < 100


def test_nothing_that_can_be_read(tmp_path: Path) -> None:
    place(tmp_path / "photos" / "1.jpg", b"no image")
    with pytest.raises(DataError):
        audited(tmp_path / "photos")


def test_a_shortcut_is_found_on_the_road(tmp_path: Path) -> None:
    for number in range(60):
        picture = noise(40, 50, seed=number)
        name = tmp_path / "photos" / ("day" if number % 2 else "night") / f"{number}"
        if number % 2:
            place(name.with_suffix(".jpg"), turned(picture, 6, "JPEG"))
        else:
            place(name.with_suffix(".png"), encode(picture, "PNG"))
    found = audited(tmp_path / "photos")
    facts = [row.reason for row in found.rows if row.check == "shortcut"]
    assert any(reason.startswith("file format") for reason in facts)
    assert any(reason.startswith("EXIF orientation") for reason in facts)


def test_the_report_lies_in_the_audits_folder_and_is_replaced_with_it(tmp_path: Path) -> None:
    class_folders(tmp_path / "photos", {"cat": 3, "dog": 3})
    out = tmp_path / "audit"
    linne.audit(tmp_path / "photos", cache=tmp_path / "cache", out=out)
    assert "No network was chosen" in (out / "report.html").read_text()
    linne.audit(tmp_path / "photos", network="lenet5", cache=tmp_path / "cache", out=out)
    assert "32 x 32 pixels" in (out / "report.html").read_text()
    place(tmp_path / "mine" / "report.html", b"a page of my own")
    with pytest.raises(WriteError):
        linne.audit(tmp_path / "photos", cache=tmp_path / "cache", out=tmp_path / "mine")
    assert (tmp_path / "mine" / "report.html").read_bytes() == b"a page of my own"
