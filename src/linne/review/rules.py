"""What may be decided, and how answers to a case become decisions in the log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from linne.records.decisions import Act, Action, Decision, as_class_name, as_note
from linne.records.errors import LinneError
from linne.records.standing import in_a_ring
from linne.review.cases import NOT_THERE, Case
from linne.review.desk import Desk
from linne.review.queue import Filter

Rest = Literal["", "keep", "drop"]

Wholesale = Literal["keep", "drop", "suggestion", "first"]


class OfTestSetError(LinneError):
    """A test image that was not shown as one, or that a decision on many would change."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person says of one image of a case, or of a class.

    Attributes
    ----------
    action : {'keep', 'relabel', 'drop', 'merge'}
    image : int
        Its place in the case; -1 where the answer is about a class.
    to : str
        The class after a relabelling or merging.
    label : str
        The class that is merged.
    test : bool
        Whether the person was shown that it is a test image.
    rest : {'', 'keep', 'drop'}
        What becomes of all other images of the case, however many; nothing, where it is empty.
    """

    action: Action
    image: int = -1
    to: str = ""
    label: str = ""
    test: bool = False
    rest: Rest = ""


@dataclass(frozen=True, slots=True)
class Decided:
    """The act that came of answers, or None where nothing was left; what it left out."""

    act: Act | None
    images: int
    test_left: int = 0
    others_left: int = 0


def decide(desk: Desk, number: int, answers: list[Answer], why: str, seen: int, key: str) -> Decided:
    """Answer one case by hand.

    One image of the test set is decided on where `Answer.test` says that it was shown as such. Among several images,
    those of the test set are only kept: what changes them is decided on each of them alone.

    Raises
    ------
    DecidedMeanwhileError
        Somebody else decided after the version `seen`.
    OfTestSetError
        It is a test image, and was not shown as one.
    LinneError
        The answer does not fit the case.
    """
    with desk.lock:
        desk.catch_up()
        case = desk.cases[number]
        answers = [one for answer in answers for one in _with_rest(case, answer)]
        alone = len(answers) == 1
        decisions, left = [], 0
        for answer in answers:
            if answer.image >= 0 and desk.is_test(_row(case, answer)):
                if alone and not answer.test:
                    raise OfTestSetError(
                        "is a test image", file=case.paths[answer.image], remedy="look at it as such and decide again"
                    )
                if not alone and answer.action != "keep":
                    left += 1
                    continue
            decisions += _decisions(desk, case, answer)
        return _write(desk, decisions, as_note(why), seen, key, test_left=left)


def decide_all(desk: Desk, wanted: Filter, how: Wholesale, why: str, key: str) -> Decided:
    """Answer all open cases that a filter lets through; as one act, so that it is undone as one.

    Test images are left out, and so is what `how` does not fit: groups of copies have no image to drop, a case without
    a suggestion has none to follow, and which copy stays under two labels needs eyes.

    Raises
    ------
    LinneError
    """
    with desk.lock:
        desk.catch_up()
        chosen: NDArray[np.int64] = desk.queue.select(wanted, desk.decided)
        chosen = chosen[~desk.decided[chosen]]
        decisions: list[Decision] = []
        test_left = others_left = 0
        for number in chosen.tolist():
            case = desk.cases[number]
            if desk.queue.with_test[number]:
                test_left += 1
                continue
            answers = _wholesale(desk, case, how)
            others_left += not answers
            for answer in answers:
                decisions += _decisions(desk, case, answer)
        return _write(desk, decisions, as_note(why), -1, key, test_left, others_left)


def _with_rest(case: Case, answer: Answer) -> list[Answer]:
    if not answer.rest:
        return [answer]
    _row(case, answer)
    places = range(len(case.rows))
    return [answer if place == answer.image else Answer(answer.rest, place) for place in places]


def _wholesale(desk: Desk, case: Case, how: Wholesale) -> list[Answer]:
    """Answers to one case; none where `how` does not fit it."""
    # What somebody dropped by hand is not taken back by an answer to many.
    left = [
        image
        for image, row in enumerate(case.rows)
        if desk.standing.fate(case.paths[image], desk.digest(row)).gone is None
    ]
    if how == "keep":
        return [Answer("keep", image) for image in left] if case.rows else [Answer("keep")]
    if case.kind == "image" and case.rows[0] != NOT_THERE:
        if how == "drop":
            return [Answer("drop", 0)]
        if how == "suggestion" and case.suggestion:
            return [Answer("relabel", 0, case.suggestion)]
    if how == "first" and case.kind == "copies":
        labels = {desk.index.label_of(row) for row in case.rows if row != NOT_THERE}
        if len(labels) == 1 and NOT_THERE not in case.rows:
            return [Answer("keep" if image == left[0] else "drop", image) for image in left]
    return []


def _write(
    desk: Desk, decisions: list[Decision], why: str, seen: int, key: str, test_left: int = 0, others_left: int = 0
) -> Decided:
    act = desk.log.done_as(key)  # sent again: what came of the first
    if act is None and decisions:
        _refuse_rings(desk, decisions)
        act = desk.log.decide(decisions, who=desk.who, index=desk.index.fingerprint, why=why, key=key, seen=seen)
        desk.catch_up()
    return Decided(act, 0 if act is None else act.count, test_left, others_left)


def _refuse_rings(desk: Desk, decisions: list[Decision]) -> None:
    """Raise where merged classes would lead back to themselves; to keep a class can close a ring as well.

    It brings back what was said of the class under another check.
    """
    classes = {decision.label for decision in decisions if not decision.path}
    if not classes:
        return
    and_then = Act(desk.standing.version + 1, "decide", 0, desk.who, "", "", "", tuple(decisions))
    merges = desk.standing.merges(and_then)
    for label in sorted(classes):
        if in_a_ring(label, merges):
            raise LinneError(
                "merged classes would end where they began", value=label, remedy="undo a merge, or take another class"
            )


def _decisions(desk: Desk, case: Case, answer: Answer) -> list[Decision]:
    """Turn an answer into decisions: one for each check that asked."""
    if answer.action == "merge":
        return [_merging(desk, case, answer)]
    if answer.image < 0:
        if case.rows or answer.action != "keep":
            raise LinneError("does not fit this finding", value=answer.action, remedy="keep or merge the class")
        return [Decision("keep", case.checks[0], label=case.label)]
    row, path = _row(case, answer), case.paths[answer.image]
    if row == NOT_THERE and answer.action != "keep":
        raise LinneError("is not in the index, so nothing of it is used", file=path, remedy="keep it as it is")
    label = desk.index.label_of(row) if row != NOT_THERE else ""
    action, to = answer.action, ""
    if action == "relabel":
        to = as_class_name(answer.to)
        if to == label:  # the label that it has is right
            action, to = "keep", ""
    return [Decision(action, check, path, label, to, desk.digest(row), desk.is_test(row)) for check in case.checks]


def _merging(desk: Desk, case: Case, answer: Answer) -> Decision:
    label, to = answer.label, as_class_name(answer.to)
    if label not in desk.known_classes():
        raise LinneError("no such class", value=repr(label)[:80], remedy="take one that is there")
    return Decision("merge", case.checks[0], label=label, to=to)


def _row(case: Case, answer: Answer) -> int:
    if not 0 <= answer.image < len(case.rows):
        raise LinneError("no such image in this finding", value=answer.image, remedy="load the page again")
    return case.rows[answer.image]
