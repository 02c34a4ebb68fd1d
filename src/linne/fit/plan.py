"""What a fit will do, decided from measured speed before the first step."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from linne.fit.throughput import Rate
from linne.records.errors import LinneError
from linne.records.plan import Method, Precision

EPOCHS = (1, 2, 3, 4, 6, 8, 12, 16, 20, 30, 40, 60)
"""Few lengths, so that a small change of speed is no change of plan."""

MOST_EPOCHS: dict[Method, int] = {"stages": 12, "whole": 20, "scratch": 60}
"""Past these, validation gains little (docs/rooms/fit.md)."""

WORTHWHILE_EPOCHS: dict[Method, int] = {"stages": 3, "whole": 8, "scratch": 1}
"""With fewer, a cheaper way of training gains more: the probe beats a tail of one epoch (docs/rooms/fit.md)."""

LEARNING_RATES: dict[Method, float] = {"probe": 0.0, "stages": 1e-3, "whole": 3e-4, "scratch": 2e-3}

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
class Training:
    """How to train after the probe; see `linne.records.plan.Plan`.

    `settled` says that the number of epochs is that of the time that was really left, in this run or an earlier one.
    """

    method: Method
    frozen_stages: int
    epochs: int
    precision: Precision
    images_per_second: float
    reasons: tuple[str, ...]
    settled: bool = False


def plan_training(outlook: Outlook, stages: int) -> Training:
    """Choose how deep and how long to train within the time left.

    Parameters
    ----------
    outlook : Outlook
    stages : int
        Stages of the network.

    Raises
    ------
    LinneError
        The time does not suffice for the least that there is to do.
    """
    refuse_if_too_short(outlook)
    if not outlook.pretrained:
        return _from_scratch(outlook)
    if outlook.whole_rate is not None:
        affordable = _affordable(outlook, outlook.whole_rate, "whole")
        if affordable >= WORTHWHILE_EPOCHS["whole"]:
            return _training("whole", outlook.whole_rate, affordable, outlook)
    held = [r for r in outlook.stage_rates if r.activation_size * 2 * outlook.images <= MOST_ACTIVATION_BYTES]
    for rate in reversed(held):  # the deepest first
        affordable = _affordable(outlook, rate, "stages")
        if affordable >= WORTHWHILE_EPOCHS["stages"]:
            return _training("stages", rate, affordable, outlook)
    if held and outlook.seconds_left and _seconds_without_training(outlook, held[0]) <= outlook.seconds_left:
        tail = held[0]
        reason = f"the probe, then training from stage {tail.frozen_stages + 1} on if it leaves time for that"
        return Training("stages", tail.frozen_stages, 0, tail.precision, tail.images_per_second, (reason,))
    reason = "the time left holds no training" if held else "the activations of so many images do not fit in memory"
    return Training("probe", stages, 0, "float32", 0.0, (f"the probe only: {reason}",))


def settle(training: Training, seconds: float, train_images: int, validation_images: int) -> Training:
    """Plan as many epochs as the seconds that are really left hold, once all but training is done.

    Estimates are on the safe side, so there is often time for more than was planned. An earlier run's settled
    training is shortened at most: the same command gives the same numbers. From a random start at least one epoch
    remains, which the deadline cuts: there is no probe to fall back on.
    """
    if training.method == "probe":
        return training
    fit = epochs_within(seconds, training.images_per_second, train_images, validation_images)
    most = training.epochs if training.settled else MOST_EPOCHS[training.method]
    if training.epochs <= fit and training.settled:
        return training
    epochs = _rounded_down(min(fit, most))
    if training.method == "scratch":
        epochs = max(epochs, 1)
    elif training.method == "stages" and epochs < WORTHWHILE_EPOCHS["stages"]:
        epochs = 0
    if epochs == training.epochs:
        return replace(training, settled=True)
    reason = f"{epochs} instead of {training.epochs} epochs: {seconds:.0f} s are left for training"
    return replace(training, epochs=epochs, settled=True, reasons=(*training.reasons, reason))


def epochs_within(seconds: float, rate: float, train_images: int, validation_images: int) -> int:
    """Whole epochs that fit in some seconds at `rate` training images a second."""
    return int(seconds / (train_images / rate + validation_images / (VALIDATION_SPEED * rate)))


def _rounded_down(epochs: int) -> int:
    """Round down to one of `EPOCHS`; 0 stays 0."""
    return max((e for e in EPOCHS if e <= epochs), default=0)


def refuse_if_too_short(outlook: Outlook) -> None:
    """Raise `LinneError` where the time left does not suffice for what must be done in any case."""
    least = outlook.embed_seconds[None] + outlook.other_seconds
    if outlook.seconds_left is not None and least > TOLERANCE * outlook.seconds_left:
        raise _too_short(outlook, least)


def _too_short(outlook: Outlook, needed: float) -> LinneError:
    least = outlook.seconds_spent + needed
    return LinneError(
        "the budget is too short",
        value=f"{max(outlook.seconds_left or 0, 0):.0f} s left, and about {needed:.0f} s needed",
        remedy=f"give --budget {math.ceil(1.1 * least) + 1}s or more",
    )


def _from_scratch(outlook: Outlook) -> Training:
    rate = outlook.whole_rate
    if rate is None:
        raise AssertionError("training from scratch needs a measured rate")
    affordable = _affordable(outlook, rate, "scratch")
    if affordable == 0:
        of_validation = outlook.validation_images / VALIDATION_SPEED
        epoch = (outlook.train_images + of_validation) / rate.images_per_second
        raise _too_short(outlook, outlook.embed_seconds[None] + outlook.other_seconds + epoch)
    return _training("scratch", rate, affordable, outlook)


def _affordable(outlook: Outlook, rate: Rate, method: Method) -> int:
    """Epochs that the time allows, up to where more stop to pay."""
    if outlook.seconds_left is None:
        return MOST_EPOCHS[method]
    seconds = outlook.seconds_left - _seconds_without_training(outlook, rate)
    fit = epochs_within(seconds, rate.images_per_second, outlook.train_images, outlook.validation_images)
    return _rounded_down(min(fit, MOST_EPOCHS[method]))


def _seconds_without_training(outlook: Outlook, rate: Rate) -> float:
    return outlook.embed_seconds[rate.frozen_stages or None] + outlook.other_seconds


def _training(method: Method, rate: Rate, epochs: int, outlook: Outlook) -> Training:
    seconds = epochs * outlook.train_images / rate.images_per_second
    what = {
        "stages": f"training from stage {rate.frozen_stages + 1} on, on stored activations of the frozen ones",
        "whole": "training every weight from augmented images",
        "scratch": "training every weight from a random start, from augmented images",
    }[method]
    reasons = [
        f"{what}: {epochs} epoch{'s' * (epochs != 1)}, about {seconds:.0f} s "
        f"at a measured {rate.images_per_second:.0f} images/s"
    ]
    if rate.precision == "bfloat16":
        reasons.append("products in bfloat16: measured to be faster here")
    return Training(method, rate.frozen_stages, epochs, rate.precision, rate.images_per_second, tuple(reasons))
