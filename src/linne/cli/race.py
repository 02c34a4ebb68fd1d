"""``linne race``."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from linne.cli.importing import importing
from linne.cli.numbers import short
from linne.cli.options import (
    Cache,
    Json,
    LabelColumn,
    LabelSeparator,
    PathColumn,
    Photos,
    Seed,
    SplitColumn,
    a_path,
    columns_of,
    make_app,
    out,
    print_json,
    shown,
)
from linne.cli.progress import Terminal

if TYPE_CHECKING:
    from linne.records.leaderboard import Leaderboard, Place

app = make_app()


@app.command()
def race(
    photos: Photos,
    more: Annotated[list[str] | None, typer.Argument(hidden=True)] = None,
    networks: Annotated[
        list[str] | None,
        typer.Option(help="Some of `linne nets`, one after the other.  [default: one of each generation]"),
    ] = None,
    budget: Annotated[str, typer.Option(help="Of each network: 90s, 10m, 2h, or none.")] = "2m",
    weights: Annotated[
        list[Path] | None,
        typer.Option(
            help="Pretrained weights that race, too: a file, or a folder of them; again for more.",
            parser=a_path,
            metavar="FILE",
        ),
    ] = None,
    pretrained: Annotated[
        bool,
        typer.Option("--pretrained", help="So do published weights that were fetched before; none is fetched now."),
    ] = False,
    open_test: Annotated[
        bool, typer.Option("--open-test", help="At the end, open the test set for all networks. Each opening is noted.")
    ] = False,
    path_column: PathColumn = None,
    label_column: LabelColumn = None,
    split_column: SplitColumn = None,
    label_separator: LabelSeparator = None,
    group_by: Annotated[
        str | None, typer.Option(help="Pattern on file names; images with the same match stay in one subset.")
    ] = None,
    recipe: Annotated[
        Path | None,
        typer.Option(help="Settings of training for all, as TOML.", parser=a_path, metavar="FILE"),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="One of them, over those of the file; again for more.", metavar="NAME=VALUE"),
    ] = None,
    seed: Seed = 0,
    out_folder: Annotated[
        Path | None,
        typer.Option("--out", help="The race's folder.  [default: races/NAME]", parser=a_path, metavar="FOLDER"),
    ] = None,
    cache: Cache = None,
    cache_size: Annotated[
        str, typer.Option(help="Most that decoded training images may take on the disk: 500M, 10G, 0.", metavar="SIZE")
    ] = "10G",
    as_json: Json = False,
) -> None:
    """Train a network of every generation on the same photos and split, each within the same budget.

    Ctrl-C keeps what is trained, and the same command goes on from there; with other --networks it adds them.
    """
    with importing():
        from linne.road.race import LEADERBOARD, PAGE
        from linne.road.race import race as run_race
        from linne.road.recipes import read_recipe, read_settings

    if more and not networks:
        raise typer.BadParameter(f"what is {more[0]}? Networks are named after --networks", param_hint="PHOTOS")
    board = run_race(
        photos,
        networks=[*networks, *(more or [])] if networks else None,
        weights=weights or (),
        pretrained=pretrained,
        columns=columns_of(path_column, label_column, split_column, label_separator),
        budget=budget,
        group_by=group_by,
        recipe={**({} if recipe is None else read_recipe(recipe)), **read_settings(settings or [])},
        seed=seed,
        open_test=open_test,
        out=out_folder,
        cache=cache,
        cache_size=cache_size,
        progress=Terminal(),
    )
    if as_json:
        print_json(board.to_json())
        return
    _print(board)
    folder = shown(board.folder)
    out.print(f"page     {folder}/{PAGE}\nnumbers  {folder}/{LEADERBOARD}", soft_wrap=True)


def _print(board: Leaderboard) -> None:
    header = f"{'year':<5}{'network':<24}{'start':<8}{'accuracy':<18}{'':<6}{'params':>6}{'ms':>6}{'MB':>5}"
    out.print(header, soft_wrap=True)
    unfinished = []
    started = Counter((place.result.network, place.result.start) for place in board.places)
    for place in board.places:
        result, finish, score = place.result, place.result.finish, place.score
        if finish is None or score is None:
            unfinished.append(place)
            continue
        start = "random" if result.start == "scratch" else "weights"
        accuracy = f"{score.value:.3f} {score.low:.3f}-{score.high:.3f}"
        numbers = f"{short(finish.parameters):>6}{finish.milliseconds:>6.3g}{finish.megabytes:>5.3g}"
        name = result.network if started[result.network, result.start] == 1 else result.name
        row = f"{result.year:<5}{name:<24}{start:<8}{accuracy:<18}{_standing(place):<6}{numbers}"
        out.print(row, soft_wrap=True)
    for place in unfinished:
        result = place.result
        out.print(f"{result.year} {shown(result.name)}: {shown(result.reason)}", soft_wrap=True)
    what = f"accuracy on {board.images[board.subset]} {board.subset} images, intervals of 95%"
    chosen = ", on which each epoch was chosen" if board.subset == "validation" else ""
    out.print(f"{what}{chosen}", style="dim", soft_wrap=True)
    out.print("tied: no more than chance behind the leader with the same start", style="dim", soft_wrap=True)
    out.print(f"ms: one image, {board.machine}", style="dim", soft_wrap=True)


def _standing(place: Place) -> str:
    return "leads" if place.leads else "tied" if place.tied else ""
