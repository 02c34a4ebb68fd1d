"""``linne lineage``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.padding import Padding

from linne.cli.numbers import accuracy, short
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

    if claims and page is not None:
        raise typer.BadParameter("the page has story and claims: leave out --claims", param_hint="--out")
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
    if page is not None:
        road.place_of_page(page)  # before a minute is spent
    story = road.lineage(latency, Terminal())
    if page is not None:
        road.write_lineage(story, road.claims(), page)
    if as_json:
        print_json({**story.to_json(), "page": None if page is None else str(page)})
        return
    from linne.report.lineage import milliseconds

    header = f"{'year':<5}{'paper':<22}{'variant':<25}{'params':>6}{'macs':>6} {'top-1':<10}"
    out.print(f"{header}{'ms':>5}" if story.machine else header.rstrip(), soft_wrap=True)
    for chapter in story.chapters:
        v = chapter.example
        numbers = f"{short(v.parameters):>6}{short(1e9 * v.gmacs):>6} {accuracy(v.top1, v.top1_pixels, v.side):<10}"
        here = milliseconds(v.milliseconds).removesuffix(" ms")
        row = f"{chapter.year:<5}[bold]{chapter.name:<22}[/bold]{v.name:<25}{numbers}{here:>5}"
        out.print(row.rstrip(), soft_wrap=True)
        out.print(Padding(chapter.idea, (0, 0, 0, 5)), style="dim")
    out.print("macs: multiply-adds for one image; @380: top-1 at 380 pixels, not those of macs", style="dim")
    if story.machine:
        out.print(f"ms: {story.machine}", style="dim")
    if page is not None:
        out.print(f"page     {shown(str(page))}", soft_wrap=True)
