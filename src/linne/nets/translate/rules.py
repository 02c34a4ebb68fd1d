"""How a key of another project's state dict becomes one of ours."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module

from torch import Tensor

PROJECTS = ("torchvision", "timm")


@dataclass(frozen=True, slots=True)
class Rule:
    r"""One beginning of a key.

    Attributes
    ----------
    pattern : str
        Regular expression for the beginning of their key; its groups are whole numbers, or names.
    name : str or None
        Ours, with ``{}`` for each group in turn; what follows the beginning is kept. None for a table that the
        network computes itself.
    shift : int
        Added to the first group, where they count from another number.
    layout : callable, optional
        Their tensor to ours, where the same values are laid out otherwise.
    only_with : str, optional
        A key that the state dict must have, where two variants call different things the same.
    parts : tuple of str or None
        Ends of our names, where their tensor holds several of ours, of one length each; None for what ours lacks.
    """

    pattern: str
    name: str | None
    shift: int = 0
    layout: Callable[[Tensor], Tensor] | None = None
    only_with: str = ""
    parts: tuple[str | None, ...] = ()


def translate(state: Mapping[str, Tensor], family: str, project: str) -> tuple[dict[str, Tensor], list[str]]:
    """Give a state dict our names.

    Parameters
    ----------
    state : mapping of str to Tensor
    family : str
        Module below `linne.nets.translate` with one table a project.
    project : {'torchvision', 'timm'}

    Returns
    -------
    dict of str to Tensor
        What has a rule, in our names.
    list of str
        Their keys that have no rule, or that another one has taken the name of, or whose tensor cannot be laid out as
        ours: where there are any, the state dict is not this family's.
    """
    rules = [rule for rule in rules_of(family, project) if not rule.only_with or rule.only_with in state]
    ours: dict[str, Tensor] = {}
    left: list[str] = []
    for key, value in state.items():
        found = next(((rule, match) for rule in rules if (match := re.match(rule.pattern, key))), None)
        if found is None:
            left.append(key)
            continue
        rule, match = found
        if rule.name is None:
            continue
        groups: list[str] = [group for group in match.groups() if group is not None]
        if rule.shift:
            groups[0] = str(int(groups[0]) + rule.shift)
        beginning = rule.name.format(*groups)
        try:
            values = [rule.layout(part) if rule.layout else part for part in _parts(value, rule)]
        except (RuntimeError, IndexError, ValueError):
            left.append(key)
            continue
        for end, part in zip(rule.parts or (key[match.end() :],), values, strict=True):
            if end is None:
                continue
            if beginning + end in ours:
                left.append(key)
                break
            ours[beginning + end] = part
    return ours, left


def _parts(value: Tensor, rule: Rule) -> tuple[Tensor, ...]:
    if not rule.parts:
        return (value,)
    return value.reshape(len(rule.parts), -1, *value.shape[1:]).unbind(0)


def rules_of(family: str, project: str) -> tuple[Rule, ...]:
    """Give the table of one family for one project; empty where the project does not have it."""
    try:
        tables = import_module(f"linne.nets.translate.{family}")
    except ModuleNotFoundError as error:
        if error.name != f"linne.nets.translate.{family}":
            raise
        return ()  # nobody else has it
    rules: tuple[Rule, ...] = getattr(tables, project.upper(), ())
    return rules


def vector(values: Tensor) -> Tensor:
    """One value a channel, kept with sides of 1, to a vector."""
    return values.flatten()


def matrix(values: Tensor) -> Tensor:
    """A 1x1 convolution's weight to a linear layer's; its bias as it is."""
    return values.flatten(1) if values.ndim > 1 else values
