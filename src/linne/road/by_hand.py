"""What was decided by hand and cannot be done is refused before training is measured."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from linne.choose.network import Choice
from linne.choose.network import takes as takes_inputs
from linne.fit.growth import scaled, usual_sides
from linne.fit.lanes import can_share
from linne.fit.policy import SMALL_SIDE
from linne.nets.blocks.drop_path import DropPath
from linne.records.errors import LinneError
from linne.records.pixel_spec import PixelSpec
from linne.runtime.torchrun import started_by_torchrun


def refuse_what_cannot_be(choice: Choice, chosen: Mapping[str, Any]) -> None:
    """Raise `LinneError` where settings that were `chosen` do not suit the network, its start, or each other."""
    method = chosen.get("method")
    if method is not None and (method == "scratch") == choice.pretrained:
        remedy = "leave --weights away to start from random ones" if choice.pretrained else "give pretrained --weights"
        raise LinneError(f"method cannot be {method}", remedy=remedy)
    if not choice.pretrained or method not in (None, "stages"):
        for name in ("frozen_stages", "views"):
            if name in chosen and (name, chosen[name]) != ("views", 1):
                remedy = "leave it away, or give pretrained --weights and no method but stages"
                raise LinneError(f"{name} is for training the last stages alone", value=chosen[name], remedy=remedy)
    deepest = len(choice.network.stages()) - 1  # type: ignore[operator]
    if not 1 <= chosen.get("frozen_stages", 1) <= deepest:
        remedy = f"give 1 to {deepest}; the method whole freezes none"
        raise LinneError("frozen_stages is out of range", value=chosen["frozen_stages"], remedy=remedy)
    if chosen.get("views", 1) > 1 and chosen.get("augment") == "none":
        raise LinneError("views vary images", value=chosen["views"], remedy="give one view, or another --augment")
    if chosen.get("views", 1) > 1 and started_by_torchrun():
        raise LinneError("several views are made by one process", value=chosen["views"], remedy="give --set views=1")
    if chosen.get("lanes", 1) > 1 and started_by_torchrun():
        raise LinneError("several processes have one of the lanes each", value=chosen["lanes"], remedy="leave it away")
    refuse_what_the_network_lacks(choice, chosen.get("lanes", 1), chosen.get("drop_path"))
    _refuse_sides(choice, chosen)


def refuse_what_the_network_lacks(
    choice: Choice, lanes: int, drop_path: float | None, file: Path | None = None
) -> None:
    """Raise where lanes, or stochastic depth, would do nothing in a network; `file` is the plan that says so."""
    if lanes > 1 and not can_share(choice.network, choice.pretrained):
        why = "batch norms that train see the whole batch: lanes must be one"
        raise LinneError(why, file=file, value=lanes, remedy="leave it away")
    if drop_path and not any(isinstance(part, DropPath) for part in choice.network.modules()):
        why = "drop_path is for networks with residual branches"
        raise LinneError(why, file=file, value=drop_path, remedy="leave it away, or take another network")


def _refuse_sides(choice: Choice, chosen: Mapping[str, Any]) -> None:
    """Raise where an input of a side that was chosen does not go through the network, or would have to shrink."""
    if not chosen.keys() & {"first_side", "last_side"}:
        return
    pixels = choice.pixels
    for name in ("first_side", "last_side"):
        if chosen.get("method") in ("stages", "probe") and chosen.get(name) is not None:
            remedy = "leave it away, or --set method=whole"
            raise LinneError(f"{name} is for training from images", value=chosen[name], remedy=remedy)
    full = min(pixels.height, pixels.width)
    planned = (sides_of(choice) if choice.pretrained else None) or (None, None)
    first, last = chosen.get("first_side", planned[0]), chosen.get("last_side", planned[1]) or full
    if "first_side" in chosen and first is not None and first > last:
        raise LinneError("first_side is above last_side", value=first, remedy=f"give {last} or less, or both")
    for name in ("first_side", "last_side"):
        side = chosen.get(name)
        if side is not None and not takes(choice.network, pixels, side):
            raise LinneError(f"the network takes no {name} like that", value=side, remedy="give another, or none")


def sides_of(choice: Choice) -> tuple[int, int] | None:
    """The sides that inputs grow from and to where nothing was chosen, if the network takes them."""
    pixels = choice.pixels
    if min(pixels.height, pixels.width) <= SMALL_SIDE:
        return None
    sides = usual_sides(pixels)
    return sides if all(takes(choice.network, pixels, side) for side in sides) else None


def takes(network: nn.Module, pixels: PixelSpec, side: int) -> bool:
    """Whether inputs of that shape, whose shorter side is `side`, go through a network."""
    return takes_inputs(network, scaled(pixels, side))
