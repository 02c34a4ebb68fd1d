"""Levels of training: how long each takes, and how long it may be."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from linne.records.recipe import Method, Recipe

EPOCHS = (1, 2, 3, 4, 6, 8, 12, 16, 20, 30, 40, 60)
"""Few lengths, so that a small change of speed is no change of plan."""

MOST_EPOCHS: dict[Method, int] = {"stages": 8, "whole": 20, "scratch": 60}
"""Past these, validation gains little (docs/rooms/fit.md)."""

WORTHWHILE_EPOCHS: dict[Method, int] = {"stages": 3, "whole": 8, "scratch": 1}
"""With fewer, a cheaper way of training gains more: the probe beats a tail of one epoch, and a deep tail on several
views a few epochs of the whole network (docs/rooms/fit.md)."""

VIEWS = (4, 2)
"""Views of each image that a tail is trained on, where there is time to make them."""

WORTHWHILE_WITH_VIEWS = 6
"""Epochs that must be left for that: with fewer, each view is hardly seen."""

VALIDATION_SPEED = 3.0
"""Images a second in validation over training: no backward pass."""

Sizes = tuple[int, int]
"""Images to train on, and to validate on."""


@dataclass(frozen=True)
class Level:
    """A level of training.

    Attributes
    ----------
    recipe : Recipe
    images_per_second : float
        That it takes in at the size of validation.
    views_per_second : float
        That are made for it.
    most_views : int
        Of an image; 1 for all but tails.
    cost : float
        Of training on an image, in the mean of inputs that grow, as a share of that at the size of validation.
    """

    recipe: Recipe
    images_per_second: float
    views_per_second: float
    most_views: int = 1
    cost: float = 1.0

    def seconds(self, sizes: Sizes) -> float:
        """Estimate of making its views, and of all its epochs."""
        return self._seconds_of_views(self.recipe.views, sizes) + self.recipe.epochs * self.epoch_seconds(sizes)

    def epoch_seconds(self, sizes: Sizes) -> float:
        """Estimate of an epoch."""
        train_images, validation_images = sizes
        return (self.cost * train_images + validation_images / VALIDATION_SPEED) / self.images_per_second

    def of_length(self, epochs: int, views: int = 1) -> Level:
        """Give it with another number of epochs, and of views."""
        return replace(self, recipe=replace(self.recipe, epochs=epochs, views=views))

    def at_least_one(self) -> Level:
        """Give it with an epoch, where it has none."""
        return self if self.recipe.epochs else self.of_length(1, self.recipe.views)

    def within(self, seconds: float, sizes: Sizes, most: int, chosen: Mapping[str, Any]) -> Level:
        """Give it the views and the epochs, up to `most`, that some seconds hold; the epochs may be none.

        What was `chosen` by hand stays.
        """
        one, views = self.epoch_seconds(sizes), min(chosen.get("views", 1), self.most_views)
        if "epochs" in chosen:
            return self.of_length(chosen["epochs"], views)
        for more in (number for number in VIEWS if number <= self.most_views and "views" not in chosen):
            if seconds - self._seconds_of_views(more, sizes) >= WORTHWHILE_WITH_VIEWS * one:
                views = more
                break
        left = max(seconds - self._seconds_of_views(views, sizes), 0.0)
        return self.of_length(_rounded_down(most if left == math.inf else min(int(left / one), most)), views)

    def _seconds_of_views(self, views: int, sizes: Sizes) -> float:
        """The first view is that of the one pass."""
        return (views - 1) * sizes[0] / self.views_per_second if views > 1 else 0.0


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


def settle(training: Training, seconds: float, sizes: Sizes, chosen: Mapping[str, Any]) -> Training:
    """Plan as many epochs as the seconds that are really left hold, once all but training is done.

    Estimates may be off either way, so there may be time for more than was planned. An earlier run's settled
    training is shortened at most: the same command gives the same numbers. From a random start, where there is no probe
    to fall back on, and of a method that was `chosen` by hand at least one epoch remains, which the deadline cuts. What
    else was chosen stays.
    """
    levels = list(training.levels or ((training.spare,) if training.spare else ()))
    if not levels or "epochs" in chosen:
        return replace(training, settled=True)
    if training.settled and sum(level.seconds(sizes) for level in training.levels) <= seconds:
        return training
    *before, last = levels
    left = seconds - sum(level.seconds(sizes) for level in before)
    settled = _of_time(last, left, sizes, training, chosen)
    if settled is None and before:  # the last level is given up, and the one before has its time
        *before, last = before
        settled = _of_time(last, seconds - sum(level.seconds(sizes) for level in before), sizes, training, chosen)
    new = (*before, settled) if settled else tuple(before)
    if new == training.levels:
        return replace(training, settled=True)
    told = ", then ".join(in_short(level) for level in new) or "none"
    reason = f"training: {told}, since {seconds:.0f} s are left for it"
    return Training(new, None if new else training.spare, (*training.reasons, reason), settled=True)


def in_short(level: Level) -> str:
    """The length of a level, in words."""
    recipe = level.recipe
    what = "the last stages" if recipe.method == "stages" else "the whole network"
    views = f", {recipe.views} views of each image" if recipe.views > 1 else ""
    return f"{recipe.epochs} epoch{'s' * (recipe.epochs != 1)} of {what}{views}"


def _of_time(level: Level, seconds: float, sizes: Sizes, training: Training, chosen: Mapping[str, Any]) -> Level | None:
    """Give a level the length that the time allows; None where that is too short to be worth it."""
    method = level.recipe.method
    most = level.recipe.epochs if training.settled else MOST_EPOCHS[method]
    new = level.within(seconds, sizes, most, chosen)
    if method in ("scratch", chosen.get("method")):
        return new.at_least_one()
    return new if new.recipe.epochs >= WORTHWHILE_EPOCHS[method] else None


def _rounded_down(epochs: int) -> int:
    """Round down to one of `EPOCHS`; 0 stays 0."""
    return max((e for e in EPOCHS if e <= epochs), default=0)
