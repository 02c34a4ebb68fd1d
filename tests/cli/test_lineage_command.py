"""``linne lineage``: the story as a table, as JSON and as a page, and what is said of the networks."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from cli.conftest import Call

from linne.cli.options import out
from linne.nets.catalogue import CATALOGUE
from linne.nets.catalogue.papers import PAPERS
from linne.nets.claims import CLAIMS
from linne.nets.find import best_weights
from linne.nets.weights.published import published


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(out, "width", 80)


@pytest.fixture
def few_claims(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three of them: the others count networks of a thousand layers, which takes seconds."""
    monkeypatch.setattr("linne.nets.claims.CLAIMS", CLAIMS[:3])


@pytest.fixture
def two_papers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The only ones in the story, measured with the fewest runs."""
    monkeypatch.setattr("linne.road.lineage.PAPERS", {key: PAPERS[key] for key in ("mobilenet_v3", "lenet5")})
    monkeypatch.setattr("linne.road.lineage.MEASURED_SECONDS", 0.0)


@pytest.mark.usefixtures("narrow")
def test_the_table_has_a_line_a_paper_within_80_columns(call: Call, tmp_path: Path) -> None:
    done = call("lineage", "--no-latency", folder=tmp_path)
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    for paper in PAPERS.values():
        assert sum(line.startswith(f"{paper.year} {paper.name:<22}") for line in lines) == 1
        assert paper.idea in re.sub(r"\s+", " ", done.stdout)
    best = best_weights("resnet50")
    assert best is not None
    (row,) = (line.split() for line in lines if " resnet50 " in line)
    assert row == ["2015", "ResNet", "resnet50", "25.6M", "4.09G", f"{best.top1:.1f}"]
    (row,) = (line.split() for line in lines if " efficientnet_lite4 " in line)
    assert row[-3:] == ["2.55G", "81.5", "@380"]


@pytest.mark.usefixtures("narrow", "two_papers")
def test_latency_is_the_last_column(call: Call, tmp_path: Path) -> None:
    done = call("lineage", folder=tmp_path)
    assert done.returncode == 0
    rows = [line.split() for line in done.stdout.splitlines() if re.match(r"\d{4} ", line)]
    assert [row[1] for row in rows] == ["LeNet-5", "MobileNetV3"]
    assert 0 < float(rows[0][-1]) < float(rows[1][-1])
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_json_holds_every_network_with_the_size_of_its_accuracy(call: Call, tmp_path: Path) -> None:
    story = json.loads(call("lineage", "--no-latency", "--json", folder=tmp_path).stdout)
    assert (story["machine"], story["page"]) == ("", None)
    years = [chapter["year"] for chapter in story["chapters"]]
    assert years == sorted(years)
    assert {chapter["key"] for chapter in story["chapters"]} == PAPERS.keys()
    variants = {v["name"]: v for chapter in story["chapters"] for v in chapter["variants"]}
    assert variants.keys() == CATALOGUE.keys()
    for name, v in variants.items():
        row = CATALOGUE[name]
        assert (v["parameters"], v["gmacs"], v["side"]) == (row.parameters, row.gmacs, row.pixels.height)
        assert v["milliseconds"] is None
        measured = {(w.top1, w.pixels.height) for w in published(name) if w.top1 is not None}
        if v["top1"] is None:
            assert v["top1_pixels"] is None
        else:
            assert (v["top1"], v["top1_pixels"]) in measured
            assert v["top1_pixels"] == v["side"] or v["side"] not in {side for _, side in measured}
    assert {name for name, v in variants.items() if v["top1_pixels"] not in (None, v["side"])} >= {"efficientnet_lite4"}


@pytest.mark.usefixtures("few_claims")
def test_the_page_is_one_file_that_loads_nothing(call: Call, tmp_path: Path) -> None:
    done = call("lineage", "--no-latency", "--json", "--out", "pages/lineage.html", folder=tmp_path)
    assert done.returncode == 0
    story = json.loads(done.stdout)
    assert story["page"] == "pages/lineage.html"
    page = (tmp_path / story["page"]).read_text(encoding="utf-8")
    assert "default-src 'none'" in page
    assert all(target.startswith("#") for target in re.findall(r'\b(?:href|src|srcset|action)\s*=\s*"([^"]*)', page))
    assert not re.search(r"<(script|link|img|iframe|object|embed)\b|url\(|@import", page)
    assert all(f">{name}</th>" in page for name in CATALOGUE)
    assert page.count("<article ") == len(PAPERS)
    lite4 = next(v for c in story["chapters"] for v in c["variants"] if v["name"] == "efficientnet_lite4")
    assert f"{lite4['top1']:.1f} % @380</td>" in page


@pytest.mark.usefixtures("few_claims", "two_papers")
def test_only_an_older_page_is_written_over(call: Call, tmp_path: Path) -> None:
    notes, page = tmp_path / "notes.html", tmp_path / "page.HTML"
    notes.write_text("<title>My notes</title>")
    (tmp_path / "folder.html").mkdir()
    for name in ("notes.html", "folder.html", "photo.jpg", "page"):
        assert call("lineage", "--out", name, folder=tmp_path).returncode == 1
    assert notes.read_text() == "<title>My notes</title>"
    assert {path.name for path in tmp_path.iterdir()} == {"notes.html", "folder.html"}
    assert call("lineage", "--no-latency", "--out", page, folder=tmp_path).returncode == 0
    first = page.read_bytes()
    assert call("lineage", "--out", page, folder=tmp_path).returncode == 0
    assert b"Latency was measured here" in page.read_bytes()
    assert b"Latency was measured here" not in first


@pytest.mark.usefixtures("few_claims")
def test_claims_are_counted(call: Call, tmp_path: Path) -> None:
    plain = call("lineage", "--claims", folder=tmp_path)
    claims = json.loads(call("lineage", "--claims", "--json", folder=tmp_path).stdout)
    assert [(claim["network"], claim["verdict"]) for claim in claims] == [
        ("LeNet-5", "right"),
        ("AlexNet", "right"),
        ("VGG-16", "right"),
    ]
    assert "138,357,544" in claims[2]["counted"]
    assert plain.returncode == 0
    assert all(claim[key] in plain.stdout for claim in claims for key in ("network", "said", "counted", "verdict"))


def test_claims_and_a_page_are_wrong_usage(call: Call, tmp_path: Path) -> None:
    done = call("lineage", "--no-latency", "--claims", "--out", "page.html", folder=tmp_path)
    assert done.returncode == 2
    assert not (tmp_path / "page.html").exists()


@pytest.mark.usefixtures("two_papers", "few_claims")
def test_notes_that_quote_the_page_and_what_is_no_file_are_left_alone(call: Call, tmp_path: Path) -> None:
    notes = '<title>The lineage \N{EN DASH} Linne</title><meta name="generator" content="linne lineage"> my notes'
    (tmp_path / "notes.html").write_text(notes)
    os.mkfifo(tmp_path / "pipe.html")
    for name in ("notes.html", "pipe.html"):
        assert call("lineage", "--no-latency", "--out", name, folder=tmp_path).returncode == 1
    assert (tmp_path / "notes.html").read_text() == notes
