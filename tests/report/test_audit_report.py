"""The report of an audit: what to do first, what is there, what was found; bounded, and of anything."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from images import encode, place, scene
from PIL import Image
from report_page import HOSTILE, Page
from some_facts import facts
from some_records import index as some_index
from some_records import spec

from linne.audit.survey import survey
from linne.records.errors import WriteError
from linne.records.findings import Finding, Findings
from linne.records.first_steps import FirstStep
from linne.records.index import Index
from linne.records.label_noise import LabelNoise, NoisyPair
from linne.records.pixel_spec import PixelSpec
from linne.report.cases import checks
from linne.report.copies import groups_of
from linne.report.seen import seen_images
from linne.report.thumbnails import Album
from linne.report.write import write_audit_report

LABELS = ("cat", HOSTILE)
NOISE = LabelNoise(100, 0.124, 0.05, 0.21, (NoisyPair("cat", HOSTILE, 7.4, 2, 12),))
STEP = FirstStep("label doubt", 4, 0.223, f"since {HOSTILE}", "look at them")


def photos(folder: Path, sizes: Sequence[tuple[int, int]], labels: tuple[str, ...] = LABELS) -> Index:
    """Scenes of these widths and heights, in classes by turns."""
    paths = [f"{i % max(len(labels), 1)}/{i}.png" for i in range(len(sizes))]
    for i, (width, height) in enumerate(sizes):
        place(folder / paths[i], encode(scene(height, width, seed=i), "PNG"))
    label = [i % len(labels) if labels else -1 for i in range(len(sizes))]
    return some_index(paths, labels, label, root=str(folder))


def found(
    index: Index, rows: Sequence[Finding] = (), notes: Sequence[str] = (), noise: LabelNoise | None = None
) -> Findings:
    known = facts(len(index))
    seen = survey(index, known, np.ones(len(index), bool))
    return Findings.of(rows, index.fingerprint, notes, noise, seen, [STEP] if rows else [])


def page_of(folder: Path, index: Index, findings: Findings, pixels: PixelSpec | None = None) -> Page:
    return Page(write_audit_report(folder / "report.html", index, findings, pixels).read_text(encoding="utf-8"))


def test_it_says_what_to_do_first_then_what_is_there_then_what_was_found(tmp_path: Path) -> None:
    index = photos(tmp_path / "photos", [(90, 60)] * 6)
    rows = [Finding("label doubt", "0/0.png", 0.9, "looks odd", label="cat", suggestion=HOSTILE)]
    words = page_of(tmp_path, index, found(index, rows, [f"not {HOSTILE}"], NOISE), spec()).words
    parts = (
        "photos 6 images 2 classes",
        "1 finding of 1 kind; about 12.4% [5.0%, 21.0%] of the labels look wrong",
        "What to do first By expected gain: the share of all images",
        f"Label doubt 4 22.3% look at them \N{EN DASH} since {HOSTILE}",
        "The data Images of each class \N{EN DASH} 2 classes",
        "Sizes and shapes 6 readable images, 180.0 kB together: 6 JPEG. Stored as 6 RGB. EXIF turns none of them.",
        "What the network will see Each photo is turned upright",
        "90 x 60; 51% of it is seen, enlarged 0/0.png",
        "What was found label doubt 1",
        f"Not checked: not {HOSTILE}",
        "How many labels are wrong? 12.4% [5.0%, 21.0%] Of 100 labels",
        f"cat {HOSTILE} 7 2 to 12",
        "Label doubt: 1",
        f"cat → {HOSTILE}? looks odd 0/0.png",
    )
    places = [words.find(part) for part in parts]
    assert -1 not in places
    assert places == sorted(places)


def test_it_asks_for_nothing_and_obeys_no_name(tmp_path: Path) -> None:
    index = photos(tmp_path / HOSTILE.replace("/", "_"), [(90, 60)] * 4)
    rows = [
        *(Finding(HOSTILE, f"{i % 2}/{i}.png", 0.5, HOSTILE, remedy=HOSTILE, label=HOSTILE) for i in range(2)),
        Finding("near duplicate", "0/2.png", 1, HOSTILE, "1/3.png"),
        Finding("alike classes", "", 1, HOSTILE, label="cat", suggestion=HOSTILE),
        Finding("shortcut", "", 1, HOSTILE, label=HOSTILE, remedy="\u202eturned"),
    ]
    report = write_audit_report(tmp_path / "report.html", index, found(index, rows, [HOSTILE], NOISE), spec())
    html = report.read_text(encoding="utf-8")
    page = Page(html)
    assert not re.search(r"https?:|url\(|@import|javascript:|<script|\u202e", html)
    assert not {"script", "link", "iframe", "object", "embed", "base", "form"} & {tag for tag, _ in page.elements}
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert {link["href"] for link in page.all("a")} <= {f"#{each['id']}" for _, each in page.elements if "id" in each}
    assert all(image["src"].startswith("data:image/jpeg;base64,") and image["alt"] for image in page.all("img"))


def test_copies_stand_together_and_each_says_how_it_is_one(tmp_path: Path) -> None:
    index = photos(tmp_path / "photos", [(90, 60)] * 10)
    rows = [Finding("exact duplicate", index.path(i), 1, "the same bytes", index.path(0)) for i in range(1, 7)]
    rows += [
        Finding("near duplicate", index.path(8), 0.99, "mirrored", index.path(7)),
        Finding("near duplicate", index.path(9), 0.98, "upside down", index.path(8)),
    ]
    exact, near = checks(found(index, rows), index, Album(index))
    assert [(check.count, check.every, check.grouped) for check in (exact, near)] == [(6, 1, True), (2, 1, True)]
    assert [picture.path for picture in exact.cases[0].pictures] == [index.path(i) for i in range(4)]
    assert (exact.cases[0].more, exact.cases[0].notes) == (3, {})
    assert near.cases[0].notes == {index.path(8): "against 1 mirrored", index.path(9): "against 2 upside down"}
    words = page_of(tmp_path, index, found(index, rows)).words
    assert "and 3 more" in words
    assert f"1 {HOSTILE} 1/7.png 2 cat 0/8.png: against 1 mirrored 3 {HOSTILE} 1/9.png: against 2 upside down" in words


def test_the_surest_group_comes_first_then_the_largest() -> None:
    pairs = [("b", "a", 0.9), ("d", "c", 1.0), ("f", "e", 1.0), ("g", "f", 1.0), ("z", "y", 0.9)]
    groups = groups_of([Finding("near duplicate", path, score, "", other) for path, other, score in pairs])
    assert [set(group.shown) for group in groups] == [{"e", "f", "g"}, {"c", "d"}, {"a", "b"}, {"y", "z"}]


def test_a_copy_is_compared_only_with_what_is_shown_before_it() -> None:
    chain = [Finding("near duplicate", f"{i}", 1 - i / 100, f"by {i}", f"{i - 1}") for i in range(1, 7)]
    (group,) = groups_of(chain[::-1])
    assert (group.shown, group.more) == (("0", "1", "2", "3"), 3)
    assert group.notes == {f"{i}": f"against {i} by {i}" for i in (1, 2, 3)}
    back = Finding("near duplicate", "1", 0.5, "turned left", "earlier")
    (group,) = groups_of([chain[0], back])
    assert group.notes == {"1": "against 1 by 1", "earlier": "2 against it turned left"}


def test_alike_classes_show_pictures_of_both(tmp_path: Path) -> None:
    index = photos(tmp_path / "photos", [(90, 60)] * 20)
    rows = [Finding("alike classes", "", 0.9, "alike", label="cat", suggestion=HOSTILE)]
    (check,) = checks(found(index, rows), index, Album(index))
    assert [(heading, len(pictures)) for heading, pictures in check.cases[0].rows] == [("cat", 3), (HOSTILE, 3)]
    assert {picture.label for picture in check.cases[0].pictures} == set(LABELS)


def test_what_is_said_of_classes_the_set_and_lost_files_is_text(tmp_path: Path) -> None:
    index = photos(tmp_path / "photos", [(90, 60)] * 4)
    rows = [
        Finding("unreadable", "0/0.png", 1, "is damaged"),
        Finding("small class", "", 0.9, "cat has 2 readable images", label="cat"),
        Finding("dark", "", 0.8, "4 of 4 images are dark", images=4),
    ]
    page = page_of(tmp_path, index, found(index, rows))
    assert page.all("img") == []
    for text in ("0/0.png: is damaged", "cat has 2 readable images", "4 of 4 images are dark"):
        assert text in page.words


def test_the_network_s_view_is_what_its_pixels_make_of_the_photo(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    tall = np.zeros((300, 100, 3), np.uint8)
    tall[100:200] = (250, 250, 250)
    place(folder / "0/tall.png", encode(tall, "PNG"))
    index = some_index(["0/tall.png", "0/gone.png"], ("cat",), root=str(folder))
    square = spec(height=32, width=32, resize=32, interpolation="bilinear")
    (seen,) = seen_images(index, ("0/tall.png", "0/gone.png", "0/unknown.png"), square)
    assert (seen.width, seen.height, round(seen.share, 2), seen.enlarged) == (100, 300, 0.33, False)
    before, after = (
        np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))).astype(int)
        for uri in (seen.before, seen.after)
    )
    assert after.shape == (160, 160, 3)
    assert after.min() > 200  # the white third in the middle alone
    assert before.shape == (160, 53, 3)
    assert 40 < before[20].mean() < 100  # black, faded to gray
    assert before[80, 20:30].mean() > 240
    (whole,) = seen_images(index, ("0/tall.png",), replace(square, fit="pad", channels=1, mean=(0.5,), std=(0.5,)))
    assert whole.share == 1


def test_without_a_network_it_says_so(tmp_path: Path) -> None:
    index = photos(tmp_path / "photos", [(90, 60)] * 4)
    page = page_of(tmp_path, index, found(index))
    assert "No network was chosen" in page.words
    assert page.all("img") == []


@pytest.mark.parametrize("labels", [(), ("cat",)])
def test_nothing_found_and_no_classes(labels: tuple[str, ...], tmp_path: Path) -> None:
    index = photos(tmp_path / "photos", [(90, 60)] * 3, labels)
    words = page_of(tmp_path, index, found(index), spec()).words
    assert "Nothing was found." in words
    assert "Nothing that promises a gain was found." in words
    assert ("The images have no classes." in words) == (not labels)
    assert ("1 class" in words) == bool(labels)


def test_nothing_that_can_be_read_and_nothing_known(tmp_path: Path) -> None:
    index = some_index(["a/0.png"], ("a",), root=str(tmp_path))
    for seen in (None, survey(index, facts(1), np.zeros(1, bool))):
        page = page_of(tmp_path, index, Findings.of([], index.fingerprint, survey=seen), spec())
        assert page.all("svg", "chart") == []


def test_a_split_of_the_user_s_is_counted(tmp_path: Path) -> None:
    index = some_index(["a", "b", "c", "d"], label=[0, 0, 0, 1], subset=[1, 1, 3, 1], root=str(tmp_path))
    words = page_of(tmp_path, index, Findings.of([], index.fingerprint)).words
    assert "class images share of the largest class train validation test in none cat 3 2 0 1 0 dog 1 1 0 0 0" in words


def test_ten_thousand_classes_and_many_findings_stay_small(tmp_path: Path) -> None:
    classes, images = 10_000, 100_000
    label = np.sqrt(np.arange(images) * (classes**2 / images)).astype(int)
    labels = tuple(f"class {i}" for i in range(classes))
    index = some_index([f"{i}.png" for i in range(images)], labels, label.tolist(), root=str(tmp_path))
    rows = [Finding("small class", "", 0.9, f"{name} has few", label=name) for name in labels]
    rows += [Finding("alike classes", "", 0.9, "", label=name, suggestion=labels[0]) for name in labels[1:]]
    rows += [Finding("exact duplicate", f"{i}.png", 1, "the same bytes", "0.png") for i in range(1, 20_000)]
    rows += [Finding("label doubt", f"{i}.png", 1, "", label=labels[1], suggestion=labels[0]) for i in range(20_000)]
    page = page_of(tmp_path, index, found(index, rows), spec())
    assert (tmp_path / "report.html").stat().st_size < 300_000  # no picture is there
    assert "10,000 classes; those with the fewest images, and those with the most" in page.words
    assert len(page.all("svg", "chart")) == 3
    assert len(page.all("span", "gone")) <= 90


def test_a_report_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    index = some_index(["a"], root=str(tmp_path))
    (tmp_path / "report.html").mkdir()
    with pytest.raises(WriteError):
        write_audit_report(tmp_path / "report.html", index, Findings.of([], index.fingerprint), None)
