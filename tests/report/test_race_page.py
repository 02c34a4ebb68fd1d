"""The page of a race: every network is on it, and names neither overlap nor break it."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
from report_page import HOSTILE, Page
from some_results import board, failed, result

from linne.report.race import by_latency, write_race
from linne.report.scatter import HEIGHT, WIDTH, place_names
from linne.road.standing import places_of


def overlaps(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return min(one[2], other[2]) > max(one[0], other[0]) and min(one[3], other[3]) > max(one[1], other[1])


def test_names_beside_their_spots_do_not_overlap() -> None:
    rng = np.random.default_rng(0)
    spots = [(float(x), float(y)) for x, y in zip(rng.uniform(300, 560, 20), rng.uniform(100, 260, 20), strict=True)]
    boxes = place_names(["Swin Transformer"] * 20, spots)
    assert not any(overlaps(one, other) for one, other in combinations(boxes, 2))
    assert all(left >= 0 and right <= WIDTH and top >= 0 and low <= HEIGHT for left, top, right, low in boxes)


def test_all_networks_are_on_the_page(tmp_path: Path) -> None:
    results = [
        result("lenet5", "1" * 9 + "0" * 6, year=1998),
        result("resnet18", "1" * 12 + "0" * 3),
        result("resnet18-12ab", "1" * 15, "pretrained"),
        failed("vit_tiny_16", "no epoch within the budget: & <too> short"),
        result("swin_tiny", "1" * 11 + "0" * 4, year=2021, shown=HOSTILE),
    ]
    path = write_race(board(places_of(results, np.arange(15), False, 0)), tmp_path / "race.html")
    text = path.read_text(encoding="utf-8")
    page = Page(text)
    (table,) = page.all("table")
    assert "board" in table["class"].split()
    rows = re.findall(r"<tr[ >].*?</tr>", text.split("<tbody>")[1], re.DOTALL)
    assert len(rows) == len(results)
    assert all(any(f">{each.network}</span></th>" in row for row in rows) for each in results)
    assert "no epoch within the budget: & <too> short" in page.words
    assert len(page.all("path", "spot")) == 2 * 4
    assert len(page.all("path", "f2")) == 2 + 1  # and the legend
    assert page.all("script") == page.all("img") == page.all("link") == []
    assert any("default-src 'none'" in meta.get("content", "") for meta in page.all("meta"))
    assert not re.search(r"url\(|@import", text)


def test_a_race_that_nobody_finished_has_a_page_without_pictures(tmp_path: Path) -> None:
    path = write_race(board(places_of([failed("a", "too slow")], np.arange(15), False, 0)), tmp_path / "race.html")
    page = Page(path.read_text(encoding="utf-8"))
    assert "too slow" in page.words
    assert page.all("svg") == []


def test_the_input_is_told_by_its_side_or_by_both(tmp_path: Path) -> None:
    square, tall = result("lenet5", "1" * 15), result("resnet18", "1" * 14 + "0")
    assert tall.finish is not None
    tall = replace(tall, finish=replace(tall.finish, height=256, width=192))
    path = write_race(board(places_of([square, tall], np.arange(15), False, 0)), tmp_path / "race.html")
    told = re.findall(r'<td class="n">(64|192 . 256)</td>', path.read_text(encoding="utf-8"))
    assert told == ["64", "192 \N{MULTIPLICATION SIGN} 256"]


def test_equal_latencies_can_be_drawn() -> None:
    places = places_of([result("a", "10"), result("b", "11")], np.arange(2), False, 0)
    assert by_latency(places).count("<title>") == 2
