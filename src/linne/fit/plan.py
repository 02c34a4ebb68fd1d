"""What a fit will do, decided from measured speed before the first step."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from linne.fit.throughput import Rate
from linne.records.errors import BudgetError, LinneError
from linne.records.recipe import Method, Recipe

EPOCHS = (1, 2, 3, 4, 6, 8, 12, 16, 20, 30, 40, 60)
"""Few lengths, so that a small change of speed is no change of plan."""

MOST_EPOCHS: dict[Method, int] = {"stages": 12, "whole": 20, "scratch": 60}
"""Past these, validation gains little (docs/rooms/fit.md)."""

WORTHWHILE_EPOCHS: dict[Method, int] = {"stages": 3, "whole": 4, "scratch": 1}
"""With fewer, a cheaper way of training gains more: the probe beats a tail of one epoch (docs/rooms/fit.md)."""

RECIPES: dict[Method, Recipe] = {
    "stages": Recipe("stages", learning_rate=1e-3),
    "whole": Recipe("whole", learning_rate=3e-4, average=0.1),
    "scratch": Recipe("scratch", learning_rate=2e-3),
}
"""What is not decided by measurement (docs/rooms/fit.md)."""

MOST_ACTIVATION_BYTES = 2_000_000_000
"""Stored activations are held in memory."""

TOLERANCE = 1.3
"""What must be done may be estimated to take this much of the time left: estimates are on the safe side."""

VALIDATION_SPEED = 3.0
"""Images a second in validation over training: no backward pass."""


@dataclass(frozen=True)
class Outlook:
    """What is known before the first step.

    Attributes
    ----------
    pretrained : bool
    train_images, validation_images, images : int
        Expected; `images` is all of the index.
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
    """

    pretrained: bool
    train_images: int
    validation_images: int
    images: int
    seconds_left: float | None
    seconds_spent: float
    embed_seconds: Mapping[int | None, float]
    other_seconds: float
    stage_rates: tuple[Rate, ...]
    whole_rate: Rate | None


@dataclass(frozen=True)
class Level:
    """A level of training, and how many images a second it takes in."""

    recipe: Recipe
    images_per_second: float

    def seconds(self, train_images: int, validation_images: int) -> float:
        """Estimate of all its epochs."""
        return self.recipe.epochs * epoch_seconds(self.images_per_second, train_images, validation_images)

    def of_length(self, epochs: int) -> Level:
        """Give it with another number of epochs."""
        return replace(self, recipe=replace(self.recipe, epochs=epochs))


@dataclass(frozen=True)
class Training:
    """How to train after the probe, level by level.

    Attributes
    ----------
    levels : tuple of Level
        Empty for the probe alone.
    spare : Level or None
        The tail whose inputs are stored, where the estimates leave no time to train it: it is trained if there is.
    reasons : tuple of str
    settled : bool
        Lengths are those of the time that was really left, in this run or an earlier one.
    """

    levels: tuple[Level, ...]
    spare: Level | None
    reasons: tuple[str, ...]
    settled: bool = False

    @property
    def stage(self) -> int | None:
        """The stage whose inputs are stored, if any are."""
        tails = [level for level in (*self.levels, self.spare) if level and level.recipe.method == "stages"]
        return tails[0].recipe.frozen_stages if tails else None


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
        What was chosen cannot be done.
    """
    refuse_if_too_short(outlook)
    if not outlook.pretrained:
        return _from_scratch(outlook, chosen)
    method = chosen.get("method")
    if method == "scratch":
        raise LinneError("method cannot be scratch", remedy="leave --weights away to start from random ones")
    if method == "probe":
        return Training((), None, ("the probe only: chosen by hand",))
    tail, no_tail = (None, "") if method == "whole" else _tail(outlook, chosen)
    whole = None if method == "stages" else _whole(outlook, chosen, tail, must=method == "whole")
    levels = [level for level in (tail, whole) if level is not None and level.recipe.epochs]
    reasons = [_words(level, outlook) for level in levels]
    if levels:
        return Training(tuple(levels), None, tuple(reasons))
    if tail is not None:
        stage = tail.recipe.frozen_stages + 1
        reason = f"the probe, then training from stage {stage} on if it leaves time for that"
        return Training((), tail.of_length(WORTHWHILE_EPOCHS["stages"]), (reason,))
    return Training((), None, (f"the probe only: {no_tail}",))


def settle(training: Training, seconds: float, train_images: int, validation_images: int, fixed: bool) -> Training:
    """Plan as many epochs as the seconds that are really left hold, once all but training is done.

    Estimates are on the safe side, so there is often time for more than was planned. An earlier run's settled
    training is shortened at most: the same command gives the same numbers. From a random start at least one epoch
    remains, which the deadline cuts: there is no probe to fall back on. Where the length is `fixed` by hand, it stays.
    """
    levels = list(training.levels or ((training.spare,) if training.spare else ()))
    if not levels or fixed:
        return replace(training, settled=True)
    sizes = train_images, validation_images
    if training.settled and sum(level.seconds(*sizes) for level in training.levels) <= seconds:
        return training
    *before, last = levels
    left = seconds - sum(level.seconds(*sizes) for level in before)
    settled = _of_time(last, left, sizes, training)
    if settled is None and before:  # the last level is given up, and the one before has its time
        *before, last = before
        settled = _of_time(last, seconds - sum(level.seconds(*sizes) for level in before), sizes, training)
    new = (*before, settled) if settled else tuple(before)
    if new == training.levels:
        return replace(training, settled=True)
    told = ", then ".join(f"{level.recipe.epochs} of {level.recipe.method}" for level in new) or "none"
    reason = f"epochs: {told}, since {seconds:.0f} s are left for training"
    return Training(new, None if new else training.spare, (*training.reasons, reason), settled=True)


