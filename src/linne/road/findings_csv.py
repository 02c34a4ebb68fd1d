"""``--export-csv``: findings and decisions for those who work elsewhere."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from os import PathLike
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from linne.records.atomic import replacing
from linne.records.audited import Audited, Examined, read_audited
from linne.records.decision_log import DecisionLog
from linne.records.digests import digest_name
from linne.records.errors import WriteError
from linne.records.standing import Ruling, Standing

COLUMNS = (
    *("path", "other", "check", "score", "reason", "label", "suggestion", "remedy", "test"),
    *("decision", "new_label", "who", "when", "why"),
)

_FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""What a spreadsheet takes for the start of a formula, with the full-width signs that some turn into plain ones."""


def export_csv(folder: str | PathLike[str], file: str | PathLike[str]) -> int:
    """Write the findings of an audited folder as CSV, a row each, with the decisions on them.

    A text that a spreadsheet would run as a formula gets an apostrophe before it.

    Parameters
    ----------
    folder : path
        Of `linne.audit`, or of a run.
    file : path
        Must not exist: it may be one that somebody has worked on.

    Returns
    -------
    int
        Rows.

    Raises
    ------
    LinneError
        The folder is no audit, or the file exists.
    """
    audited, place = Audited(Path(folder)), Path(file)
    refuse_existing(place)
    examined, standing = read_audited(audited), Standing()
    if audited.decisions.exists():
        with DecisionLog(audited.decisions) as log:
            standing = log.standing
    # With a byte order mark: without one Excel takes UTF-8 for the code page of the country.
    with replacing(place) as part, part.open("w", encoding="utf-8-sig", newline="") as out:
        # All in quotes: some readers quote by rules of their own, and would end a cell at a tab or a lone line end.
        writer = csv.writer(out, quoting=csv.QUOTE_ALL)
        writer.writerow(COLUMNS)
        for row in _rows(examined, standing):
            writer.writerow([cell if isinstance(cell, float) else _as_cell(cell) for cell in row])
    return len(examined.findings.rows)


def refuse_existing(place: Path) -> None:
    """Raise where a file would be overwritten."""
    if place.exists() or not place.name:
        raise WriteError("exists already, and is left as it is", file=place, remedy="choose another --export-csv")


def _rows(examined: Examined, standing: Standing) -> Iterator[tuple[str | float, ...]]:
    found = examined.findings.rows
    rows = pc.index_in(pa.array([row.path for row in found], pa.large_string()), examined.index.paths).to_pylist()
    for finding, row in zip(found, rows, strict=True):
        digest = "" if row is None else digest_name(examined.digest[row])
        ruling = ruling_on(standing, finding.check, finding.path, digest, finding.label)
        about = (finding.path, finding.other, finding.check, round(finding.score, 6), finding.reason)
        test = "yes" if row is not None and examined.test[row] else ""
        said = ("", "", "", "", "")
        if ruling is not None:
            decision, act = ruling
            said = (decision.action, decision.to, act.who, act.when, act.why)
        yield (*about, finding.label, finding.suggestion, finding.remedy, test, *said)


def ruling_on(standing: Standing, check: str, path: str, digest: str, label: str) -> Ruling | None:
    """Find the answer to a finding, or else the ruling by which its image goes whatever the answer."""
    answer = standing.answer(check, path, digest, label)
    return answer or (standing.fate(path, digest).gone if path else None)


def _as_cell(text: str) -> str:
    """Give a text that no spreadsheet runs; many readers end at a NUL."""
    text = text.replace("\0", "\\x00")
    return f"'{text}" if text.startswith(_FORMULA) else text
