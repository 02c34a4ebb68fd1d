"""Does a plan keep within the time, and use it?"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linne.fit.plan import (
    EPOCHS,
    LEARNING_RATES,
    MOST_ACTIVATION_BYTES,
    MOST_EPOCHS,
    TOLERANCE,
    VALIDATION_SPEED,
    Outlook,
    Training,
    epochs_within,
    plan_training,
    settle,
)
from linne.fit.throughput import Rate
from linne.records.errors import LinneError

STAGES = 19


def outlook(
    left: float | None = 100.0,
    pretrained: bool = True,
    images: int = 1000,
    embed: float = 10.0,
    other: float = 10.0,
    stage_rate: float = 500.0,
    whole: float | None = 20.0,
    size: int = 1000,
    tails: int = 3,
) -> Outlook:
    rates = tuple(Rate(STAGES - 1 - i, "float32", stage_rate / (i + 1), size) for i in range(tails))
    return Outlook(
        pretrained=pretrained,
        train_images=round(0.7 * images),
        validation_images=round(0.1 * images),
        images=images,
        seconds_left=left,
        seconds_spent=5.0,
        embed_seconds={None: embed, **{rate.frozen_stages: embed for rate in rates}},
        other_seconds=other,
        stage_rates=rates if pretrained else (),
        whole_rate=None if whole is None else Rate(0, "bfloat16", whole, 3 * 224 * 224),
    )


rates = st.builds(
    Rate,
    frozen_stages=st.integers(1, STAGES - 1),
    precision=st.sampled_from(["float32", "bfloat16"]),
    images_per_second=st.floats(0.1, 1e5),
    activation_size=st.integers(1, 10**6),
)
seconds = st.floats(0, 1e4)


@st.composite
def outlooks(draw: st.DrawFn) -> Outlook:
    pretrained = draw(st.booleans())
    tails = draw(st.lists(rates, max_size=6, unique_by=lambda rate: rate.frozen_stages)) if pretrained else []
    tails.sort(key=lambda rate: -rate.frozen_stages)
    whole = Rate(0, "float32", draw(st.floats(0.1, 1e5)), 10)
    base = draw(seconds)
    return Outlook(
        pretrained=pretrained,
        train_images=draw(st.integers(1, 10**6)),
        validation_images=draw(st.integers(1, 10**5)),
        images=draw(st.integers(2, 10**6)),
        seconds_left=draw(st.none() | st.floats(-10, 1e5)),
        seconds_spent=draw(seconds),
        embed_seconds={None: base, **{rate.frozen_stages: base + draw(seconds) for rate in tails}},
        other_seconds=draw(seconds),
        stage_rates=tuple(tails),
        whole_rate=whole if not pretrained or draw(st.booleans()) else None,
    )


@given(outlooks())
def test_never_more_seconds_than_are_left(given_: Outlook) -> None:
    least = given_.embed_seconds[None] + given_.other_seconds
    try:
        training = plan_training(given_, STAGES)
    except LinneError:
        assert given_.seconds_left is not None
        left = given_.seconds_left
        if given_.pretrained:
            assert least > TOLERANCE * left
        else:
            assert given_.whole_rate is not None
            epoch = given_.train_images / given_.whole_rate.images_per_second
            assert least + epoch * (1 + 1 / VALIDATION_SPEED * given_.validation_images / given_.train_images) > left
        return
    assert training.reasons
    assert training.epochs in (0, *EPOCHS)
    assert training.epochs > 0 or training.method in ("probe", "stages")
    assert training.epochs <= MOST_EPOCHS.get(training.method, 0)
    if training.method == "probe" or given_.seconds_left is None:
        return
    stage = training.frozen_stages if training.method == "stages" else None
    rate = training.images_per_second
    epoch = given_.train_images / rate + given_.validation_images / (VALIDATION_SPEED * rate)
    total = given_.embed_seconds[stage] + given_.other_seconds + training.epochs * epoch
    assert total <= given_.seconds_left * (1 + 1e-9)


@given(outlooks())
def test_what_is_trained_was_measured(given_: Outlook) -> None:
    try:
        training = plan_training(given_, STAGES)
    except LinneError:
        return
    if training.method == "stages":
        (rate,) = [rate for rate in given_.stage_rates if rate.frozen_stages == training.frozen_stages]
        assert (training.precision, training.images_per_second) == (rate.precision, rate.images_per_second)
        assert rate.activation_size * 2 * given_.images <= MOST_ACTIVATION_BYTES
    elif training.method == "probe":
        assert training.frozen_stages == STAGES
    else:
        assert training.frozen_stages == 0
        assert training.method == ("whole" if given_.pretrained else "scratch")


@pytest.mark.parametrize(
    ("given_", "method", "epochs"),
    [
        (outlook(left=30), "stages", 3),
        (outlook(left=21), "stages", 0),
        (outlook(left=23), "stages", 0),  # two epochs of the shallowest tail
        (outlook(left=19), "probe", 0),  # within the tolerance of the estimates
        (outlook(left=2000), "whole", 20),
        (outlook(left=None), "whole", 20),
        (outlook(left=None, whole=None), "stages", 12),
        (outlook(left=400, whole=None), "stages", 12),
        (outlook(left=400, size=2 * 10**6, whole=None), "probe", 0),
        (outlook(left=400, tails=0, whole=None), "probe", 0),
        (outlook(left=100, pretrained=False), "scratch", 2),
        (outlook(left=None, pretrained=False), "scratch", 60),
        (outlook(left=1e6, pretrained=False), "scratch", 60),
    ],
)
def test_every_method_is_reached(given_: Outlook, method: str, epochs: int) -> None:
    training = plan_training(given_, STAGES)
    assert (training.method, training.epochs) == (method, epochs)
    assert method in LEARNING_RATES


def test_the_deepest_tail_that_can_be_afforded() -> None:
    assert plan_training(outlook(left=100, whole=None), STAGES).frozen_stages == STAGES - 3
    assert plan_training(outlook(left=26, whole=None), STAGES).frozen_stages == STAGES - 1


VALIDATES_MUCH = replace(outlook(left=24, pretrained=False), validation_images=2000)


@pytest.mark.parametrize(
    "given_", [outlook(left=10), outlook(left=-5), outlook(left=24, pretrained=False), VALIDATES_MUCH]
)
def test_too_short_is_refused_with_what_is_needed(given_: Outlook) -> None:
    with pytest.raises(LinneError) as caught:
        plan_training(given_, STAGES)
    suggested = re.search(r"--budget ([0-9]+)s", str(caught.value.remedy))
    assert suggested
    enough = replace(given_, seconds_left=float(suggested[1]) - given_.seconds_spent)
    assert plan_training(enough, STAGES).epochs >= 0


def test_lengths_are_rounded_down() -> None:
    epochs = {plan_training(outlook(left=float(left), whole=None), STAGES).epochs for left in range(21, 60)}
    assert epochs <= {0, *EPOCHS}
    assert epochs_within(99.9, 10, 70, 90) == 9
    assert epochs_within(-5, 10, 70, 90) == 0


def test_more_time_never_means_a_lesser_plan() -> None:
    order = ["probe", "stages", "whole"]
    plans = [plan_training(outlook(left=float(left)), STAGES) for left in range(21, 2000, 3)]
    ranks = [(order.index(plan.method), plan.method == "whole" and plan.epochs) for plan in plans]
    assert ranks == sorted(ranks)


def test_training_is_settled_by_the_time_that_is_left() -> None:
    planned = Training("stages", 12, 8, "float32", 100.0, ("because",))
    shorter = settle(planned, 55, 1000, 100)  # 10.33 s an epoch
    assert (shorter.epochs, shorter.method, shorter.frozen_stages, shorter.settled) == (4, "stages", 12, True)
    assert shorter.reasons[0] == "because"
    assert len(shorter.reasons) == 2
    assert settle(planned, 1000, 1000, 100).epochs == MOST_EPOCHS["stages"]
    assert settle(planned, 90, 1000, 100) == replace(planned, settled=True)
    assert settle(planned, 0, 1000, 100).epochs == 0
    assert settle(planned, 25, 1000, 100).epochs == 0  # two epochs gain nothing
    assert settle(replace(planned, epochs=0), 50, 1000, 100).epochs == 4
    assert settle(replace(planned, method="whole"), 70, 1000, 100).epochs == 6  # nothing cheaper is left
    probe = Training("probe", 19, 0, "float32", 0.0, ())
    assert settle(probe, 1000, 1000, 100) is probe


def test_what_an_earlier_run_settled_is_not_lengthened() -> None:
    recalled = Training("stages", 12, 4, "float32", 100.0, (), settled=True)
    assert settle(recalled, 1000, 1000, 100) is recalled
    assert settle(recalled, 33, 1000, 100).epochs == 3


def test_from_a_random_start_something_is_always_trained() -> None:
    training = Training("scratch", 0, 8, "float32", 100.0, ())
    assert settle(training, 0, 1000, 100).epochs == 1
    assert settle(replace(training, epochs=1, settled=True), 0, 1000, 100).epochs == 1
