"""How training varies images: as was asked for, or as a plan says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from linne.fit.growth import Growth
from linne.fit.policy import Policy
from linne.records.errors import LinneError
from linne.records.plan import Plan
from linne.records.recipe import Augment
from linne.road.look import Material
from linne.road.outlook import Asked, mirrored


@dataclass(frozen=True)
class Variation:
    """What decides how an image looks in an epoch.

    Attributes
    ----------
    network : str
    augment : {'none', 'light', 'trivial', 'rand', 'augmix'}
    policy : Policy
    mirroring : str
        Whether images are mirrored, and why.
    growth : Growth
        The input's size in each epoch, and in validation.
    mix : bool
    seed : int
    """

    network: str
    augment: Augment
    policy: Policy
    mirroring: str
    growth: Growth
    mix: bool
    seed: int

    def in_words(self) -> list[str]:
        """A line on the input, one on the policy and one on mirroring."""
        spec, sides = self.growth.spec, (self.growth.first_side, self.growth.last_side)
        grown = ""
        if sides != (None, None):
            smallest = self.growth.at(self.growth.first)
            grown = f"; in training {smallest.width} x {smallest.height} at first"
        return [
            f"{self.network}, {spec.width} x {spec.height} pixels{grown}, seed {self.seed}",
            f"{self.augment}: {self.policy.in_words(spec)}",
            self.mirroring,
        ]


def variation_asked(material: Material, asked: Asked, augment: Augment, mix: bool, epochs: int) -> Variation:
    """As training would do it by hand: at the size of validation."""
    flip, mirroring = mirrored(material, asked)
    growth = Growth(material.choice.pixels, None, None, 1, epochs)
    return _variation(material.choice.name, augment, flip, mirroring, growth, mix, asked.seed)


def variation_planned(file: Path) -> Variation:
    """As the level of a plan does it that trains on images; `LinneError` where none does."""
    plan = Plan.read(file)
    place = next((place for place, level in enumerate(plan.levels) if level.method != "stages" and level.epochs), None)
    if place is None:
        raise LinneError(
            "varies no images: what is trained are stored activations, or the probe alone",
            file=file,
            remedy="give the plan of a run that trains every weight, or none",
        )
    level, first = plan.levels[place], 1 + sum(level.epochs for level in plan.levels[:place])
    growth = Growth(plan.pixels, level.first_side, level.last_side, first, level.epochs)
    mirroring = f"{'' if plan.flip else 'no '}mirroring: as the plan says"
    return _variation(plan.network, level.augment, plan.flip, mirroring, growth, level.mix, plan.seed)


def _variation(
    network: str, augment: Augment, flip: bool, mirroring: str, growth: Growth, mix: bool, seed: int
) -> Variation:
    policy = Policy.named(augment, flip)
    if policy.still:
        mirroring = "no mirroring: images are not varied"
    return Variation(network, augment, policy, mirroring, growth, mix, seed)
