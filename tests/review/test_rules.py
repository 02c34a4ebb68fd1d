"""What may be decided, what an answer settles, and test images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from audited_photos import (
    ALIKE,
    ASIDE,
    COPIES,
    DARK,
    DOUBT,
    IMBALANCE,
    LEAK,
    OWL_DOUBT,
    TEST_DOUBT,
    TWO_LABELS,
    UNREADABLE,
)

from linne.records.decisions import DecidedMeanwhileError
from linne.records.errors import LinneError, RunError
from linne.review.desk import Desk
from linne.review.queue import Filter
from linne.review.rules import Answer, Decided, OfTestSetError, decide, decide_all


def say(desk: Desk, case: int, *answers: Answer, seen: int | None = None) -> Decided:
    return decide(desk, case, list(answers), "", desk.catch_up() if seen is None else seen, "")


def is_open(desk: Desk) -> list[int]:
    return [case.number for case in desk.cases if not desk.decided[case.number]]


def left_after(desk: Desk, *settled: int) -> bool:
    return is_open(desk) == [case.number for case in desk.cases if case.number not in settled]


def test_keep_answers_one_check_and_drop_settles_all_of_an_image(desk: Desk) -> None:
    say(desk, DARK, Answer("keep", 0))
    assert left_after(desk, DARK)
    say(desk, DOUBT, Answer("drop", 0))
    assert left_after(desk, DARK, DOUBT)
    desk.log.undo(2, who="a", index="")
    desk.log.undo(1, who="a", index="")
    desk.catch_up()
    assert left_after(desk)
    say(desk, DOUBT, Answer("drop", 0))
    assert left_after(desk, DOUBT, DARK)  # an image that goes has no open questions
    assert desk.shown(desk.cases[DARK])["images"][0]["gone"]


def test_relabel_answers_the_doubt_alone(desk: Desk) -> None:
    say(desk, DOUBT, Answer("relabel", 0, "dog"))
    assert left_after(desk, DOUBT)
    assert desk.shown(desk.cases[DARK])["images"][0]["now"] == "dog"


def test_relabelling_to_the_given_class_is_keeping(desk: Desk) -> None:
    decided = say(desk, DOUBT, Answer("relabel", 0, " cat "))
    assert decided.act is not None
    assert decided.act.decisions[0].action == "keep"


def test_a_new_class_is_allowed_and_then_known(desk: Desk) -> None:
    say(desk, DOUBT, Answer("relabel", 0, "fox"))
    assert desk.known_classes() == ["cat", "dog", "owl", "fox"]


def test_one_of_the_copies_stays(desk: Desk) -> None:
    say(desk, COPIES, Answer("drop", 0))
    assert COPIES in is_open(desk)
    say(desk, COPIES, Answer("drop", 2))
    assert COPIES not in is_open(desk)  # one is left: nothing to ask
    desk.log.undo(2, who="a", index="")
    desk.catch_up()
    say(desk, COPIES, Answer("keep", 1), Answer("drop", 2))
    assert COPIES not in is_open(desk)
    assert [image["gone"] for image in desk.shown(desk.cases[COPIES])["images"]] == [True, False, True]


def test_a_merged_class_settles_doubts_between_the_two(desk: Desk) -> None:
    say(desk, ALIKE, Answer("merge", label="owl", to="dog"))
    assert left_after(desk, ALIKE, OWL_DOUBT)
    assert desk.shown(desk.cases[OWL_DOUBT])["images"][0]["now"] == "dog"
    desk.log.undo(1, who="a", index="")
    desk.catch_up()
    assert left_after(desk)


def test_classes_merged_into_a_third_settle_doubts_between_the_two(desk: Desk) -> None:
    say(desk, ALIKE, Answer("merge", label="owl", to="bird"))
    assert left_after(desk, ALIKE)
    say(desk, OWL_DOUBT, Answer("merge", label="dog", to="bird"))
    assert left_after(desk, ALIKE, OWL_DOUBT)


def test_a_class_is_merged_from_an_image_too(desk: Desk) -> None:
    say(desk, OWL_DOUBT, Answer("merge", label="owl", to="bird"))
    assert desk.class_now("owl") == "bird"
    assert ALIKE in is_open(desk)


def test_merges_that_go_in_a_ring_are_refused(desk: Desk) -> None:
    say(desk, ALIKE, Answer("merge", label="owl", to="dog"))
    for label, to in (("dog", "owl"), ("owl", "owl"), ("nothing", "dog")):
        with pytest.raises(LinneError):
            say(desk, ALIKE, Answer("merge", label=label, to=to))


def test_to_keep_a_class_closes_no_ring(desk: Desk) -> None:
    say(desk, IMBALANCE, Answer("merge", label="owl", to="dog"))
    say(desk, ALIKE, Answer("merge", label="owl", to="cat"))
    say(desk, DOUBT, Answer("merge", label="dog", to="owl"))
    with pytest.raises(LinneError, match="where they began"):
        say(desk, ALIKE, Answer("keep"))
    assert desk.class_now("dog") == "cat"


@pytest.mark.parametrize(
    ("case", "answer"),
    [
        (DOUBT, Answer("keep", 1)),
        (DOUBT, Answer("keep")),
        (DOUBT, Answer("relabel", 0, "")),
        (DOUBT, Answer("relabel", 0, "a\nb")),
        (ASIDE, Answer("drop", 0)),
        (IMBALANCE, Answer("drop")),
        (IMBALANCE, Answer("relabel", to="cat")),
    ],
)
def test_answers_that_do_not_fit(desk: Desk, case: int, answer: Answer) -> None:
    with pytest.raises(LinneError):
        say(desk, case, answer)
    assert left_after(desk)


def test_what_is_left_out_already_can_be_kept_in_mind(desk: Desk) -> None:
    say(desk, ASIDE, Answer("keep", 0))
    assert left_after(desk, ASIDE)


def test_a_test_image_is_decided_on_alone_and_as_such(desk: Desk) -> None:
    with pytest.raises(OfTestSetError):
        say(desk, TEST_DOUBT, Answer("relabel", 0, "cat"))
    decided = say(desk, TEST_DOUBT, Answer("relabel", 0, "cat", test=True))
    assert decided.act is not None
    assert decided.act.decisions[0].test
    # Among several, a test image is only kept.
    test = next(i for i, row in enumerate(desk.cases[LEAK].rows) if desk.is_test(row))
    decided = say(desk, LEAK, Answer("keep", 1 - test), Answer("drop", test, test=True))
    assert decided.test_left == 1
    assert LEAK in is_open(desk)
    say(desk, LEAK, Answer("drop", 1 - test), Answer("keep", test))
    assert LEAK not in is_open(desk)


def test_wholesale_leaves_test_images_and_what_needs_eyes(desk: Desk) -> None:
    decided = decide_all(desk, Filter(check="label doubt"), "suggestion", "clear", "")
    assert (decided.images, decided.test_left, decided.others_left) == (2, 1, 0)
    assert {DOUBT, OWL_DOUBT}.isdisjoint(is_open(desk))
    assert TEST_DOUBT in is_open(desk)

    decided = decide_all(desk, Filter(), "first", "", "")
    assert (decided.images, decided.test_left) == (3, 2)
    assert {LEAK, TWO_LABELS} <= set(is_open(desk))
    assert [image["gone"] for image in desk.shown(desk.cases[COPIES])["images"]] == [False, True, True]

    decided = decide_all(desk, Filter(check="unreadable"), "drop", "", "")
    assert (decided.images, decided.others_left) == (1, 1)
    assert UNREADABLE not in is_open(desk)
    decided = decide_all(desk, Filter(), "keep", "", "")
    assert is_open(desk) == [LEAK, TEST_DOUBT]

    for act in (4, 3, 2, 1):
        desk.log.undo(act, who="a", index="")
    desk.catch_up()
    assert left_after(desk)


def test_keeping_all_takes_no_drop_back(desk: Desk) -> None:
    say(desk, COPIES, Answer("drop", 0))
    decided = decide_all(desk, Filter(check="exact duplicate"), "keep", "", "")
    assert decided.images == 2
    assert COPIES not in is_open(desk)
    assert [image["gone"] for image in desk.shown(desk.cases[COPIES])["images"]] == [True, False, False]


def test_wholesale_counts_classes(desk: Desk) -> None:
    assert decide_all(desk, Filter(check="imbalance"), "keep", "", "").images == 1
    desk.log.undo(1, who="a", index="")
    assert decide_all(desk, Filter(label="owl"), "keep", "", "").images == 3  # two images, and the class twice


def test_wholesale_with_nothing_to_do_adds_no_act(desk: Desk) -> None:
    assert decide_all(desk, Filter(check="no such check"), "keep", "", "").act is None
    assert desk.catch_up() == 0


def test_two_desks_see_each_other(open_desk: Callable[..., Desk]) -> None:
    one, two = open_desk("anna"), open_desk("ben")
    say(one, DOUBT, Answer("drop", 0))
    with pytest.raises(DecidedMeanwhileError):
        say(two, DARK, Answer("keep", 0), seen=0)
    assert DARK not in is_open(two)
    say(two, ALIKE, Answer("merge", label="owl", to="dog"))
    one.catch_up()
    assert is_open(one) == is_open(two)
    assert one.shown(one.cases[ALIKE])["answer"]["who"] == "ben"


def test_decisions_outlive_the_desk(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk()
    say(desk, DOUBT, Answer("relabel", 0, "dog"))
    say(desk, ALIKE, Answer("merge", label="owl", to="dog"))
    assert is_open(open_desk()) == is_open(desk)


def test_folders_that_are_no_audit(folder: Path, tmp_path: Path) -> None:
    for wrong in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(RunError):
            Desk(wrong, "a")
    (folder / "digests.parquet").unlink()
    with pytest.raises(RunError) as caught:
        Desk(folder, "a")
    assert caught.value.file == str(folder / "digests.parquet")
