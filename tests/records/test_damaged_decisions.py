"""Files that are no log of decisions, or not a whole one."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from linne.records.decision_log import DecisionLog
from linne.records.decisions import Decision
from linne.records.errors import LinneError, RunError

HOW = {"who": "anna", "index": "00"}
DROP = Decision("drop", "dark", "a.jpg", "cat", digest="aa")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "decisions.sqlite"


def foreign(path: Path) -> None:
    with sqlite3.connect(path) as disk:
        disk.execute("CREATE TABLE moz_places (url TEXT)")
    disk.close()


def newer(path: Path) -> None:
    DecisionLog(path).close()
    with sqlite3.connect(path) as disk:
        disk.execute("PRAGMA user_version = 99")
    disk.close()


def torn(path: Path) -> None:
    with DecisionLog(path) as log:
        for i in range(50):
            log.decide([Decision("drop", "dark", f"{i}" * 100)], **HOW)
    content = path.read_bytes()
    path.write_bytes(content[:4096] + bytes(len(content) - 8192) + content[-4096:])


def out_of_order(path: Path) -> None:
    DecisionLog(path).close()
    with sqlite3.connect(path) as disk:
        disk.execute("INSERT INTO act VALUES (1, 'k', 'undo', 7, 'x', 'now', '', '')")
    disk.close()


def altered(change: str) -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        with DecisionLog(path) as log:
            log.decide([DROP], **HOW)
        with sqlite3.connect(path) as disk:
            disk.executescript(change)
        disk.close()

    return spoil


ENDLESS = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT"
ALTERED = {
    "an act without decisions": "INSERT INTO act VALUES (2, 'k', 'decide', 0, 'x', 'now', '', '')",
    "an endless view": f"DROP TABLE act; CREATE VIEW act AS {ENDLESS} i AS number, 'decide' AS kind FROM n",
    "columns of any type": "DROP TABLE decision; CREATE TABLE decision (act, action, 'check', path, label, 'to')",
    "no tables": "DROP TABLE decision; DROP TABLE act",
    "a trigger more": "CREATE TRIGGER more AFTER INSERT ON act BEGIN SELECT 1; END",
    "a trigger less": "DROP TRIGGER act_DELETE",
}


@pytest.mark.parametrize(
    "spoil",
    [
        *(pytest.param(altered(change), id=name) for name, change in ALTERED.items()),
        foreign,
        newer,
        torn,
        out_of_order,
        lambda path: path.write_bytes(b"no database" * 99),
    ],
)
def test_a_file_that_is_not_ours_or_not_whole_is_refused_and_stays(spoil: object, path: Path) -> None:
    spoil(path)  # type: ignore[operator]
    before = path.read_bytes()
    with pytest.raises(RunError) as caught:
        DecisionLog(path)
    assert caught.value.file == str(path)
    assert caught.value.value
    assert caught.value.remedy
    assert path.read_bytes() == before


def test_statistics_that_sqlite_keeps_are_no_damage(path: Path) -> None:
    altered("ANALYZE")(path)
    with DecisionLog(path) as log:
        assert log.decide([DROP], **HOW)


def test_an_act_without_decisions_is_refused(path: Path) -> None:
    with DecisionLog(path) as log, pytest.raises(LinneError):
        log.decide([], **HOW)


def test_a_file_that_a_kill_left_empty_is_made_anew(path: Path) -> None:
    path.touch()
    with DecisionLog(path) as log:
        assert log.decide([DROP], **HOW)
