"""The log of decisions on the disk: nothing that was answered is lost, by whomever it was written."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from linne.records.decision_log import DecisionLog
from linne.records.decisions import DecidedMeanwhileError, Decision
from linne.records.errors import WriteError
from linne.records.standing import Standing

HOW = {"who": "anna", "index": "00"}
DROP = Decision("drop", "dark", "a.jpg", "cat", digest="aa")
RELABEL = Decision("relabel", "label doubt", "a.jpg", "cat", "dog", "aa")
KEEP = Decision("keep", "label doubt", "a.jpg", "cat", digest="aa")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "decisions.sqlite"


def fate(standing: Standing, digest: str = "aa") -> tuple[bool, str]:
    found = standing.fate("a.jpg", digest)
    return found.gone is not None, found.moved.decision.to if found.moved else ""


def test_two_logs_of_one_file_see_each_other(path: Path) -> None:
    with DecisionLog(path) as one, DecisionLog(path) as two:
        one.decide([DROP], **HOW)
        two.refresh()
        assert fate(two.standing) == (True, "")
        two.undo(1, **HOW)
        with pytest.raises(DecidedMeanwhileError):  # pressed in both at the same moment: it counts once
            one.undo(1, **HOW)
        assert one.standing.version == 2
        assert fate(one.standing) == (False, "")


def test_what_was_decided_unseen_is_not_overwritten(path: Path) -> None:
    with DecisionLog(path) as one, DecisionLog(path) as two:
        one.decide([DROP], **HOW, seen=0)
        with pytest.raises(DecidedMeanwhileError):
            two.decide([RELABEL], **HOW, seen=0)
        two.decide([Decision("drop", "dark", "b.jpg")], **HOW, seen=0)  # another image is another matter
        two.decide([RELABEL], **HOW, seen=1)
        two.undo(3, **HOW)
        with pytest.raises(DecidedMeanwhileError):  # an undoing is a word on it too
            one.decide([KEEP], **HOW, seen=3)


def test_an_attempt_counts_once(path: Path) -> None:
    with DecisionLog(path) as log:
        first = log.decide([DROP], **HOW, key="k1", seen=0)
        assert log.decide([DROP], **HOW, key="k1", seen=0) == first
        log.undo(1, **HOW, key="k2")
        log.undo(1, **HOW, key="k2")
        assert log.standing.version == 2


def test_threads_and_processes_lose_nothing(path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from linne.records.decision_log import DecisionLog\n"
        "from linne.records.decisions import Decision\n"
        "with DecisionLog(Path(sys.argv[1])) as log:\n"
        "    for i in range(20): log.decide([Decision('drop', 'dark', f'{sys.argv[2]}{i}')], who='p', index='')\n"
    )
    others = [subprocess.Popen([sys.executable, "-c", script, str(path), name]) for name in "pq"]
    with DecisionLog(path) as log:

        def work(name: str) -> None:
            for i in range(20):
                log.decide([Decision("drop", "dark", f"{name}{i}")], **HOW)

        threads = [threading.Thread(target=work, args=(name,)) for name in "tu"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [other.wait(60) for other in others] == [0, 0]
        log.refresh()
        assert len(list(log.standing.images())) == 80
        assert log.standing.version == 80


def test_a_kill_loses_nothing_that_was_answered(path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from linne.records.decision_log import DecisionLog\n"
        "from linne.records.decisions import Decision\n"
        "log = DecisionLog(Path(sys.argv[1]))\n"
        "for i in range(100000):\n"
        "    log.decide([Decision('drop', 'dark', f'{i}-{j}') for j in range(50)], who='p', index='')\n"
        "    print(i, flush=True)\n"
    )
    victim = subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True)
    assert victim.stdout is not None
    lines = [victim.stdout.readline() for _ in range(15)]
    os.kill(victim.pid, signal.SIGKILL)
    lines += victim.stdout.readlines()
    victim.stdout.close()
    victim.wait()
    answered = len([line for line in lines if line.endswith("\n")])
    with DecisionLog(path) as log:
        assert answered <= log.standing.version <= answered + 1
        assert len(list(log.standing.images())) == 50 * log.standing.version  # none by half


def test_the_log_cannot_be_rewritten(path: Path) -> None:
    with DecisionLog(path) as log:
        log.decide([DROP], **HOW)
    with sqlite3.connect(path) as disk:
        for change in (
            "UPDATE act SET who = 'x'",
            "DELETE FROM decision",
            "DELETE FROM act",
            "UPDATE decision SET path = ''",
        ):
            with pytest.raises(sqlite3.IntegrityError):
                disk.execute(change)
    disk.close()


def test_a_disk_that_takes_no_more_is_told_of(path: Path) -> None:
    with DecisionLog(path) as log:
        log.decide([DROP], **HOW)
        log._disk.execute("PRAGMA max_page_count = 1")
        with pytest.raises(WriteError):
            log.decide([Decision("drop", "dark", f"{i}" * 50) for i in range(5000)], **HOW)
        assert log.standing.version == 1
        log._disk.execute("PRAGMA max_page_count = 100000")
        log.decide([RELABEL], **HOW)
        assert log.standing.version == 2
