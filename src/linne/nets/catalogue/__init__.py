"""Every network by name: literal tables, which import no torch.

A new size is a row here; a changed forward pass is a new file. Where the form in use today differs from the paper's,
the plain name is today's, and the paper's carries its year: ``alexnet``, ``alexnet_2012``.
"""

from __future__ import annotations

from difflib import get_close_matches

from linne.nets.catalogue import early, hybrid, mobile, modern, residual
from linne.nets.catalogue.row import Entry as Entry
from linne.records.errors import LinneError

_TABLES = (early.ROWS, residual.ROWS, mobile.ROWS, modern.ROWS, hybrid.ROWS)

CATALOGUE: dict[str, Entry] = dict(
    sorted((row for table in _TABLES for row in table.items()), key=lambda row: row[1].year)
)


def names() -> list[str]:
    """List the networks that `create` builds, oldest first."""
    return list(CATALOGUE)


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, name.lower()))


def entry(name: str) -> Entry:
    """Look a network up, one of timm's too where the name begins with 'timm:'.

    `LinneError` that suggests the nearest names if there is none.
    """
    if not isinstance(name, str):
        raise LinneError("a network's name is text", value=name, remedy="`linne nets` lists them")
    if name.startswith("timm:"):
        from linne.nets.timm_catalogue import timm_entry  # here, so that a look at the catalogue imports no torch

        return timm_entry(name)
    if name in CATALOGUE:
        return CATALOGUE[name]
    elsewhere = {theirs: ours for ours, row in CATALOGUE.items() for theirs in (row.torchvision, row.timm) if theirs}
    known = [*CATALOGUE, *elsewhere]
    same = [found for found in known if _letters(found) == _letters(name)]  # mobilenetv2 is mobilenet_v2
    near = same + get_close_matches(name.lower(), known, n=5, cutoff=0.7)
    near = list(dict.fromkeys(found if found in CATALOGUE else elsewhere[found] for found in near))[:3]
    remedy = f"did you mean {' or '.join(near)}?" if near else "`linne nets` lists them"
    raise LinneError("no such network", value=name, remedy=remedy)
