"""Is the page of the lineage whole, self-contained and drawn for every paper?"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markupsafe import Markup

from linne.nets.catalogue.papers import PAPERS
from linne.records.errors import WriteError
from linne.records.lineage import Chapter, Lineage, Variant
from linne.report.block_drawings import DRAWINGS, Drawing
from linne.report.block_svg import block_svg
from linne.report.lineage import macs, milliseconds, render_lineage
from linne.road.lineage import write_lineage

CLAIM = {"network": "A <b>", "said": "x & y", "counted": "1,234", "verdict": "loose", "note": "say <i>"}


def story() -> Lineage:
    variant = Variant("net_1", 1_234_567, 4.08918, 224, 80.858, "", 12.34)
    other = Variant("net_<2>", 1_000, 0.000416, 32, None, "no weights", None)
    chapters = [
        Chapter(
            key, paper.name, paper.year, paper.title, paper.arxiv, paper.idea, paper.changed, variant, (variant, other)
        )
        for key, paper in PAPERS.items()
    ]
    return Lineage(tuple(chapters), "this machine")


class Page(HTMLParser):
    """Elements, their attributes, and text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [
            value or "" for key, value in attrs if key in ("src", "href") and not (value or "").startswith("#")
        ]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_tells_every_chapter_and_loads_nothing(tmp_path: Path) -> None:
    page = Page()
    page.feed(render_lineage(story(), [CLAIM], tmp_path / "page.html").read_text())
    assert page.tags.count("article") == page.tags.count("svg") == len(PAPERS)
    assert page.loads == []
    assert "script" not in page.tags
    for paper in PAPERS.values():
        assert paper.idea in page.text
    for text in ("1,234,567", "4.09 G", "80.9 %", "12.3 ms", "416 k", "A <b>", "x & y", "say <i>", "net_<2>"):
        assert text in page.text


def test_every_paper_has_a_drawing_and_every_skip_lies_inside() -> None:
    assert DRAWINGS.keys() == PAPERS.keys()
    for drawing in DRAWINGS.values():
        assert all(0 <= start <= end < len(drawing.rows) for start, end in drawing.skips)
        assert len({end for _, end in drawing.skips}) == len(drawing.skips)


@pytest.mark.parametrize("key", DRAWINGS)
def test_boxes_stay_inside_the_drawing_and_apart(key: str) -> None:
    svg = block_svg(DRAWINGS[key])
    width, height = (float(x) for x in re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg).groups())  # type: ignore[union-attr]
    boxes = [
        tuple(map(float, found))
        for found in re.findall(r'<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"', svg)
    ]
    assert len(boxes) == sum(bool(text) for row in DRAWINGS[key].rows for column in row for text in column)
    texts = [text for row in DRAWINGS[key].rows for column in row for text in column if text]
    assert all(6.0 * len(text) + 6 <= w for text, (_, _, w, _) in zip(texts, boxes, strict=True)), (
        "a text leaves its box"
    )
    for i, (x, y, w, h) in enumerate(boxes):
        assert 0 <= x <= x + w <= width
        assert 0 <= y <= y + h <= height
        assert all(x + w <= x2 or x2 + w2 <= x or y + h <= y2 or y2 + h2 <= y for x2, y2, w2, h2 in boxes[i + 1 :])


def test_a_name_in_a_drawing_is_escaped() -> None:
    svg = block_svg(Drawing("<x>", ((("a & b",),),)))
    assert isinstance(svg, Markup)
    assert "a &amp; b" in svg
    assert "<x>" not in svg


def test_numbers_have_three_digits_and_a_unit() -> None:
    assert [macs(x) for x in (15.4703, 4.08918, 0.56874, 0.000416, 3e-7)] == [
        "15.5 G",
        "4.09 G",
        "569 M",
        "416 k",
        "300",
    ]
    assert [milliseconds(x) for x in (None, 0.1234, 12.34, 123.4)] == ["", "0.123 ms", "12.3 ms", "123 ms"]


def test_only_a_page_is_written(tmp_path: Path) -> None:
    with pytest.raises(WriteError):
        write_lineage(story(), [], tmp_path / "photo.jpg")
    assert list(tmp_path.iterdir()) == []
