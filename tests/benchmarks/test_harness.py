"""What benchmarks say: ratios from turns, a table, and JSON that is read back."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from harness import Comparison, Measured, Table, _timing, compare, gathered, main, read, rendered

THEIRS, OURS = [4.0, 2.0, 3.0, 6.0, 5.0], [2.0, 0.5, 1.0, 1.0, 5.0]
COMPARISON = Comparison("Walking", 6, "miles", (_timing("theirs", THEIRS, THEIRS), _timing("ours", OURS, THEIRS)))
TABLE = Table("Shoes", ("", "pairs", "size"), (("red", 1200, 40.5), ("blue", 3, 41.0)))


def test_a_ratio_is_the_median_over_turns_of_theirs_over_ours() -> None:
    theirs, ours = COMPARISON.timings
    assert (theirs.median, theirs.low, theirs.high) == (4.0, 3.0, 5.0)
    assert (theirs.ratio, theirs.ratio_low, theirs.ratio_high) == (1.0, 1.0, 1.0)
    assert ours.median == 1.0
    assert (ours.ratio, ours.ratio_low, ours.ratio_high) == (3.0, 2.0, 4.0)  # of 2, 4, 3, 6, 1; of medians it is 4


def test_one_turn_is_its_own_median() -> None:
    one = _timing("ours", [2.0], [3.0])
    assert (one.low, one.median, one.high, one.ratio) == (2.0, 2.0, 2.0, 1.5)


def test_all_ways_run_in_each_turn_and_another_one_begins() -> None:
    ran: list[str] = []
    names = ("a", "b", "c")
    compare("", {name: lambda name=name: ran.append(name) for name in names}, turns=4, warm_up=False)
    assert "".join(ran) == "abc" + "bca" + "cab" + "abc"


def test_seconds_that_a_way_measured_itself_count() -> None:
    given = iter([100.0, 1.0, 2.0, 3.0])  # the first to warm up
    found = compare("", {"own": lambda: Measured(next(given))}, turns=3)
    assert found.timings[0].median == 2.0


def test_a_comparison_has_a_row_a_way() -> None:
    lines = rendered(COMPARISON).splitlines()
    assert lines[0] == "Walking"
    assert [line.split("|")[1].strip() for line in lines[4:]] == ["theirs", "ours"]
    assert "6 miles/s" in lines[5]
    assert "3.00 x" in lines[5]


def test_rows_of_a_table_are_as_wide_as_its_head() -> None:
    lines = rendered(TABLE).splitlines()[2:]
    assert len({len(line) for line in lines}) == 1
    assert [cell.strip() for cell in lines[2].split("|")] == ["", "red", "1,200", "40.5", ""]


def test_gathered_comparisons_have_a_row_each() -> None:
    assert (
        gathered("Both", [COMPARISON, COMPARISON]).rows
        == (("Walking", "4.00 s", "1.00 s", "3.00 x", "[2.00, 4.00]"),) * 2
    )


def test_json_is_read_back(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def measure(given: argparse.Namespace) -> Iterator[Comparison | Table]:
        assert given.much == 3
        yield COMPARISON
        yield TABLE

    monkeypatch.setattr(sys, "argv", ["walking.py", "--much", "3", "--json"])
    main("A walk.", measure, [("--much", {"type": int})])
    assert [read(line) for line in capsys.readouterr().out.splitlines()] == [COMPARISON, TABLE]
