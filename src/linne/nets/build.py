"""A name to a network."""

from __future__ import annotations

from dataclasses import fields
from importlib import import_module
from numbers import Integral, Real
from os import PathLike

from torch import nn

from linne.nets.catalogue import Entry, entry
from linne.records.errors import LinneError, WeightsError

MOST = 10**6
"""Classes or channels: more are a mistake."""


def create(
    name: str,
    classes: int | None = None,
    weights: str | PathLike[str] | None = None,
    in_channels: int | None = None,
    drop_path: float | None = None,
) -> nn.Module:
    """Build a network of the catalogue.

    Parameters
    ----------
    name : str
        One of `linne.nets.names()`, or "timm:NAME" for any network of timm.
    classes : int, optional
        Outputs; by default those of the weights, or else of the published network.
    weights : path or str, optional
        'imagenet' for the best published weights that may be shipped, 'imagenet:TAG' or a tag for others (fetched if
        they are not here yet); or a file in linne's, torchvision's or timm's naming. If their classes are not
        `classes`, their classifier is left out and a random one is put in place. Without weights the network is
        random, drawn from torch's generator.
    in_channels : int, optional
        Channels of the input; by default those of the weights, or else of the published network.
    drop_path : float, optional
        Stochastic depth: the probability in [0, 1) that the last residual branch is left out for an image in training,
        rising from 0 at the first (LeViT: the same at each); by default 0.

    Returns
    -------
    torch.nn.Module
        In evaluation mode; it keeps `linne.nets.contract.Network`.

    Raises
    ------
    LinneError
        No such network, or a number of classes or channels that none can have.
    WeightsError
        The weights cannot be fetched or read, or are for another network or other channels.
    """
    found = entry(name)
    for what, number in (("classes", classes), ("in_channels", in_channels)):
        whole = isinstance(number, Integral) and not isinstance(number, bool)
        if number is not None and not (whole and 1 <= number <= MOST):
            raise LinneError(f"{what} must be a whole number from 1 to {MOST}", value=number)
    if weights is None:
        return build(found, classes or found.classes, in_channels or found.pixels.channels, drop_path).eval()

    from linne.nets.weights.locate import locate

    given = locate(weights, name).read(name)
    if in_channels not in (None, given.in_channels):
        raise WeightsError(f"reads {given.in_channels} channels, not {in_channels}", file=weights)
    network = given.build(drop_path)
    if classes is not None and classes != given.classes:
        network.replace_head(classes)  # type: ignore[operator]
    return network.eval()


def build(found: Entry, classes: int, in_channels: int, drop_path: float | None = None) -> nn.Module:
    """Build the network of one row, with random weights; `drop_path` None for what the row says, or 0."""
    module = "timm_network" if found.family == "timm" else f"families.{found.family}"
    family = import_module(f"linne.nets.{module}")
    settings = {**found.settings, "classes": classes, "in_channels": in_channels}
    if drop_path is not None:
        if "drop_path" not in {field.name for field in fields(family.Config)}:
            raise LinneError("the network has no residual branches that could be left out", value=found.family)
        if not isinstance(drop_path, Real) or not 0 <= drop_path < 1:
            raise LinneError("drop_path must lie in [0, 1)", value=drop_path)
        settings["drop_path"] = drop_path
    network: nn.Module = family.Network(family.Config(**settings))
    return network
