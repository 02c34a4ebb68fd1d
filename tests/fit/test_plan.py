"""Does a plan keep within the time, and use it?"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_networks import small_pixels

from linne.fit.growth import Growth
from linne.fit.levels import EPOCHS, MOST_EPOCHS, VALIDATION_SPEED, VIEWS, WORTHWHILE_EPOCHS, Level, Training, settle
from linne.fit.plan import LATE, MOST_ACTIVATION_BYTES, RECIPES, Outlook, plan_training
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
    views: float = 0.0,
    sides: tuple[int, int] | None = None,
) -> Outlook:
    """No tail can have more than one view, unless a test says otherwise."""
    rates = tuple(Rate(STAGES - 1 - i, "float32", 1, stage_rate / (i + 1), size) for i in range(tails))
    return Outlook(
        pretrained=pretrained,
        train_images=round(0.7 * images),
        validation_images=round(0.1 * images),
        images=images,
        images_per_class=70.0,
        mirrored=True,
        seconds_left=left,
        seconds_spent=5.0,
        embed_seconds={None: embed, **{rate.frozen_stages: embed for rate in rates}},
        other_seconds=other,
        stage_rates=rates if pretrained else (),
        whole_rate=None if whole is None else Rate(0, "bfloat16", 2, whole, 3 * 224 * 224),
        views_per_second=views,
        pixels=small_pixels(224),
        sides=sides,
    )


rates = st.builds(
    Rate,
    frozen_stages=st.integers(1, STAGES - 1),
    precision=st.sampled_from(["float32", "bfloat16"]),
    lanes=st.integers(1, 8),
    images_per_second=st.floats(0.1, 1e5),
    activation_size=st.integers(1, 10**6),
    channels_last=st.booleans(),
)
seconds = st.floats(0, 1e4)


@st.composite
def outlooks(draw: st.DrawFn) -> Outlook:
    pretrained = draw(st.booleans())
    tails = draw(st.lists(rates, max_size=6, unique_by=lambda rate: rate.frozen_stages)) if pretrained else []
    tails.sort(key=lambda rate: -rate.frozen_stages)
    whole = Rate(0, "float32", 1, draw(st.floats(0.1, 1e5)), 10)
    base = draw(seconds)
    return Outlook(
        pretrained=pretrained,
        train_images=draw(st.integers(1, 10**6)),
        validation_images=draw(st.integers(1, 10**5)),
        images=draw(st.integers(2, 10**6)),
        images_per_class=draw(st.floats(1, 1e5)),
        mirrored=draw(st.booleans()),
        seconds_left=draw(st.none() | st.floats(-10, 1e5)),
        seconds_spent=draw(seconds),
        embed_seconds={None: base, **{rate.frozen_stages: base + draw(seconds) for rate in tails}},
        other_seconds=draw(seconds),
        stage_rates=tuple(tails),
        whole_rate=whole if not pretrained or draw(st.booleans()) else None,
        views_per_second=draw(st.floats(0.1, 1e5)),
        pixels=small_pixels(draw(st.sampled_from([32, 64, 224]))),
        sides=draw(st.none() | st.sampled_from([(32, 64), (128, 192), (128, 256), (224, 224)])),
    )


def methods(training: Training) -> list[str]:
    return [level.recipe.method for level in training.levels]


def lengths(training: Training) -> list[int]:
    return [level.recipe.epochs for level in training.levels]


@given(outlooks())
def test_never_more_seconds_than_are_left(given_: Outlook) -> None:
    least = given_.embed_seconds[None] + given_.other_seconds
    try:
        training = plan_training(given_, {})
    except LinneError:
        assert given_.seconds_left is not None
        left = given_.seconds_left
        if given_.pretrained:
            assert least > left + LATE * (given_.seconds_spent + left)
        else:
            assert given_.whole_rate is not None
            epoch = given_.train_images / given_.whole_rate.images_per_second
            assert least + epoch * (1 + 1 / VALIDATION_SPEED * given_.validation_images / given_.train_images) > left
        return
    assert training.reasons
    assert methods(training) in ([], ["stages"], ["whole"], ["stages", "whole"], ["scratch"])
    for level in training.levels:
        method, epochs = level.recipe.method, level.recipe.epochs
        assert epochs in EPOCHS
        assert level.recipe.views in ((1, *VIEWS) if method == "stages" else (1,))
        assert WORTHWHILE_EPOCHS[method] <= epochs <= MOST_EPOCHS[method]
    if not training.levels or given_.seconds_left is None:
        return
    total = given_.embed_seconds[training.stage] + given_.other_seconds
    for level in training.levels:
        rate = level.images_per_second
        epoch = level.cost * given_.train_images / rate + given_.validation_images / (VALIDATION_SPEED * rate)
        total += level.recipe.epochs * epoch
        total += (level.recipe.views - 1) * given_.train_images / given_.views_per_second
    assert total <= given_.seconds_left * (1 + 1e-9)


@given(outlooks())
def test_what_is_trained_was_measured(given_: Outlook) -> None:
    try:
        training = plan_training(given_, {})
    except LinneError:
        return
    for level in training.levels:
        recipe = level.recipe
        if recipe.method == "stages":
            (rate,) = [rate for rate in given_.stage_rates if rate.frozen_stages == recipe.frozen_stages]
            assert recipe.views * rate.activation_size * 2 * given_.images <= MOST_ACTIVATION_BYTES
            assert training.stage == recipe.frozen_stages
        else:
            rate = given_.whole_rate
            assert recipe.frozen_stages == 0
            assert recipe.method == ("whole" if given_.pretrained else "scratch")
        assert (recipe.precision, recipe.lanes) == (rate.precision, rate.lanes)
        assert level.images_per_second == rate.images_per_second
        if recipe.method != "whole" or given_.sides is None:
            assert level.cost == 1
        else:
            growth = Growth(given_.pixels, *given_.sides, 1, WORTHWHILE_EPOCHS["whole"])
            assert level.cost == pytest.approx(growth.cost())
            assert (recipe.first_side, recipe.last_side) == given_.sides


@pytest.mark.parametrize(
    ("given_", "plan"),
    [
        (outlook(left=30), {"stages": 3}),
        (outlook(left=21), {}),
        (outlook(left=23), {}),  # two epochs of the shallowest tail
        (outlook(left=19), {}),  # within the tolerance of the estimates
        (outlook(left=2000), {"stages": 8, "whole": 20}),
        (outlook(left=400), {"stages": 8, "whole": 8}),  # the tail first, the whole in what it leaves
        (outlook(left=250), {"stages": 8}),  # five epochs of the whole gain less than their time
        (outlook(left=None), {"stages": 8, "whole": 20}),
        (outlook(left=None, whole=None), {"stages": 8}),
        (outlook(left=400, whole=None), {"stages": 8}),
        (outlook(left=400, size=2 * 10**6, whole=None), {}),
        (outlook(left=400, size=2 * 10**6), {"whole": 8}),
        (outlook(left=400, tails=0, whole=None), {}),
        (outlook(left=100, pretrained=False), {"scratch": 2}),
        (outlook(left=None, pretrained=False), {"scratch": 60}),
        (outlook(left=1e6, pretrained=False), {"scratch": 60}),
    ],
)
def test_every_method_is_reached(given_: Outlook, plan: dict[str, int]) -> None:
    training = plan_training(given_, {})
    assert dict(zip(methods(training), lengths(training), strict=True)) == plan
    assert list(plan) == methods(training)  # in this order
    assert plan.keys() <= RECIPES.keys()


def test_a_tail_for_which_the_estimates_leave_no_time_has_its_inputs_stored() -> None:
    training = plan_training(outlook(left=21), {})
    assert training.spare is not None
    assert training.stage == training.spare.recipe.frozen_stages == STAGES - 1
    assert plan_training(outlook(left=19), {}).stage is None


def test_the_deepest_tail_that_can_be_afforded() -> None:
    assert plan_training(outlook(left=100, whole=None), {}).stage == STAGES - 3
    assert plan_training(outlook(left=26, whole=None), {}).stage == STAGES - 1


VALIDATES_MUCH = replace(outlook(left=24, pretrained=False), validation_images=2000)


@pytest.mark.parametrize(
    "given_", [outlook(left=10), outlook(left=-5), outlook(left=24, pretrained=False), VALIDATES_MUCH]
)
def test_too_short_is_refused_with_what_is_needed(given_: Outlook) -> None:
    with pytest.raises(LinneError) as caught:
        plan_training(given_, {})
    suggested = re.search(r"--budget ([0-9]+)s", str(caught.value.remedy))
    assert suggested
    enough = replace(given_, seconds_left=float(suggested[1]) - given_.seconds_spent)
    assert plan_training(enough, {}).reasons


def test_lengths_are_rounded_down() -> None:
    plans = [plan_training(outlook(left=float(left), whole=None), {}) for left in range(21, 60)]
    assert {length for plan in plans for length in lengths(plan)} <= set(EPOCHS)


def test_more_time_never_means_a_lesser_plan() -> None:
    order: list[list[str]] = [[], ["stages"], ["stages", "whole"]]
    plans = [plan_training(outlook(left=float(left)), {}) for left in range(21, 2000, 3)]
    ranks = [(order.index(methods(plan)), lengths(plan)[-1] if len(plan.levels) == 2 else 0) for plan in plans]
    assert ranks == sorted(ranks)


CHOSEN_BY_HAND = [
    ({"method": "probe"}, [], []),
    ({"method": "stages"}, ["stages"], [8]),
    ({"method": "whole"}, ["whole"], [16]),
    ({"method": "stages", "epochs": 7}, ["stages"], [7]),
    ({"epochs": 1}, ["stages", "whole"], [1, 1]),
    ({"method": "whole", "epochs": 999}, ["whole"], [999]),
]


@pytest.mark.parametrize(("chosen", "found", "epochs"), CHOSEN_BY_HAND)
def test_what_is_chosen_by_hand_is_done(chosen: dict[str, object], found: list[str], epochs: list[int]) -> None:
    given_ = outlook(left=650)
    if chosen.get("method") == "stages":
        given_ = replace(given_, whole_rate=None)
    training = plan_training(given_, chosen)
    assert (methods(training), lengths(training)) == (found, epochs)
    if not found:
        assert training.spare is None


@pytest.mark.parametrize(("size", "views"), [(1000, 4), (250_000, 4), (250_001, 2), (500_001, 1), (10**6, 1)])
def test_no_more_views_than_fit_in_memory(size: int, views: int) -> None:
    training = plan_training(outlook(left=None, size=size, views=100.0), {})
    assert [level.recipe.views for level in training.levels] == [views, 1]
    assert settled(training, 1e6).levels[0].recipe.views == views


def test_views_by_hand_are_the_tail_s_alone() -> None:
    training = plan_training(outlook(left=1000, views=100.0), {"views": 3})
    assert [level.recipe.views for level in training.levels] == [3, 1]
    # two more views of 700 images take 14 s
    tail, whole = training.levels
    assert whole.recipe.epochs == plan_training(outlook(left=986, views=100.0), {"views": 1}).levels[1].recipe.epochs
    assert tail.recipe.epochs == MOST_EPOCHS["stages"]


@pytest.mark.parametrize(
    ("chosen", "sides"),
    [
        ({}, (128, 192)),
        ({"last_side": 96}, (96, 96)),
        ({"last_side": 160}, (128, 160)),
        ({"last_side": None}, (128, None)),
    ],
)
def test_inputs_grow_to_the_side_that_is_chosen(chosen: dict[str, int | None], sides: tuple[int, int | None]) -> None:
    training = plan_training(outlook(left=None, views=100.0, sides=(128, 192)), {"method": "whole", **chosen})
    (level,) = training.levels
    assert (level.recipe.first_side, level.recipe.last_side) == sides


def test_adjusted_logits_are_for_labels_that_are_not_smoothed() -> None:
    for chosen, expected in (
        ({}, 0.1),
        ({"balance": "weights"}, 0.1),
        ({"balance": "logits"}, 0.0),
        ({"balance": "logits", "label_smoothing": 0.05}, 0.05),
    ):
        training = plan_training(outlook(left=None, views=100.0), chosen)
        assert {level.recipe.label_smoothing for level in training.levels} == {expected}


def test_where_images_are_not_to_vary_there_is_one_view() -> None:
    training = plan_training(outlook(left=None, views=100.0), {"augment": "none"})
    assert [(level.recipe.views, level.recipe.augment) for level in training.levels] == [
        (1, "light"),
        (1, "none"),
    ]  # a tail reads no policy
    assert settled(training, 1e6, augment="none").levels[0].recipe.views == 1


def test_why_there_is_only_the_probe() -> None:
    """What was never measured has not been found too large for memory."""
    (never,) = plan_training(outlook(tails=0, whole=None), {}).reasons
    (too_large,) = plan_training(outlook(size=2 * 10**6, whole=None), {}).reasons
    assert "memory" in too_large
    assert "memory" not in never
    assert "measured" in never


@pytest.mark.parametrize("method", ["stages", "whole"])
@pytest.mark.parametrize("left", [19.0, 21.0, 60.0, 650.0])
def test_a_method_by_hand_is_trained_however_short_the_time(method: str, left: float) -> None:
    training = plan_training(outlook(left=left), {"method": method})
    assert methods(training) == [method]
    assert methods(settled(training, 0, method=method)) == [method]


def test_how_images_vary_follows_the_planned_length() -> None:
    long, short = (plan_training(outlook(left=left), {"method": "whole"}) for left in (1000, 500))
    assert [(level.recipe.epochs, level.recipe.augment) for level in long.levels] == [(20, "trivial")]
    assert [(level.recipe.epochs, level.recipe.augment) for level in short.levels] == [(12, "light")]


def test_every_other_setting_reaches_every_level() -> None:
    chosen = {"learning_rate": 0.25, "optimiser": "sgd", "lanes": 3, "precision": "float16", "channels_last": False}
    for level in plan_training(outlook(left=None), chosen).levels:
        assert {name: getattr(level.recipe, name) for name in chosen} == chosen


def test_a_tail_has_no_sides() -> None:
    tail, whole = plan_training(outlook(left=None), {"first_side": 160, "last_side": 224}).levels
    assert (tail.recipe.first_side, tail.recipe.last_side) == (None, None)
    assert (whole.recipe.first_side, whole.recipe.last_side) == (160, 224)


def test_what_was_measured_to_be_fastest_is_taken_unless_decided_by_hand() -> None:
    measured = replace(outlook(left=None), whole_rate=Rate(0, "bfloat16", 2, 1e3, 10, channels_last=False))
    for chosen, expected in (({}, ("bfloat16", 2, False)), ({"channels_last": True}, ("bfloat16", 2, True))):
        recipe = plan_training(measured, {"method": "whole", **chosen}).levels[0].recipe
        assert (recipe.precision, recipe.lanes, recipe.channels_last) == expected


@pytest.mark.parametrize("frozen", [STAGES - 1, STAGES - 2, STAGES - 3])
def test_frozen_stages_by_hand(frozen: int) -> None:
    assert plan_training(outlook(left=None), {"frozen_stages": frozen}).stage == frozen


@pytest.mark.parametrize(
    ("given_", "chosen"),
    [
        (outlook(), {"frozen_stages": 2}),  # not measured
        (outlook(tails=0), {"method": "stages"}),
        (outlook(size=2 * 10**6), {"method": "stages"}),
        (outlook(size=2 * 10**6), {"frozen_stages": STAGES - 2}),
        (outlook(size=250_000, views=100.0), {"views": 5}),  # 0.5 GB a view
    ],
)
def test_what_cannot_be_done_is_refused(given_: Outlook, chosen: dict[str, object]) -> None:
    with pytest.raises(LinneError) as caught:
        plan_training(given_, chosen)
    assert caught.value.remedy


TAIL = Level(replace(RECIPES["stages"], frozen_stages=12, epochs=8), 100.0, 1e-3)  # 10.33 s an epoch
WHOLE = Level(replace(RECIPES["whole"], epochs=8), 50.0, 1e-3)  # 20.67 s an epoch


def settled(training: Training, seconds: float, **chosen: object) -> Training:
    return settle(training, seconds, (1000, 100), chosen)


def test_training_is_settled_by_the_time_that_is_left() -> None:
    planned = Training((TAIL,), None, ("because",))
    shorter = settled(planned, 55)
    assert (lengths(shorter), methods(shorter), shorter.stage, shorter.settled) == ([4], ["stages"], 12, True)
    assert shorter.reasons[0] == "because"
    assert len(shorter.reasons) == 2
    assert lengths(settled(planned, 1000)) == [MOST_EPOCHS["stages"]]
    assert settled(planned, 90) == replace(planned, settled=True)
    assert settled(planned, 0).levels == ()
    assert settled(planned, 25).levels == ()  # two epochs gain nothing
    probe = Training((), None, ())
    assert settled(probe, 1000) == replace(probe, settled=True)


def test_a_tail_that_was_spared_is_trained_where_there_is_time() -> None:
    planned = Training((), TAIL.of_length(3), ("the probe",))
    assert lengths(settled(planned, 50)) == [4]
    assert settled(planned, 50).spare is None
    assert settled(planned, 20).levels == ()
    assert settled(planned, 20).stage == 12  # a later run asks again


def test_the_last_level_is_lengthened_shortened_or_given_up() -> None:
    planned = Training((TAIL, WHOLE), None, ("because",))
    assert lengths(settled(planned, 1000)) == [8, 20]
    assert lengths(settled(planned, 340)) == [8, 12]
    assert lengths(settled(Training((TAIL, WHOLE.of_length(20)), None, ()), 255)) == [8, 8]
    alone = settled(Training((TAIL.of_length(4), WHOLE), None, ()), 200)  # 159 s are left for the second
    assert (methods(alone), lengths(alone)) == (["stages"], [8])
    assert settled(planned, 10).levels == ()


@given(st.floats(0, 2000), st.lists(st.sampled_from([TAIL, WHOLE]), min_size=1, max_size=2, unique=True))
def test_settled_levels_fit_the_time(seconds: float, levels: list[Level]) -> None:
    training = settled(Training(tuple(levels), None, ()), seconds)
    assert sum(level.seconds((1000, 100)) for level in training.levels) <= seconds


def test_lengths_by_hand_stay() -> None:
    planned = Training((TAIL, WHOLE), None, ("because",))
    for seconds in (0, 100, 10_000):
        assert settled(planned, seconds, epochs=8) == replace(planned, settled=True)


def test_what_an_earlier_run_settled_is_not_lengthened() -> None:
    recalled = Training((TAIL.of_length(4),), None, (), settled=True)
    assert settled(recalled, 1000) is recalled
    assert lengths(settled(recalled, 33)) == [3]
    both = Training((TAIL.of_length(4), WHOLE.of_length(4)), None, (), settled=True)
    assert settled(both, 1000) is both
    assert lengths(settled(both, 100)) == [4]


def test_from_a_random_start_something_is_always_trained() -> None:
    training = Training((Level(replace(RECIPES["scratch"], epochs=8), 100.0, 1e-3),), None, ())
    assert lengths(settled(training, 0)) == [1]
    one = Training((training.levels[0].of_length(1),), None, (), settled=True)
    assert lengths(settled(one, 0)) == [1]
