"""Results and leaderboards are read as they were written, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from some_results import board, failed, result

from linne.records.errors import RunError
from linne.records.evaluation import Measure
from linne.records.leaderboard import Leaderboard, Place, Result


def test_round_trips(tmp_path: Path) -> None:
    results = (result("a", "1101", test="10"), result("b", "1-00", "pretrained"), failed("c", "too slow"))
    for each in results:
        each.write(tmp_path / "result.json")
        assert Result.read(tmp_path / "result.json") == each
    places = (
        Place(results[0], Measure(0.75, 0.5, 1.0), leads=True),
        Place(results[1], Measure(0.3, 0.2, 0.4), tied=True, behind=Measure(0.45, 0.1, 0.7)),
        Place(results[2], None),
    )
    written = board(places)
    written.write(tmp_path / "leaderboard.json")
    assert Leaderboard.read(tmp_path / "leaderboard.json") == written


def test_an_altered_result_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    result("a", "1101").write(path)
    path.write_text(path.read_text().replace('"1101"', '"1111"'))
    with pytest.raises(RunError) as raised:
        Result.read(path)
    assert raised.value.file == str(path)
