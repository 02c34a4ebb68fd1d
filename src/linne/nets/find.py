"""Which networks meet some conditions?"""

from __future__ import annotations

from contextlib import suppress

from linne.nets.catalogue import CATALOGUE, Entry, entry
from linne.nets.catalogue.papers import PAPERS
from linne.nets.weights.published import IMAGENET, Published, pick, published
from linne.records.errors import LinneError, WeightsError


def find_networks(
    max_parameters: float | None = None,
    max_macs: float | None = None,
    family: str | None = None,
    licence: str | None = None,
    with_weights: bool = False,
) -> list[str]:
    """Filter the catalogue.

    Parameters
    ----------
    max_parameters : float, optional
        At the published number of classes.
    max_macs : float, optional
        Multiply-adds for one image of the published size.
    family : str, optional
        Part of the name of the network, of its family or of its paper; case, spaces, hyphens and underscores do not
        matter.
    licence : str, optional
        Some of its published weights have this licence, such as 'apache-2.0'; case does not matter.
    with_weights : bool
        Some weights are published.

    Returns
    -------
    list of str
        Names, oldest first.

    Raises
    ------
    LinneError
        No weights at all have this licence.
    """
    licences = {row.licence for name in CATALOGUE for row in published(name)}
    if licence is not None and licence.lower() not in licences:
        known = ", ".join(sorted(filter(None, licences)))
        remedy = f"choose one of {known}, or '' for those whose licence is not stated"
        raise LinneError("no weights have this licence", value=licence, remedy=remedy)
    return [
        name
        for name, row in CATALOGUE.items()
        if (max_parameters is None or row.parameters <= max_parameters)
        and (max_macs is None or row.gmacs * 1e9 <= max_macs)
        and (family is None or _plain(family) in _called(name, row))
        and (licence is None or any(_is_under(weights, licence) for weights in published(name)))
        and (not with_weights or published(name))
    ]


def best_weights(name: str, licence: str | None = None) -> Published | None:
    """Choose the published weights that a network is shown with.

    Parameters
    ----------
    name : str
    licence : str, optional
        As for `find_networks`.

    Returns
    -------
    Published or None
        Without a licence what 'imagenet' stands for, if there is any. Else the most accurate, of those measured at the
        network's own input size where there are some, so that accuracy and multiply-adds belong together.
    """
    if licence is None:
        with suppress(WeightsError):
            return pick(name, IMAGENET)
    rows = [row for row in published(name) if licence is None or _is_under(row, licence)]
    side = entry(name).pixels.height
    return min(rows, key=lambda row: (row.top1 is None, row.pixels.height != side), default=None)


def _is_under(weights: Published, licence: str) -> bool:
    return weights.licence == licence.lower()


def _called(name: str, row: Entry) -> str:
    return " ".join(_plain(text) for text in (name, row.family, PAPERS[row.paper].name))


def _plain(text: str) -> str:
    return text.lower().replace("-", "").replace("_", "").replace(" ", "")
