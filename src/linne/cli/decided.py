"""What becomes of an audit that exists already: its decisions are applied, its findings are exported."""

from __future__ import annotations

from pathlib import Path

import typer

from linne.cli.options import out, print_json, shown
from linne.cli.progress import Terminal
from linne.records.audited import Audited
from linne.records.corrections import Corrections
from linne.records.errors import LinneError

USED = ("photos", "apply", "export_csv", "as_json")
"""Parameters of `linne audit` that mean something for an audit that exists already; the others are for photos."""


def refuse_unused(context: typer.Context, apply: bool) -> None:
    """Raise a usage error where options were given that an audit that exists already has no use for."""
    used = (*USED, "out_place") if apply else USED
    for parameter in context.command.params:
        name = parameter.name or ""
        source = context.get_parameter_source(name)
        if name not in used and source is not None and source.name == "COMMANDLINE":
            option = parameter.opts[0]
            needed = "needs --apply" if name == "out_place" else "is for photos"
            raise typer.BadParameter(f"{needed}; this is an audit already", param_hint=option)


def use_audited(folder: Path, apply: bool, export_csv: Path | None, out_file: Path | None, as_json: bool) -> None:
    """Apply or export, or both; `LinneError` if neither was asked for."""
    if not apply and export_csv is None:
        raise LinneError(
            "is an audit already, and holds no photos",
            file=folder,
            remedy="`linne review` lets you decide on it, --apply or --export-csv use the decisions",
        )
    said: dict[str, object] = {}
    if export_csv is not None:
        said["csv"] = write_csv(folder, export_csv)
    if apply:
        from linne.road.apply import apply as road

        corrected = road(folder, out=out_file, progress=Terminal())
        said["file"] = str(out_file or Audited(folder).corrected)
        corrections = corrected.corrections
        assert corrections is not None  # noqa: S101 - `apply` gives them
        said |= {"images": len(corrected), "classes": len(corrected.labels), "corrections": corrections.to_json()}
        if not as_json:
            _print(corrections, len(corrected), len(corrected.labels), str(said["file"]))
    if as_json:
        print_json(said)
    elif export_csv is not None:
        out.print(f"CSV  {shown(str(export_csv))}", soft_wrap=True)


def write_csv(folder: Path, file: Path) -> str:
    """Export the findings of an audited folder, and give the file's name."""
    from linne.road.findings_csv import export_csv

    export_csv(folder, file)
    return str(file)


def _print(made: Corrections, images: int, classes: int, file: str) -> None:
    out.print(
        f"{made.kept} kept, {made.relabelled} relabelled, {made.dropped} dropped; "
        f"now {images} images in {classes} classes"
    )
    for label, to in made.merged:
        out.print(f"merged   {shown(label)} into {shown(to)}", soft_wrap=True)
    for what, names in (("new", made.added), ("gone", made.removed)):
        if names:
            out.print(f"{what:<8} {shown(', '.join(names))}", soft_wrap=True)
    for subject, why in made.not_applied:
        out.print(f"note: not applied: {shown(subject)} {why}", soft_wrap=True)
    if made.test:
        changed = len({item.path for item in made.test})
        out.print(
            f"note: {changed} test images were decided on by hand; the index and every run of it say so", soft_wrap=True
        )
    command = "fit" if classes > 1 else "audit"
    out.print(f"kept in  {shown(file)}\nnext     linne {command} {shown(file)}", soft_wrap=True)
