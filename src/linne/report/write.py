"""A run to ``report.html``."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from linne.records.atomic import write_text
from linne.records.errors import printable
from linne.records.run import Run
from linne.report.charts import bar, interval
from linne.report.content import content_of


def write_report(run: Run) -> Path:
    """Write the report of a run: of its test images where these have been opened, else of validation images.

    Parameters
    ----------
    run : Run
        As it is on the disk: index, findings, split, bundle and an evaluation.

    Returns
    -------
    Path
        ``report.html``: one file, which loads nothing and runs nothing.

    Raises
    ------
    RunError, BundleError
        A record is gone or damaged; an older report still stands.
    WriteError
        It could not be written; an older report still stands.
    """
    write_text(run.report, _environment().get_template("template.html").render(content_of(run)))
    return run.report


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("linne.report", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_one_line,
    )
    environment.filters |= {"three": _three, "small": _small, "thousands": _thousands}
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


def _thousands(value: int) -> str:
    return f"{value:,}"
