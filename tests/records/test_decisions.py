"""Decisions: what stands, and that nothing acknowledged is ever lost."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linne.records.decision_log import DecisionLog
from linne.records.decisions import Act, DecidedMeanwhileError, Decision, as_class_name, as_note
from linne.records.errors import LinneError, RunError, WriteError
from linne.records.standing import Standing, final_class

HOW = {"who": "anna", "index": "00"}
DROP = Decision("drop", "dark", "a.jpg", "cat", digest="aa")
RELABEL = Decision("relabel", "label doubt", "a.jpg", "cat", "dog", "aa")
KEEP = Decision("keep", "label doubt", "a.jpg", "cat", digest="aa")
MERGE = Decision("merge", "small class", label="owl", to="dog")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "decisions.sqlite"


def fate(standing: Standing, digest: str = "aa") -> tuple[bool, str]:
    found = standing.fate("a.jpg", digest)
    return found.gone is not None, found.moved.decision.to if found.moved else ""


def test_everything_of_a_decision_comes_back(path: Path) -> None:
    odd = Decision("relabel", "ü", "ä b/🖋.jpg", "c'a\"t", "new class", "00ff", True)
    with DecisionLog(path) as log:
        written = log.decide([odd, MERGE], who="Änne", index="abc", why="it's a pen")
    with DecisionLog(path) as log:
        (read,) = log.standing.since(0)
    assert read == written
    assert (read.who, read.why, read.index, read.number) == ("Änne", "it's a pen", "abc", 1)
    assert read.when.endswith("+00:00")


def test_an_answer_stands_until_the_same_check_is_answered_anew(path: Path) -> None:
    with DecisionLog(path) as log:
        log.decide([RELABEL], **HOW)
        log.decide([Decision("keep", "near duplicate", "a.jpg", "cat")], **HOW)
        assert fate(log.standing) == (False, "dog")  # that it is no copy does not say that its label was right
        log.decide([DROP], **HOW)
        assert fate(log.standing) == (True, "dog")
        log.decide([KEEP], **HOW)
        assert fate(log.standing) == (False, "")
        assert log.standing.answer("label doubt", "a.jpg", "aa") is not None
        assert log.standing.answer("dark", "a.jpg", "aa") is None  # it does not go, so what is to become of it is open


def test_a_picture_that_was_replaced_is_another_one(path: Path) -> None:
    with DecisionLog(path) as log:
        log.decide([DROP], **HOW)
        assert fate(log.standing, "bb") == (False, "")
        assert log.standing.answer("dark", "a.jpg", "bb") is None


def test_undo_and_redo_go_all_the_way_and_survive_a_restart(path: Path) -> None:
    with DecisionLog(path) as log:
        for decisions in ([DROP], [RELABEL, MERGE], [KEEP]):
            log.decide(decisions, **HOW)
        log.undo(3, **HOW)
        log.undo(2, **HOW)
        assert fate(log.standing) == (True, "")
        assert not log.standing.merges()
    with DecisionLog(path) as log:
        log.undo(1, **HOW)
        assert fate(log.standing) == (False, "")
        assert log.standing.next_undo() is None
        log.redo(1, **HOW)
        log.redo(2, **HOW)
    with DecisionLog(path) as log:
        assert fate(log.standing) == (False, "dog")
        assert final_class("owl", log.standing.merges()) == "dog"
        assert [(act.number, stands) for act, stands in log.standing.acts()] == [(3, False), (2, True), (1, True)]
        log.decide([DROP], **HOW)
        assert log.standing.next_redo() is None
        assert log.standing.version == 9


@given(st.lists(st.sampled_from(["drop", "relabel", "keep", "undo", "redo"]), max_size=30))
def test_what_stands_is_what_a_history_without_the_undone_acts_gives(steps: list[str]) -> None:
    standing, plain, redo = Standing(), [], []
    for step in steps:
        number = standing.version + 1
        if step in ("undo", "redo"):
            top = standing.next_undo() if step == "undo" else standing.next_redo()
            stack, other = (plain, redo) if step == "undo" else (redo, plain)
            assert (top is None) == (not stack)
            if top is None:
                continue
            assert top == stack[-1]
            other.append(stack.pop())
            standing.replay(Act(number, step, top.number, "a", "now", "", "00"))  # type: ignore[arg-type]
        else:
            decision = {"drop": DROP, "relabel": RELABEL, "keep": KEEP}[step]
            act = Act(number, "decide", 0, "a", "now", "", "00", (decision,))
            standing.replay(act)
            plain.append(act)
            redo.clear()
    fresh = Standing()
    for number, act in enumerate(plain, 1):
        fresh.replay(Act(number, "decide", 0, "a", "now", "", "00", act.decisions))
    assert fate(standing) == fate(fresh)
    assert {p: [r.decision for r in rs] for p, rs in standing.images()} == {
        p: [r.decision for r in rs] for p, rs in fresh.images()
    }


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


@pytest.mark.parametrize(
    "spoil", [foreign, newer, torn, out_of_order, lambda path: path.write_bytes(b"no database" * 99)]
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


def test_a_file_that_a_kill_left_empty_is_made_anew(path: Path) -> None:
    path.touch()
    with DecisionLog(path) as log:
        log.decide([DROP], **HOW)


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


def test_a_ring_of_merges_ends() -> None:
    standing = Standing()
    for number, (label, to) in enumerate((("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")), 1):
        standing.replay(Act(number, "decide", 0, "", "", "", "", (Decision("merge", "x", label=label, to=to),)))
    assert final_class("a", standing.merges()) == "a"
    assert final_class("z", standing.merges()) == "z"


@pytest.mark.parametrize("name", ["", "  ", "x" * 201, "a\nb", "a\u202eb", "\ud800", None, 7])
def test_names_that_no_class_has(name: object) -> None:
    with pytest.raises(LinneError):
        as_class_name(name)


@pytest.mark.parametrize("note", ["\ud800", "x" * 2001, None])
def test_notes_that_cannot_be_kept(note: object) -> None:
    with pytest.raises(LinneError):
        as_note(note)
