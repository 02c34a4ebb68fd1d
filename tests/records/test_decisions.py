"""Decisions: what stands after all acts."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linne.records.decision_log import DecisionLog
from linne.records.decisions import Act, Decision, as_class_name, as_note
from linne.records.errors import LinneError
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
