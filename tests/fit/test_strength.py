"""Are images varied the harder, the longer training is, and lightly where it is short?"""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from linne.fit.strength import MIXED_FROM, augment_for, varied
from linne.records.recipe import Method, Recipe

HARDNESS = {"none": 0, "light": 1, "trivial": 2}
TRAINED: tuple[Method, ...] = ("whole", "scratch")
A_CLASS = (1, 10, 50, 199, 200, 999, 1000, 100_000)
EPOCHS = (0, 1, 3, 10, 19, 20, 40, 79, 80, 100, 300)


@pytest.mark.parametrize(
    ("a_class", "epochs", "method", "augment", "mix"),
    [
        (300, 3, "whole", "light", False),
        (300, 30, "whole", "trivial", False),
        (5000, 30, "whole", "light", False),
        (5000, 50, "whole", "trivial", False),
        (30, 200, "whole", "trivial", False),  # BiT mixes nothing so small
        (500, 200, "whole", "trivial", True),
        (1300, 30, "scratch", "light", False),
        (1300, 300, "scratch", "trivial", True),
        (30, 300, "scratch", "trivial", True),
    ],
)
def test_decisions(a_class: float, epochs: float, method: Method, augment: str, mix: bool) -> None:
    assert augment_for(a_class, epochs, method)[:2] == (augment, mix)


@pytest.mark.parametrize("mirrored", [True, False])
@pytest.mark.parametrize("method", TRAINED)
def test_more_epochs_never_vary_less(method: Method, mirrored: bool) -> None:
    for a_class in A_CLASS:
        found = [augment_for(a_class, epochs, method, mirrored) for epochs in EPOCHS]
        for fewer, more in itertools.pairwise(found):
            assert HARDNESS[fewer.augment] <= HARDNESS[more.augment]
            assert fewer.mix <= more.mix


@pytest.mark.parametrize("method", TRAINED)
def test_more_images_of_a_class_are_never_varied_harder(method: Method) -> None:
    for epochs in EPOCHS:
        found = [HARDNESS[augment_for(a_class, epochs, method).augment] for a_class in A_CLASS]
        assert found == sorted(found, reverse=True)


def test_nothing_is_mixed_before_it_pays_and_nothing_turned_far_that_would_change_its_label() -> None:
    for a_class, epochs, method in itertools.product(A_CLASS, EPOCHS, TRAINED):
        assert epochs >= MIXED_FROM or not augment_for(a_class, epochs, method).mix
        assert augment_for(a_class, epochs, method, mirrored=False).augment == "light"


def test_a_level_varies_as_suits_its_own_length_or_as_was_chosen() -> None:
    whole = Recipe("whole", epochs=20)
    harder, (reason,) = varied(whole, 300, True, {"learning_rate": 0.1})
    assert (harder.augment, harder.mix) == ("trivial", False)
    assert reason == augment_for(300, 20, "whole").reason
    assert varied(replace(harder, epochs=12), 300, True, {})[0] == replace(whole, epochs=12)
    for chosen in ({"augment": "none"}, {"mix": True}):
        as_chosen = replace(whole, **chosen)
        assert varied(as_chosen, 300, True, chosen)[0] == as_chosen
    tail = Recipe("stages", epochs=300, views=4)
    assert varied(tail, 300, True, {}) == (tail, ())


def test_the_reason_is_one_sentence_with_the_numbers() -> None:
    reason = augment_for(317, 35, "whole").reason
    assert "317" in reason
    assert "35" in reason
    assert "." not in reason
