"""The lineage to one HTML page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, PackageLoader

from linne.records.atomic import write_text
from linne.records.lineage import Lineage, Variant
from linne.report.block_drawings import DRAWINGS
from linne.report.block_svg import block_svg

TITLE = "The lineage \N{EN DASH} Linne"

BEGINNING = '<!doctype html>\n<html lang="en">\n<head>\n<meta name="generator" content="linne lineage">\n'
"""What no page has that somebody else has written."""


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
    environment.filters |= {"count": _count, "macs": macs, "top1": _top1, "ms": milliseconds, "svg": block_svg}
    template = environment.get_template("lineage.html")
    write_text(path, template.render(title=TITLE, story=story, claims=claims, drawings=DRAWINGS))
    return path


def is_lineage(path: Path) -> bool:
    """Whether a file is such a page: from its beginning to its end."""
    try:
        content = path.read_bytes() if path.is_file() else b""
    except OSError:
        return False
    return content.startswith(BEGINNING.encode()) and content.rstrip().endswith(b"</html>")


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


def _top1(variant: Variant) -> str:
    """Accuracy, with the image size where it was measured at another than multiply-adds are counted at."""
    if variant.top1 is None:
        return ""
    at = "" if variant.top1_pixels in (None, variant.side) else f" @{variant.top1_pixels}"
    return f"{variant.top1:.1f} %{at}"
