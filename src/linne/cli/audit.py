"""``linne audit``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from linne.cli.decided import refuse_unused, use_audited, write_csv
from linne.cli.importing import importing
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
from linne.records.audited import Audited
from linne.records.findings import Findings
from linne.records.parquet import artefact_of

app = make_app()

FIRST = 3
"""Steps that are told in the terminal; the report has all."""


@app.command()
def audit(
    context: typer.Context,
    photos: Photos,
    path_column: PathColumn = None,
    label_column: LabelColumn = None,
    split_column: SplitColumn = None,
    label_separator: LabelSeparator = None,
    weights: Weights = None,
    network: Network = None,
    out_place: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Folder for index and findings, which `linne review` takes; with --apply, the new index.  "
            "[default: runs/NAME-audit; corrected.parquet in the folder]",
            parser=a_path,
            metavar="FOLDER",
        ),
    ] = None,
    apply: Annotated[
        bool,
        typer.Option(
            "--apply", help="PHOTOS is the folder of an audit or a run: write a new index with its decisions."
        ),
    ] = False,
    export_csv: Annotated[
        Path | None,
        typer.Option(
            help="Findings as CSV, with decisions where PHOTOS is the folder of an audit or a run.",
            parser=a_path,
            metavar="FILE",
        ),
    ] = None,
    most: Annotated[int, typer.Option("--show", help="Rows of each check in the table.", min=0)] = 10,
    seed: Seed = 0,
    cache: Cache = None,
    as_json: Json = False,
) -> None:
    """Tell what is wrong with the photos: unreadable, copies, wrong labels, dark, blurred, off topic, shortcuts, ...

    `linne review` lets a person decide on the findings; --apply gives an index with the decisions, which `linne fit`
    takes as PHOTOS.
    """
    with importing():
        from linne.road import audit as road
        from linne.road.findings_csv import refuse_existing

    if export_csv is not None:
        refuse_existing(export_csv)
    if apply or Audited(photos).is_there:
        if Audited(photos).is_there:
            refuse_unused(context, apply)
        use_audited(photos, apply, export_csv, out_place, as_json)
        return
    kept = out_place or Path("runs") / f"{_name(photos)}-audit"
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
    exported = None if export_csv is None else write_csv(kept, export_csv)
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
                "folder": str(kept),
                "report": str(Audited(kept).report),
                "csv": exported,
            }
        )
        return
    _print(findings, most)
    folder = shown(str(kept))
    out.print(
        f"kept in {folder}, with report.html\nnext    linne review {folder}    [dim]decide on them[/dim]",
        soft_wrap=True,
    )
    if exported:
        out.print(f"CSV     {shown(exported)}", soft_wrap=True)


def _name(photos: Path) -> str:
    """What to call the audit: the folder's or the file's name, and of a corrected index its folder's too."""
    place = photos.resolve()
    if place.is_dir():
        return place.name or "photos"
    return f"{place.parent.name}-{place.stem}" if artefact_of(place) == "index" else place.stem


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
