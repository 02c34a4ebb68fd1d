"""The lineage to one HTML page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader

from linne.records.atomic import write_text
from linne.records.lineage import Lineage
from linne.report.block_drawings import DRAWINGS
from linne.report.block_svg import block_svg


def render_lineage(story: Lineage, claims: Sequence[dict[str, str]], path: Path) -> Path:
    """Write the story as one file, which loads nothing and runs nothing.

    Parameters
    ----------
    story : Lineage
    claims : sequence of dict
        'network', 'said', 'counted', 'verdict', 'note' of each claim.
    path : Path

    Returns
    -------
    Path

    Raises
    ------
    WriteError
        It could not be written; an older page still stands.
    """
    environment = Environment(
        loader=PackageLoader("linne.report", "."), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"count": _count, "macs": macs, "percent": _percent, "ms": milliseconds, "svg": block_svg}
    template = environment.get_template("lineage.html")
    write_text(path, template.render(story=story, claims=claims, drawings=DRAWINGS))
    return path


def macs(gmacs: float) -> str:
    """Multiply-adds with a unit, in three digits."""
    for factor, unit in ((1.0, "G"), (1e3, "M"), (1e6, "k")):
        if gmacs * factor >= 0.9995:
            return f"{gmacs * factor:.3g} {unit}" if gmacs * factor < 999.5 else f"{gmacs * factor:.0f} {unit}"
    return f"{gmacs * 1e9:.0f}"


def milliseconds(value: float | None) -> str:
    """A latency in three digits."""
    return "" if value is None else f"{value:.0f} ms" if value >= 99.5 else f"{value:.3g} ms"


def _count(value: int) -> str:
    return f"{value:,}"


def _percent(value: Any) -> str:
    return "" if value is None else f"{value:.1f} %"
