"""``linne race``: a row a network, as a table and as JSON; the same command goes on."""

from __future__ import annotations

import json
from pathlib import Path

from cli.conftest import Call


def test_the_command_prints_a_row_a_network(call: Call, digits: Path, tmp_path: Path) -> None:
    asked = ("race", digits, "--networks", "lenet5", "lenet5_1998", "--budget", "none", "--set", "epochs=1")
    plain, as_json = call(*asked, folder=tmp_path), call(*asked, "--json", folder=tmp_path)
    assert (plain.returncode, as_json.returncode) == (0, 0), plain.stderr
    folder = Path("races", digits.name)
    assert {path.name for path in (tmp_path / folder).iterdir()} >= {"leaderboard.json", "race.html"}
    board = json.loads(as_json.stdout)
    assert board["folder"] == str(folder)
    rows = [line.split() for line in plain.stdout.splitlines() if line.startswith("1998")]
    assert [row[1] for row in rows] == [place["result"]["network"] for place in board["places"]]
    assert {row[1] for row in rows} == {"lenet5", "lenet5_1998"}
    assert [row[3] for row in rows] == [f"{place['score']['value']:.3f}" for place in board["places"]]
    assert rows[0][5] == "leads"
    assert max(len(line) for line in plain.stdout.splitlines() if line.startswith(("year", "1998"))) <= 80


def test_too_short_a_budget_is_told_for_each_network(call: Call, digits: Path, tmp_path: Path) -> None:
    done = call("race", digits, "--networks", "lenet5", "--budget", "0.5s", folder=tmp_path)
    assert done.returncode == 0
    (row,) = (line for line in done.stdout.splitlines() if line.startswith("1998"))
    assert "no epoch within the budget" in row


def test_a_network_before_its_option_is_wrong_usage(call: Call, digits: Path, tmp_path: Path) -> None:
    assert call("race", digits, "lenet5", folder=tmp_path).returncode == 2
    assert not (tmp_path / "races").exists()
