"""Templates to a page: names never break it, and every number is written in one way."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from linne.records.atomic import write_text
from linne.records.errors import printable
from linne.report.charts import bar, interval


def write_page(path: Path, template: str, content: dict[str, Any]) -> None:
    """Lay out plain values by a template of this room, as one file.

    Raises
    ------
    WriteError
        It could not be written; what stood there before still stands.
    """
    write_text(path, _environment().get_template(template).render(content))


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("linne.report", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_one_line,
    )
    environment.filters |= {"three": _three, "small": _small, "thousands": _thousands, "percent": _percent}
    environment.globals |= {"bar": bar, "interval": interval}
    return environment


def _one_line(value: Any) -> Any:
    """Whatever a name holds, nothing invisible comes into the page: line breaks, marks that turn the text around."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _three(value: float | None) -> str:
    """Three decimals; a dash where there is no number."""
    return "-" if value is None or not math.isfinite(value) else f"{value:.3f}"


def _small(value: float) -> str:
    """Two digits of a number that three decimals would make zero."""
    return f"{value:.1e}" if 0 < abs(value) < 0.001 else _three(value)


def _thousands(value: float) -> str:
    return f"{value:,.0f}"


def _percent(value: float) -> str:
    return f"{value:.1%}"
