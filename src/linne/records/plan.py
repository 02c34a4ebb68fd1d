"""What a fit will do and why, resolved before the first step."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from linne.records.pixel_spec import PixelSpec

Method = Literal["probe", "stages", "whole", "scratch"]
Precision = Literal["float32", "bfloat16"]
Automatic = Literal["trivial", "rand", "augmix"]
Augment = Literal["none", "light"] | Automatic
AUGMENTS: tuple[Augment, ...] = ("none", "light", "trivial", "rand", "augmix")


@dataclass(frozen=True, slots=True)
class Plan:
    """Every decision of a fit.

    Attributes
    ----------
    network : str
        Catalogue name.
    weights : str or None
        File of the pretrained weights; None trains from random weights.
    weights_fingerprint : str
        Digest of the pretrained weights; empty without any.
    pixels : PixelSpec
    method : {'probe', 'stages', 'whole', 'scratch'}
        'probe': a linear classifier on frozen features. 'stages': the probe, then the last stages on cached
        activations of the frozen ones. 'whole': the probe, then every weight, from augmented images.
        'scratch': every weight from a random start.
    frozen_stages : int
        Stages of the network that stay as they are.
    epochs : int
        Passes over the training images after the probe; 0 for 'probe'.
    batch_size : int
    precision : {'float32', 'bfloat16'}
        Of products in training; weights and sums stay float32.
    learning_rate : float
        Peak of the schedule.
    weight_decay, label_smoothing : float
    flip : bool
        Whether a mirrored image keeps its label.
    augment : {'none', 'light', 'trivial', 'rand', 'augmix'}
        How training images are varied: not at all; by crops and a little colour; by crops, TrivialAugment or
        RandAugment, and random erasing; by crops and AugMix. Without effect where stored activations are trained on.
    mix : bool
        Mix images of a batch, and their labels, by MixUp or CutMix.
    seed : int
    budget : float or None
        Seconds for the whole run, from its start.
    reasons : tuple of str
        One sentence a decision.
    """

    network: str
    weights: str | None
    weights_fingerprint: str
    pixels: PixelSpec
    method: Method
    frozen_stages: int
    epochs: int
    batch_size: int
    precision: Precision
    learning_rate: float
    weight_decay: float
    label_smoothing: float
    flip: bool
    augment: Augment
    mix: bool
    seed: int
    budget: float | None
    reasons: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "pixels": self.pixels.to_json(), "reasons": list(self.reasons)}
