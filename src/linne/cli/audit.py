"""``linne audit``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from linne.cli.options import (
    Cache,
    Json,
    LabelColumn,
    LabelSeparator,
    Network,
    PathColumn,
    Photos,
    Seed,
    SplitColumn,
    Weights,
    a_path,
    columns_of,
    make_app,
    out,
    print_json,
    shown,
)
from linne.cli.progress import Terminal
from linne.records.findings import Findings

app = make_app()

FIRST = 3
"""Steps that are told in the terminal; the report has all."""


@app.command()
def audit(
    photos: Photos,
    path_column: PathColumn = None,
    label_column: LabelColumn = None,
    split_column: SplitColumn = None,
    label_separator: LabelSeparator = None,
    weights: Weights = None,
    network: Network = None,
    out_file: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Parquet of the findings; a report is written beside it.  [default: runs/NAME-findings.parquet]",
            parser=a_path,
            metavar="FILE",
        ),
    ] = None,
    most: Annotated[int, typer.Option("--show", help="Rows of each check in the table.", min=0)] = 10,
    seed: Seed = 0,
    cache: Cache = None,
    as_json: Json = False,
) -> None:
    """Tell what is wrong with the photos: unreadable, copies, wrong labels, dark, blurred, off topic, shortcuts, ..."""
    from linne.road import audit as road

    place = photos.resolve()
    name = place.stem if place.is_file() else place.name
    kept = out_file or Path("runs") / f"{name or 'photos'}-findings.parquet"
    findings = road.audit(
        photos,
        columns=columns_of(path_column, label_column, split_column, label_separator),
        weights=weights,
        network=network,
        cache=cache,
        out=kept,
        seed=seed,
        progress=Terminal(),
    )
    report = road.report_of(kept)
    if as_json:
        rows = [asdict(row) for row in findings.rows]
        noise = None if findings.noise is None else asdict(findings.noise)
        print_json(
            {
                "counts": findings.counts(),
                "first": [asdict(step) for step in findings.first],
                "findings": rows,
                "label_noise": noise,
                "notes": findings.notes,
                "file": str(kept),
                "report": str(report),
            }
        )
        return
    _print(findings, most)
    out.print(f"kept in {shown(str(kept))}\nreport  {shown(str(report))}", soft_wrap=True)


def _print(findings: Findings, most: int) -> None:
    table = Table("check", "score", "image", "reason", "do", box=None, pad_edge=False)
    for check, count in findings.counts().items():
        rows = [row for row in findings.rows if row.check == check]
        for row in rows[:most]:
            image = row.path if not row.other else f"{row.path} = {row.other}"
            table.add_row(check, f"{row.score:.2f}", *map(shown, (image, row.reason, row.remedy)))
        if count > most:
            table.add_row(check, "", f"... and {count - most} more", "", "")
    if findings.rows:
        out.print(table)
    counts = ", ".join(f"{count} {check}" for check, count in findings.counts().items())
    out.print(f"\n{counts or 'nothing found'}")
    if findings.noise is not None:
        out.print(shown(str(findings.noise)), soft_wrap=True)
    for note in findings.notes:
        out.print(f"note: {shown(note)}", soft_wrap=True)
    if findings.first:
        out.print("\nwhat to do first, by the share of images that are expected to count for more:")
    for number, step in enumerate(findings.first[:FIRST], 1):
        out.print(f"{number}. {shown(str(step))}", soft_wrap=True)
