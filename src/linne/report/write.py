"""A run, or an audit, to ``report.html``."""

from __future__ import annotations

from pathlib import Path

from linne.records.findings import Findings
from linne.records.index import Index
from linne.records.pixel_spec import PixelSpec
from linne.records.run import Run
from linne.report.audited import audit_content_of
from linne.report.content import content_of
from linne.report.page import write_page


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
    write_page(run.report, "run.html", content_of(run))
    return run.report


def write_audit_report(path: Path, index: Index, findings: Findings, pixels: PixelSpec | None) -> Path:
    """Write the report of an audit.

    Parameters
    ----------
    path : Path
        Of the file, one page as above.
    index : Index
    findings : Findings
        Of this index.
    pixels : PixelSpec or None
        What the network makes of each image, where one was chosen.

    Returns
    -------
    Path

    Raises
    ------
    WriteError
        It could not be written; an older report still stands.
    """
    write_page(path, "audit.html", audit_content_of(index, findings, pixels))
    return path