def _of_time(level: Level, seconds: float, sizes: tuple[int, int], training: Training) -> Level | None:
    """Give a level the length that the time allows; None where that is too short to be worth it."""
    method = level.recipe.method
    most = level.recipe.epochs if training.settled else MOST_EPOCHS[method]
    fit = int(max(seconds, 0) / epoch_seconds(level.images_per_second, *sizes))
    epochs = _rounded_down(min(fit, most))
    if method == "scratch":
        epochs = max(epochs, 1)
    return level.of_length(epochs) if epochs >= WORTHWHILE_EPOCHS[method] else None


def epoch_seconds(rate: float, train_images: int, validation_images: int) -> float:
    """Estimate of an epoch at `rate` training images a second."""
    return train_images / rate + validation_images / (VALIDATION_SPEED * rate)


def refuse_if_too_short(outlook: Outlook) -> None:
    """Raise `BudgetError` where the time left does not suffice for what must be done in any case."""
    least = outlook.embed_seconds[None] + outlook.other_seconds
    if outlook.seconds_left is not None and least > TOLERANCE * outlook.seconds_left:
        raise _too_short(outlook, least)


def _rounded_down(epochs: int) -> int:
    """Round down to one of `EPOCHS`; 0 stays 0."""
    return max((e for e in EPOCHS if e <= epochs), default=0)


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
    if chosen.get("method", "scratch") != "scratch":
        raise LinneError(f"method cannot be {chosen['method']}", remedy="give pretrained --weights")
    level = _level("scratch", rate, chosen)
    epochs = chosen.get("epochs") or _affordable(outlook, level, 0.0)
    if epochs == 0:
        epoch = epoch_seconds(level.images_per_second, outlook.train_images, outlook.validation_images)
        raise _too_short(outlook, outlook.embed_seconds[None] + outlook.other_seconds + epoch)
    level = level.of_length(epochs)
    return Training((level,), None, (_words(level, outlook),))


def _tail(outlook: Outlook, chosen: Mapping[str, Any]) -> tuple[Level | None, str]:
    """The deepest tail of which enough epochs can be afforded; the shallowest with none, where there is no such."""
    stage = chosen.get("frozen_stages")
    rates = [r for r in outlook.stage_rates if stage is None or r.frozen_stages == stage]
    if stage is not None and not rates:
        known = ", ".join(str(rate.frozen_stages) for rate in outlook.stage_rates)
        raise LinneError("frozen_stages cannot be that", value=stage, remedy=f"give one of {known}")
    held = [r for r in rates if r.activation_size * 2 * outlook.images <= MOST_ACTIVATION_BYTES]
    if not held:
        return None, "the activations of so many images do not fit in memory"
    for rate in reversed(held):  # the deepest first
        level = _level("stages", rate, chosen)
        epochs = chosen.get("epochs") or _affordable(outlook, level, 0.0)
        if epochs >= WORTHWHILE_EPOCHS["stages"] or "epochs" in chosen:
            return level.of_length(epochs), ""
    shallowest = _level("stages", held[0], chosen)
    if outlook.seconds_left and _seconds_without_training(outlook, shallowest) <= outlook.seconds_left:
        return shallowest.of_length(0), ""
    return None, "the time left holds no training"


def _whole(outlook: Outlook, chosen: Mapping[str, Any], tail: Level | None, must: bool) -> Level | None:
    """Every weight, in the time that the tail leaves."""
    if outlook.whole_rate is None:
        return None
    level = _level("whole", outlook.whole_rate, chosen)
    before = 0.0 if tail is None else tail.seconds(outlook.train_images, outlook.validation_images)
    epochs = chosen.get("epochs") or _affordable(outlook, level, before)
    if epochs < WORTHWHILE_EPOCHS["whole"] and not must:
        return None
    return level.of_length(max(epochs, 1))


def _level(method: Method, rate: Rate, chosen: Mapping[str, Any]) -> Level:
    measured = {"frozen_stages": rate.frozen_stages, "precision": rate.precision, "lanes": rate.lanes}
    by_hand = {name: value for name, value in chosen.items() if name not in ("method", "frozen_stages")}
    return Level(replace(RECIPES[method], **{**measured, **by_hand}), rate.images_per_second)


def _affordable(outlook: Outlook, level: Level, before: float) -> int:
    """Epochs that the time allows after other levels, up to where more stop to pay."""
    most = MOST_EPOCHS[level.recipe.method]
    if outlook.seconds_left is None:
        return most
    seconds = outlook.seconds_left - _seconds_without_training(outlook, level) - before
    one = epoch_seconds(level.images_per_second, outlook.train_images, outlook.validation_images)
    return _rounded_down(min(int(max(seconds, 0) / one), most))


def _seconds_without_training(outlook: Outlook, level: Level) -> float:
    return outlook.embed_seconds[level.recipe.frozen_stages or None] + outlook.other_seconds


def _words(level: Level, outlook: Outlook) -> str:
    recipe = level.recipe
    seconds = level.seconds(outlook.train_images, outlook.validation_images)
    what = {
        "stages": f"training from stage {recipe.frozen_stages + 1} on, on stored activations of the frozen ones",
        "whole": "training every weight from augmented images",
        "scratch": "training every weight from a random start, from augmented images",
    }[recipe.method]
    how = [f"{recipe.epochs} epoch{'s' * (recipe.epochs != 1)}, about {seconds:.0f} s"]
    how.append(f"at a measured {level.images_per_second:.0f} images/s")
    if recipe.precision != "float32":
        how.append(f"products in {recipe.precision}, measured to be faster here")
    if recipe.lanes > 1:
        how.append(f"{recipe.lanes} parts of a batch side by side, measured to be faster here")
    return f"{what}: {', '.join(how)}"
