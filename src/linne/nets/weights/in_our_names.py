"""A state dict of anybody's in our names, made whole and rid of what is for training only."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import torch
from torch import Tensor

from linne.nets.catalogue import CATALOGUE, Entry, entry
from linne.nets.shapes import on_meta
from linne.nets.translate.rules import PROJECTS, translate

AUXILIARY, COUNTER = "auxiliary.", ".num_batches_tracked"
"""How keys of heads that are for training only begin, and how those of batch norms' counters end."""

WRAPPERS = ("module.", "_orig_mod.")


def unwrapped(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Take the names apart that `DataParallel` and `torch.compile` put around a network's."""
    while state and (wrapper := next((w for w in WRAPPERS if all(key.startswith(w) for key in state)), "")):
        state = {key.removeprefix(wrapper): value for key, value in state.items()}
    return state


def in_our_names(state: dict[str, Tensor], row: Entry) -> Iterator[tuple[str, dict[str, Tensor]]]:
    """Take the names for each project's in turn; give the project and the state dict, where it could be its."""
    yield "linne", state
    if row.family == "timm":
        yield "timm", timm_names(state, row)
        return
    for project in PROJECTS:
        ours, left = translate(state, row.family, project)
        if not left:
            yield project, ours


def timm_names(state: dict[str, Tensor], row: Entry) -> dict[str, Tensor]:
    """Give the state dict of any of timm's networks the names of `linne.nets.timm_network.Network`."""
    from linne.nets.timm_catalogue import translated  # timm takes seconds to import

    return translated(state, row.timm)


def with_counters(ours: dict[str, Tensor], wanted: dict[str, torch.Size]) -> dict[str, Tensor]:
    """Add what a file from before PyTorch 0.4.1 lacks: how many batches each batch norm has seen, which is not used."""
    counters = {key for key in wanted if key.endswith(COUNTER)}
    if any(key.endswith(COUNTER) for key in ours) or wanted.keys() - ours.keys() != counters:
        return ours
    return ours | {key: torch.tensor(0) for key in counters}


def without_auxiliary_heads(ours: dict[str, Tensor], wanted: dict[str, torch.Size], name: str) -> dict[str, Tensor]:
    """Leave auxiliary heads out where the variant has none, and another of its family has these."""
    if not any(key.startswith(AUXILIARY) for key in ours) or any(key.startswith(AUXILIARY) for key in wanted):
        return ours
    family = [(other, row) for other, row in CATALOGUE.items() if row.family == CATALOGUE[name].family]
    for_training = {key for other, row in family for key in shapes_of(other, row.classes, row.pixels.channels, False)}
    return {key: value for key, value in ours.items() if not (key.startswith(AUXILIARY) and key in for_training)}


@cache
def shapes_of(name: str, classes: int, in_channels: int, new_head: bool) -> dict[str, torch.Size]:
    """Give the shapes of a network's state; `new_head`: with the classifier that `replace_head` puts in."""
    network = on_meta(entry(name), classes, in_channels)
    if new_head:
        with torch.device("meta"):
            network.replace_head(classes)  # type: ignore[operator]
    return {key: value.shape for key, value in network.state_dict().items()}
