"""What a fit will do, decided from measured speed before the first step."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from linne.fit.growth import Growth
from linne.fit.levels import MOST_EPOCHS, WORTHWHILE_EPOCHS, Level, Sizes, Training, in_short
from linne.fit.strength import varied
from linne.fit.throughput import Rate
from linne.records.errors import BudgetError, LinneError
from linne.records.pixel_spec import PixelSpec
from linne.records.recipe import UNREAD, Method, Recipe

RECIPES: dict[Method, Recipe] = {
    "stages": Recipe("stages", learning_rate=1e-3),
    "whole": Recipe("whole", learning_rate=3e-4),
    "scratch": Recipe("scratch", learning_rate=2e-3),
}
"""What is not decided by measurement (docs/rooms/fit.md)."""

MOST_ACTIVATION_BYTES = 2_000_000_000
"""Stored activations are held in memory, those of all views at once."""

LATE = 0.1
"""Share of the budget by which what must be done may be expected to end after it."""


_SIDES = ("first_side", "last_side")
"""Of training from images: what enters a tail is stored at the full size."""


@dataclass(frozen=True)
class Outlook:
    """What is known before the first step.

    Attributes
    ----------
    pretrained : bool
    train_images, validation_images, images : int
        Expected; `images` is all of the index.
    images_per_class : float
        To train on, in the median of classes.
    mirrored : bool
        Whether a mirrored image keeps its label.
    seconds_left : float or None
        Until the budget ends; None without one.
    seconds_spent : float
        Since it began.
    embed_seconds : mapping of int or None to float
        Estimate of the one pass, by the stage whose inputs it stores too; None: features only.
    other_seconds : float
        Estimate of everything else but training: audit, probe, export, report.
    stage_rates : tuple of Rate
        Of the last stages, the shallowest first.
    whole_rate : Rate or None
    views_per_second : float
        That are made for a tail; 0 where none can be.
    pixels : PixelSpec
        Of validation.
    sides : (int, int) or None
        That the inputs of a pretrained network may grow from and to; None where it takes no other size.
    """

    pretrained: bool
    train_images: int
    validation_images: int
    images: int
    images_per_class: float
    mirrored: bool
    seconds_left: float | None
    seconds_spent: float
    embed_seconds: Mapping[int | None, float]
    other_seconds: float
    stage_rates: tuple[Rate, ...]
    whole_rate: Rate | None
    views_per_second: float
    pixels: PixelSpec
    sides: tuple[int, int] | None

    @property
    def sizes(self) -> Sizes:
        """Images to train on, and to validate on."""
        return self.train_images, self.validation_images


def plan_training(outlook: Outlook, chosen: Mapping[str, Any]) -> Training:
    """Choose how deep and how long to train within the time left.

    Parameters
    ----------
    outlook : Outlook
    chosen : mapping
        Settings of a `Recipe` that the user has decided, and 'method', which may be 'probe'.

    Raises
    ------
    BudgetError
        The time does not suffice for the least that there is to do.
    LinneError
        The last stages were chosen by hand, and cannot be trained.
    """
    refuse_if_too_short(outlook)
    if not outlook.pretrained:
        return _from_scratch(outlook, chosen)
    method = chosen.get("method")
    if method == "probe":
        return Training((), None, ("the probe only: chosen by hand",))
    tail, no_tail = (None, "") if method == "whole" else _tail(outlook, chosen)
    whole = None if method == "stages" else _whole(outlook, chosen, tail, must=method == "whole")
    levels = [level for level in (tail, whole) if level is not None and level.recipe.epochs]
    reasons = [_words(level, outlook, chosen) for level in levels]
    if levels:
        return Training(tuple(_varied(level, outlook, chosen) for level in levels), None, tuple(reasons))
    if tail is not None:
        stage = tail.recipe.frozen_stages + 1
        reason = f"the probe, then training from stage {stage} on if it leaves time for that"
        return Training((), tail.of_length(WORTHWHILE_EPOCHS["stages"]), (reason,))
    return Training((), None, (f"the probe only: {no_tail}",))


def refuse_if_too_short(outlook: Outlook) -> None:
    """Raise `BudgetError` where the time left does not suffice for what must be done in any case."""
    least = outlook.embed_seconds[None] + outlook.other_seconds
    if outlook.seconds_left is None:
        return
    budget = outlook.seconds_spent + outlook.seconds_left
    if least > outlook.seconds_left + LATE * budget:
        raise _too_short(outlook, least)


def _too_short(outlook: Outlook, needed: float) -> BudgetError:
    least = outlook.seconds_spent + needed
    return BudgetError(
        "the budget is too short",
        value=f"{max(outlook.seconds_left or 0, 0):.0f} s left, and about {needed:.0f} s needed",
        remedy=f"give --budget {math.ceil(1.1 * least) + 1}s or more",
    )


def _from_scratch(outlook: Outlook, chosen: Mapping[str, Any]) -> Training:
    rate = outlook.whole_rate
    if rate is None:
        raise AssertionError("training from scratch needs a measured rate")
    level = _level("scratch", rate, outlook, chosen)
    level = _affordable(outlook, level, 0.0, chosen)
    if level.recipe.epochs == 0:
        least = outlook.embed_seconds[None] + outlook.other_seconds + level.epoch_seconds(outlook.sizes)
        raise _too_short(outlook, least)
    return Training((_varied(level, outlook, chosen),), None, (_words(level, outlook, chosen),))


def _tail(outlook: Outlook, chosen: Mapping[str, Any]) -> tuple[Level | None, str]:
    """The tail with most views, and the deepest of these; the shallowest with no epoch, where none can be afforded."""
    stage = chosen.get("frozen_stages")
    measured = [_level("stages", r, outlook, chosen) for r in outlook.stage_rates if stage in (None, r.frozen_stages)]
    held = [level for level in measured if level.most_views >= chosen.get("views", 1)]
    if not held:
        why = "the activations of so many images, or views, do not fit in memory"
        if not measured:
            why = "the last stages were not measured: there are too few of them, or too little time"
        if chosen.keys() & {"frozen_stages", "views"} or chosen.get("method") == "stages":
            raise LinneError(why, remedy="leave method, frozen_stages and views away")
        return None, why
    levels = [_affordable(outlook, level, 0.0, chosen) for level in held]
    worthwhile = [level for level in levels if level.recipe.epochs >= WORTHWHILE_EPOCHS["stages"] or "epochs" in chosen]
    if worthwhile:  # views gain more than depth, and depth more than length
        return max(worthwhile, key=lambda level: (level.recipe.views, -level.recipe.frozen_stages)), ""
    shallowest = levels[0]
    if chosen.get("method") == "stages":
        return shallowest.at_least_one(), ""
    if outlook.seconds_left and _seconds_without_training(outlook, shallowest) <= outlook.seconds_left:
        return shallowest.of_length(0), ""
    return None, "the time left holds no training"


def _whole(outlook: Outlook, chosen: Mapping[str, Any], tail: Level | None, must: bool) -> Level | None:
    """Every weight, in the time that the tail leaves."""
    if outlook.whole_rate is None:
        return None
    before = 0.0 if tail is None else tail.seconds(outlook.sizes)
    level = _affordable(outlook, _level("whole", outlook.whole_rate, outlook, chosen), before, chosen)
    if level.recipe.epochs < WORTHWHILE_EPOCHS["whole"] and not must and "epochs" not in chosen:
        return None
    return level.at_least_one()


def _level(method: Method, rate: Rate, outlook: Outlook, chosen: Mapping[str, Any]) -> Level:
    measured: dict[str, Any] = {
        "frozen_stages": rate.frozen_stages,
        "precision": rate.precision,
        "lanes": rate.lanes,
        "channels_last": rate.channels_last,
    }
    if method == "whole" and outlook.sides is not None:
        measured |= dict(zip(_SIDES, outlook.sides, strict=True))
    elsewhere = ("method", "frozen_stages", "views", *UNREAD[method])
    by_hand = {name: value for name, value in chosen.items() if name not in elsewhere}
    unsmoothed = {"label_smoothing": 0.0} if chosen.get("balance") == "logits" else {}
    settings = {**measured, **unsmoothed, **by_hand}
    if "first_side" not in by_hand and by_hand.get("last_side") is not None:  # what is planned does not shrink to it
        first = settings.get("first_side")
        settings["first_side"] = None if first is None else min(first, by_hand["last_side"])
    recipe = replace(RECIPES[method], **settings)
    growth = Growth(outlook.pixels, recipe.first_side, recipe.last_side, 1, WORTHWHILE_EPOCHS["whole"])
    most_views = 1
    if method == "stages":
        most_views = MOST_ACTIVATION_BYTES // (rate.activation_size * 2 * outlook.images)
        if not outlook.views_per_second or chosen.get("augment") == "none":
            most_views = min(most_views, 1)
    cost = 1.0 if method == "stages" else growth.cost()
    return Level(recipe, rate.images_per_second, outlook.views_per_second, most_views, cost)


def _varied(level: Level, outlook: Outlook, chosen: Mapping[str, Any]) -> Level:
    """As its length now stands; what is said of it waits for the length that it will have."""
    return replace(level, recipe=varied(level.recipe, outlook.images_per_class, outlook.mirrored, chosen)[0])


def _affordable(outlook: Outlook, level: Level, before: float, chosen: Mapping[str, Any]) -> Level:
    """Give a level the length that the time allows after other levels, up to where more stops to pay."""
    left = math.inf if outlook.seconds_left is None else outlook.seconds_left
    seconds = left - _seconds_without_training(outlook, level) - before
    return level.within(seconds, outlook.sizes, MOST_EPOCHS[level.recipe.method], chosen)


def _seconds_without_training(outlook: Outlook, level: Level) -> float:
    return outlook.embed_seconds[level.recipe.frozen_stages or None] + outlook.other_seconds


def _words(level: Level, outlook: Outlook, chosen: Mapping[str, Any]) -> str:
    recipe = level.recipe
    seconds = level.seconds(outlook.sizes)
    what = {
        "stages": f"training from stage {recipe.frozen_stages + 1} on, on stored activations of the frozen ones",
        "whole": "training every weight from augmented images",
        "scratch": "training every weight from a random start, from augmented images",
    }[recipe.method]
    how = [in_short(level), f"about {seconds:.0f} s"]
    how.append(f"at about {level.images_per_second / level.cost:.0f} images/s")
    unusual = {
        "precision": f"products in {recipe.precision}" if recipe.precision != "float32" else "",
        "lanes": f"{recipe.lanes} parts of a batch side by side" if recipe.lanes > 1 else "",
        "channels_last": "" if recipe.channels_last else "images channel by channel in memory",
    }
    for name, said in unusual.items():
        if said:
            how.append(f"{said}, {'chosen by hand' if name in chosen else 'measured to be faster here'}")
    return f"{what}: {', '.join(how)}"
