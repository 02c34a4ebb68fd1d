"""One file that says everything, loads nothing, and breaks on no name."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from images import encode, noise, place, scene
from PIL import Image
from report_page import HOSTILE, Page
from some_records import bundle
from some_records import index as some_index

from linne.records.bundle import Bundle
from linne.records.content import FileContent
from linne.records.errors import RunError, WriteError
from linne.records.evaluation import ClassScore, Evaluation, HardCase, Measure
from linne.records.findings import Finding, Findings
from linne.records.index import Index
from linne.records.run import Run
from linne.records.set_aside import SetAside
from linne.records.split import Split
from linne.report.charts import Line, confusion_matrix, reliability_diagram, training_curve
from linne.report.thumbnails import Album, thumbnail
from linne.report.write import write_report

LABELS = ("cat", "dog", HOSTILE, "a \"quoted\" & 'tricky'\nclass", "\u202eright to left שלום", "long" * 60)


def write_run(
    folder: Path,
    labels: tuple[str, ...] = LABELS,
    each: int = 4,
    findings: Sequence[Finding] = (),
    subset: str = "test",
    hardest: int = 24,
    facts: dict[str, Any] | None = None,
    notes: tuple[str, ...] = (),
) -> Run:
    """A run's folder with real records, and small photos beside it."""
    folder.mkdir(parents=True)
    photos = folder / "photos"
    label = [row // each for row in range(len(labels) * each)]
    paths = [f"{which}/{row}.png" for row, which in enumerate(label)]
    for row, path in enumerate(paths[:40]):
        place(photos / path, encode(scene(90, 60 + row, seed=row), "PNG"))
    index = some_index(
        paths, labels, label, root=str(photos), set_aside=(SetAside("notes<b>.txt", "no image, by its name"),)
    )
    split = Split(
        np.array([1 + row % 3 for row in range(len(paths))], np.int8), np.arange(len(paths)), False, index.fingerprint
    )
    run = Run(folder, {"name": folder.name} if facts is None else facts)
    shipped = bundle(labels=labels)
    index.write(run.index)
    split.write(run.split, index.paths, np.zeros((len(index), 16), np.uint8))
    Findings.of(findings, index.fingerprint, notes).write(run.findings)
    shipped.write(run.bundle)
    for name, file in {
        "validation": run.validation,
        subset: run.evaluation if subset == "test" else run.validation,
    }.items():
        evaluation(name, labels, paths[:hardest], shipped, split).write(file)
    run.write()
    return run


def evaluation(subset: str, labels: tuple[str, ...], paths: list[str], shipped: Bundle, split: Split) -> Evaluation:
    measure = Measure(0.9204, 0.8901, 0.9512) if subset == "test" else Measure(0.7503, 0.7, 0.8)
    names = ("accuracy", "macro_precision", "macro_recall", "macro_f1", "top5", "log_loss", "ece", "ece_uncalibrated")
    right = [(i, i, 7) for i in range(1, len(labels))]
    return Evaluation(
        subset=subset,
        images=372,
        measures=dict.fromkeys(names, measure),
        classes=tuple(
            ClassScore(label, 7 * (i > 0), *(Measure(value, 0.0, 1.0) for value in (0.9, 0.8, 1 / (i + 1))))
            for i, label in enumerate(labels)
        ),
        confusion=(*right, (1, 0, 2)) if right else (),
        hardest=tuple(HardCase(path, labels[0], labels[-1], i / 100, 0.9) for i, path in enumerate(paths)),
        reliability=((0.35, 0.2, 5), (0.81, 0.8, 30), (0.97, 1.0, 300)),
        bundle=shipped.fingerprint,
        split=split.fingerprint,
        notes=(f"A note of {subset} & more.",),
    )


def page_of(run: Run) -> Page:
    return Page(write_report(run).read_text(encoding="utf-8"))


FINDINGS = (
    Finding("unreadable", "5/23.png", 1.0, "is damaged", remedy="replace or remove it"),
    Finding("exact duplicate", "0/1.png", 1.0, "the same bytes", "0/0.png", remedy="keep one"),
    Finding("leak", "1/5.png", 0.99, "a copy in test of an image in train", "1/4.png", remedy="keep it in one subset"),
    *(
        Finding("label doubt", f"2/{i}.png", i / 100, f"labelled x, looks like y {HOSTILE}", "", suggestion="dog")
        for i in range(8, 12)
    ),
    Finding("small class", "", 0.9, f"{HOSTILE} has 4 readable images", "", remedy="add images"),
)

FACTS = {
    "name": "flowers-1",
    "created": "2026-03-01T12:30:05+00:00",
    "plan": {"reasons": ["because <b>so</b>", "and so on"], "seed": 0},
    "seconds": {"plan": 1.5, "embed": 30.25, "nothing": 0},
    "fingerprints": {"index": "aa11", "weights": ""},
    "probe": {"accuracy": 0.8123, "log_loss": 0.6, "inverse_penalty": 1.0},
    "chosen": {"method": "stages", "accuracy": 0.8765, "log_loss": 0.4, "epoch": 2, "stopped": "deadline"},
    "backend": {"name": "onnx", "rates": {"eager": 55.5, "onnx": 246.4}},
    "openings": [{"time": "2026-03-01T13:00:00+00:00", "bundle": "bb22"}],
}


def test_the_page_asks_for_nothing_and_runs_nothing(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", findings=FINDINGS, facts=FACTS)
    html = write_report(run).read_text(encoding="utf-8")
    page = Page(html)
    assert not re.search(r"https?:|url\(|@import|javascript:", html)
    assert all(image["src"].startswith("data:image/jpeg;base64,") for image in page.all("img"))
    assert not {"script", "link", "iframe", "object", "embed", "base", "form"} & {tag for tag, _ in page.elements}
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert all(link["href"].startswith("#") for link in page.all("a"))
    policy = next(meta["content"] for meta in page.all("meta") if "http-equiv" in meta)
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def test_sections_come_in_order_under_headings(tmp_path: Path) -> None:
    words = page_of(write_run(tmp_path / "run", findings=FINDINGS, facts=FACTS)).words
    parts = (
        "flowers-1 mobilenet_v2 6 classes 24 images 2026-03-01 12:30 UTC",
        "0.920 [0.890, 0.951] accuracy on 372 sealed test images, opened once",
        "ECE (calibration) 0.920 [0.890, 0.951] before calibration 0.920",
        "because <b>so</b>",
        "probe a linear classifier on the frozen network's features 0.812",
        "kept the last stages trained, epoch 2 0.876",
        "Training ended with the budget.",
        "together 31.8",
        "eager 56, onnx 246",
        "Images of each class",
        "Label doubt: 4",
        "the weakest class first",
        "Confusion matrix",
        "Do the probabilities mean what they say?",
        "Hardest cases The sealed test images",
        "answer for 1.000 of them; largest difference 1.0e-06 in a probability",
        "its shorter side scaled to 256 pixels and the centre 224 x 224 cut out",
        "Licence of the weights BSD-3-Clause",
        "2026-03-01 13:00 UTC with bundle bb22",
    )
    places = [words.find(part) for part in parts]
    assert -1 not in places
    assert places == sorted(places)


def test_validation_numbers_are_called_so_and_the_command_is_told(tmp_path: Path) -> None:
    run = write_run(tmp_path / "a run", subset="validation")
    words = page_of(run).words
    assert "0.750 [0.700, 0.800] accuracy on 372 validation images, not yet on the test set" in words
    assert f"linne evaluate '{run.folder}'" in words
    assert "A note of validation & more." in words
    assert "sealed test" not in words


@pytest.mark.parametrize(
    ("number", "told"), [(0, ""), (1, ", opened once"), (2, ", opened twice"), (5, ", opened 5 times")]
)
def test_openings_of_the_test_set_are_counted(tmp_path: Path, number: int, told: str) -> None:
    facts = {"openings": [{"time": "2026-03-01T13:00:00+00:00", "bundle": "bb22"}] * number}
    words = page_of(write_run(tmp_path / "run", facts=facts)).words
    assert re.search(r"accuracy on 372 sealed test images(, opened [\w ]+?)? (?=A note)", words)[1] == (told or None)
    assert "linne evaluate" not in words


def test_hardest_cases_are_pictures_with_their_names(tmp_path: Path) -> None:
    page = page_of(write_run(tmp_path / "run"))
    assert len(page.all("figure", "case")) == len(page.all("img")) == 24
    for image in page.all("img"):
        picture = Image.open(io.BytesIO(base64.b64decode(image["src"].partition(",")[2])))
        assert picture.format == "JPEG"
        assert max(picture.size) <= 160
        assert image["alt"].startswith("Image ")


def test_a_lost_or_damaged_picture_becomes_a_note(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", hardest=3)
    (tmp_path / "run/photos/0/0.png").unlink()
    (tmp_path / "run/photos/0/1.png").write_bytes(b"")
    page = page_of(run)
    assert len(page.all("img")) == 1
    assert page.words.count("No picture:") == 2
    assert Album(Index.read(run.index)).picture("nul\0.png").note


def test_pairs_stand_side_by_side_and_doubts_name_both_labels(tmp_path: Path) -> None:
    page = page_of(write_run(tmp_path / "run", findings=FINDINGS, hardest=0))
    assert len(page.all("img")) == 2 + 2 + 4
    assert len(page.all("div", "pairs")) == 2
    assert "1/4.png" in page.words
    assert page.words.count(f"{HOSTILE} → dog?") == 4
    assert "Exact duplicate: 1" in page.words
    assert "5/23.png: is damaged" in page.words


def test_many_findings_share_the_pictures_and_the_file_stays_small(tmp_path: Path) -> None:
    pairs = [
        Finding(check, f"0/{2 * i}.png", 0.9, "a pair", f"0/{2 * i + 1}.png") for check in "abcd" for i in range(99)
    ]
    doubts = [Finding("label doubt", f"0/{i}.png", 0.9, "a doubt", suggestion="dog") for i in range(400)]
    run = write_run(tmp_path / "run", ("cat", "dog"), each=200, findings=[*pairs, *doubts])
    for i in range(40):
        place(tmp_path / f"run/photos/0/{i}.png", encode(noise(160, 160, seed=i), "PNG"))
    page = page_of(run)
    assert 24 + 80 < len(page.all("img")) + len(page.all("span", "gone")) <= 24 + 90
    assert "A: 99 \N{EN DASH} the surest 10 groups" in page.words
    assert run.report.stat().st_size < 3_000_000


def test_names_are_shown_and_never_obeyed(tmp_path: Path) -> None:
    facts = {**FACTS, "name": HOSTILE, "seconds": {HOSTILE: 1.0}, "openings": [{"time": HOSTILE}]}
    run = write_run(tmp_path / HOSTILE[1:8], findings=FINDINGS, facts=facts, notes=(HOSTILE,))
    html = write_report(run).read_text(encoding="utf-8")
    assert "<script" not in html
    assert HOSTILE in Page(html).text
    assert "\u202e" not in html  # would turn the rest of the line around
    assert "a \"quoted\" & 'tricky'\\nclass" in Page(html).text


def test_names_of_bytes_that_are_no_text_can_be_written(tmp_path: Path) -> None:
    assert "caf\\xe9" in page_of(write_run(tmp_path / "run", facts={"name": "caf\udce9"})).text


@pytest.mark.parametrize("facts", [{}, dict.fromkeys(FACTS), {"probe": {}, "chosen": {}, "plan": {}, "backend": {}}])
def test_facts_that_are_not_there_are_left_out(tmp_path: Path, facts: dict[str, Any]) -> None:
    words = page_of(write_run(tmp_path / "run", facts=facts)).words
    assert "None of" not in words
    assert "Probe and training" not in words
    assert "Openings of the test set none" in words


@pytest.mark.parametrize(("classes", "each"), [(2, 1), (2, 20), (30, 1), (31, 1), (200, 1)])
def test_few_and_many_classes(tmp_path: Path, classes: int, each: int) -> None:
    labels = tuple(f"class {i}" for i in range(classes))
    page = page_of(write_run(tmp_path / "run", labels, each))
    assert len(page.all("table", "matrix")) == (classes <= 30)
    assert ("The most frequent mistakes" in page.words) == (classes > 30)
    if classes > 30:
        assert "class 1 class 0 2 0.286" in page.words


def test_nothing_found_nothing_wrong(tmp_path: Path) -> None:
    words = page_of(
        write_run(tmp_path / "run", ("cat", "dog"), notes=("label doubt: too few images",), hardest=0)
    ).words
    assert "What the audit found Nothing." in words
    assert "Not checked: label doubt: too few images" in words
    assert "Hardest cases None." in words


def test_training_is_drawn_even_where_its_history_breaks_off(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", facts=FACTS)
    lines = [
        {"epoch": i, "loss": None if i == 0 else 1 / i, "accuracy": 0.8 + i / 50, "log_loss": 0.5} for i in range(4)
    ]
    run.history.write_text("\n".join(map(json.dumps, lines)) + '\n{"epoch": 4, "lo')
    told = [svg["aria-label"] for svg in page_of(run).all("svg", "chart")]
    assert told[0] == "accuracy by epoch. validation accuracy: 0.800, 0.820, 0.840, 0.860"
    assert told[1].endswith("training loss: 1.000, 0.500, 0.333")
    assert "0.810: 0.800 of 30" in told[2]


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", findings=FINDINGS, facts=FACTS)
    first = write_report(run).read_bytes()
    assert write_report(Run.open(run.folder)).read_bytes() == first


def test_a_report_that_cannot_be_made_leaves_the_old_one(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    old = write_report(run).read_bytes()
    value = json.loads(run.evaluation.read_text())
    run.evaluation.write_text(json.dumps({**value, "bundle": "another"}))
    with pytest.raises(RunError) as caught:
        write_report(run)
    assert caught.value.file == str(run.evaluation)
    run.evaluation.write_text(json.dumps(value))
    run.split.unlink()
    with pytest.raises(RunError):
        write_report(run)
    assert run.report.read_bytes() == old


def test_a_report_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    run.report.mkdir()
    with pytest.raises(WriteError) as caught:
        write_report(run)
    assert caught.value.file == str(run.report)
    assert list(run.folder.glob(".*.part")) == []


def test_charts_of_little_and_of_extremes() -> None:
    assert reliability_diagram([]).count("circle") == 0
    for points in ([(0, 0.5)], [(0, 0.5), (1, 0.5)], [(i, 1e4 * i) for i in range(300)], [(0, 1.0), (1, 0.0)]):
        drawn = training_curve("loss", [Line("loss", 1, points)], chosen=0)
        ordinates = [float(pair.split(",")[1]) for pair in re.search(r'points="([^"]*)"', drawn)[1].split()]
        assert all(12 <= y <= 258 for y in ordinates)
        assert drawn.count("<text") < 24
    table = confusion_matrix([HOSTILE, "b"], [[0, 0], [1, 3]])
    assert "<script" not in table
    assert re.findall(r"--depth:([\d.]+)", table) == ["0.500", "0.750"]


def test_thumbnails_keep_shape_and_colour(tmp_path: Path) -> None:
    file = place(tmp_path / "a.png", encode(np.full((100, 400, 3), (200, 30, 30), np.uint8), "PNG"))
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(thumbnail(FileContent(file)).partition(",")[2]))))
    assert shown.shape == (40, 160, 3)
    assert np.abs(shown.mean(axis=(0, 1)) - (200, 30, 30)).max() < 4
