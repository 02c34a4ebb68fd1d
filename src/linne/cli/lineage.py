"""``linne lineage``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.padding import Padding

from linne.cli.options import Json, a_path, make_app, out, print_json, shown
from linne.cli.progress import Terminal

app = make_app()


@app.command()
def lineage(
    claims: Annotated[bool, typer.Option("--claims", help="Recompute what is said of the networks instead.")] = False,
    page: Annotated[
        Path | None, typer.Option("--out", help="Write the story as one HTML page.", parser=a_path, metavar="FILE")
    ] = None,
    latency: Annotated[bool, typer.Option(help="Measure a network of each paper on this machine: a minute.")] = True,
    as_json: Json = False,
) -> None:
    """Tell the story from LeNet-5 to today: ideas, counted size and cost, published accuracy, measured latency."""
    from linne.road import lineage as road

    if claims:
        found = [claim.to_json() for claim in road.claims()]
        if as_json:
            print_json(found)
            return
        for claim in found:
            out.print(f"[bold]{claim['network']}[/bold]: {claim['said']}")
            out.print(f"  counted  {claim['counted']}")
            out.print(f"  verdict  [bold]{claim['verdict']}[/bold]. {claim['note']}\n")
        return
    story = road.lineage(latency, Terminal())
    if page is not None:
        road.write_lineage(story, road.claims(), page)
    if as_json:
        print_json({**story.to_json(), "page": None if page is None else str(page)})
        return
    from linne.report.lineage import macs, milliseconds

    out.print(f"{'year':<6}{'paper':<22}{'variant':<26}{'parameters':>12}{'mult-adds':>11}{'top-1':>7}{'latency':>9}")
    for chapter in story.chapters:
        v = chapter.example
        top1 = "" if v.top1 is None else f"{v.top1:.1f}"
        numbers = f"{v.parameters:>12,}{macs(v.gmacs):>11}{top1:>7}{milliseconds(v.milliseconds):>9}"
        out.print(f"{chapter.year:<6}[bold]{chapter.name:<22}[/bold]{v.name:<26}{numbers}", soft_wrap=True)
        out.print(Padding(chapter.idea, (0, 0, 0, 6)), style="dim")
    if story.machine:
        out.print(f"latency: {story.machine}", style="dim")
    if page is not None:
        out.print(f"page     {shown(str(page))}", soft_wrap=True)
