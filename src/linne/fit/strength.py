"""How hard should training images be varied? By how many there are, and how often each is seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from linne.records.recipe import Augment, Method, Recipe

MANY = 1000
"""Images of a class, in the median, from which on a pretrained network hardly learns them by heart."""

HARD_FROM = 20
"""Epochs from which on a pretrained network is shown hard changes, where a class has fewer than `MANY` images."""

HARD_FROM_MANY = 40
"""The same where it has more. This and the next two are more than is ever planned (`levels.MOST_EPOCHS`): they are for
epochs that are chosen by hand."""

HARD_FROM_SCRATCH = 100
"""The same for a network that starts at random, and has to learn to see at all first."""

MIXED_FROM = 80
"""Epochs from which on images are mixed."""

MIXED_FEWEST = 200
"""Images of a class, in the median, below which a pretrained network is not shown mixed ones."""


class Strength(NamedTuple):
    """What `augment_for` decides; `reason` is one sentence."""

    augment: Augment
    mix: bool
    reason: str


def augment_for(images_per_class: float, epochs: float, method: Method, mirrored: bool = True) -> Strength:
    """Decide how hard to vary training images, before a measurement on the very images says better.

    Parameters
    ----------
    images_per_class : float
        Training images of a class, in the median of classes.
    epochs : float
        How often each image will be seen.
    method : {'whole', 'scratch'}
        Stored activations vary by their views alone.
    mirrored : bool
        Whether a mirrored image keeps its label. Where it does not, one that is turned by up to 135 degrees, as
        TrivialAugment may do, need not keep it either, and is not shown.

    Returns
    -------
    Strength
        The policy's name, whether batches are mixed, and why.

    Notes
    -----
    More epochs never mean less of anything. The thresholds are read from what others found and do; none of these
    sources has the very numbers:

    - Steiner, Kolesnikov, Zhai, Wightman, Uszkoreit, Beyer: "How to train your ViT?", TMLR 2022 (arXiv 2106.10270):
      from a random start augmentation helps on ImageNet-1k, with 1,300 images a class and 300 epochs; with
      ten times the images and 30 epochs it hurts all but the largest networks, and helps again once these are seen 300
      times. Its transfers to small data sets use crops and mirror images alone.
    - Wightman, Touvron, Jégou: "ResNet strikes back" (arXiv 2110.00476): RandAugment, MixUp and CutMix for
      100, 300 and 600 epochs from a random start, the weakest for the shortest.
    - Howard, Gugger: "Deep Learning for Coders with fastai and PyTorch", O'Reilly 2020, chapter 7: MixUp is in all
      leading results on Imagenette for more than 80 epochs, and in none for fewer. fastai's `aug_transforms` (crop,
      mirror image, 10 degrees, a little light) are the same for any length.
    - Kolesnikov et al.: "Big Transfer", ECCV 2020 (arXiv 1912.11370), whose HyperRule takes no MixUp where fewer than
      20,000 images are fine-tuned on, which for a hundred classes is 200 a class.
    - AutoGluon's multimodal predictor fine-tunes with TrivialAugment by default.
    """
    scratch = method == "scratch"
    often = HARD_FROM_SCRATCH if scratch else HARD_FROM_MANY if images_per_class >= MANY else HARD_FROM
    seen = f"each image is seen {epochs:.0f} time{'s' * (round(epochs) != 1)}, with {images_per_class:.0f} a class"
    if epochs < often:
        return Strength("light", False, f"images vary lightly: {seen}, and hard changes begin at {often} times")
    mix = epochs >= MIXED_FROM and (scratch or images_per_class >= MIXED_FEWEST)
    mixed = "images and labels are mixed, too" if mix else "they are not mixed"
    if not mirrored:
        return Strength("light", mix, f"images vary lightly: turned far, they might not keep their label; {mixed}")
    return Strength("trivial", mix, f"images vary hard: {seen}; {mixed}")


def varied(
    recipe: Recipe, images_per_class: float, mirrored: bool, chosen: Mapping[str, Any]
) -> tuple[Recipe, tuple[str, ...]]:
    """Let the images of a level vary as suits its length, unless that was `chosen` by hand; with the reason.

    A level on stored activations stays as it is.
    """
    if recipe.method == "stages":
        return recipe, ()
    if chosen.keys() & {"augment", "mix"}:
        return recipe, ("images vary as was chosen by hand",)
    augment, mix, reason = augment_for(images_per_class, recipe.epochs, recipe.method, mirrored)
    return replace(recipe, augment=augment, mix=mix), (reason,)
