"""``linne tune``."""

from __future__ import annotations

import shlex
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from linne.cli import STARTED
from linne.cli.importing import importing
from linne.cli.options import (
    FLIPS,
    Cache,
    Flip,
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
    from linne.road.tune import Tuned

app = make_app()

SHOWN = 8
"""Trials in the table, the best first."""


@app.command()
def tune(
    photos: Photos,
    path_column: PathColumn = None,
    label_column: LabelColumn = None,
    split_column: SplitColumn = None,
    label_separator: LabelSeparator = None,
    weights: Annotated[
        list[Path] | None,
        typer.Option(
            help="Pretrained weights, as `linne fit` takes them; again for others, which are tried too.",
            parser=a_path,
            metavar="FILE",
        ),
    ] = None,
    network: Annotated[
        list[str] | None, typer.Option(help="One of `linne nets`; again for others, which are tried too.")
    ] = None,
    budget: Annotated[
        str, typer.Option(help="90s, 10m, 2h, or none; counted from the start, the last run included.")
    ] = "1h",
    trials: Annotated[
        int | None, typer.Option(help="Trials to make at most, now: those of earlier calls are not counted.", min=1)
    ] = None,
    group_by: Annotated[
        str | None, typer.Option(help="Pattern on file names; images with the same match stay in one subset.")
    ] = None,
    flip: Flip = "auto",
    recipe: Annotated[
        Path | None,
        typer.Option(help="Settings that are decided and not searched, as TOML.", parser=a_path, metavar="FILE"),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="One of them: optimiser=adamw; again for more.", metavar="NAME=VALUE"),
    ] = None,
    seed: Seed = 0,
    folder: Annotated[
        Path | None,
        typer.Option(
            help="Where trials and runs are kept; a search that is there is gone on with.  [default: tunes/NAME]",
            parser=a_path,
            metavar="FOLDER",
        ),
    ] = None,
    cache: Cache = None,
    cache_size: Annotated[
        str, typer.Option(help="Most that decoded training images may take on the disk: 500M, 10G, 0.", metavar="SIZE")
    ] = "10G",
    as_json: Json = False,
) -> None:
    """Search for the recipe and the network that suit the photos, then train with what was best.

    Ctrl-C keeps the trials that ended; the same command goes on from there.
    """
    with importing():
        from linne.road import tune as road
        from linne.road.recipes import read_recipe, read_settings

    tuned = road.tune(
        photos,
        columns=columns_of(path_column, label_column, split_column, label_separator),
        weights=weights or [],
        networks=network or [],
        budget=budget,
        trials=trials,
        group_by=group_by,
        flip=FLIPS[flip],
        recipe={**({} if recipe is None else read_recipe(recipe)), **read_settings(settings or [])},
        seed=seed,
        folder=folder,
        cache=cache,
        cache_size=cache_size,
        progress=Terminal(),
        started=STARTED,
        command=shlex.join(["linne", *sys.argv[1:]]),
    )
    if as_json:
        told = {"folder": str(tuned.folder), "run": str(tuned.run.folder), "best": asdict(tuned.best)}
        print_json({**told, "trials": [asdict(trial) for trial in tuned.trials]})
    else:
        _print(tuned)


def _print(tuned: Tuned) -> None:
    """The best trials as a table, what they are worth, and where things lie."""
    complete = sorted((t for t in tuned.trials if t.score is not None), key=lambda t: (-(t.score or 0.0), t.number))
    table = Table(box=None, header_style="bold")
    for column in ("trial", "score", "accuracy", "log loss", "seconds"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("what was trained")
    for trial in complete[:SHOWN]:
        numbers = f"{trial.score:.4f}", f"{trial.accuracy:.3f}", f"{trial.log_loss:.3f}", f"{trial.seconds:.0f}"
        own = ", as planned" if trial.as_planned else ""
        table.add_row(str(trial.number), *numbers, f"{shown(trial.network)}, {trial.method}{own}")
    out.print(table)
    pruned = sum(trial.state == "pruned" for trial in tuned.trials)
    others = len(tuned.trials) - len(complete) - pruned
    cut = f", {others} cut off or failed" if others else ""
    out.print(f"{len(tuned.trials)} trials: {len(complete)} to their end, {pruned} given up as poor{cut}")
    out.print(
        f"The best of {len(complete)} scores on the same validation images is too good by some luck. "
        "The test set has not been looked at.",
        soft_wrap=True,
    )
    place, run = shown(str(tuned.folder)), shown(str(tuned.run.folder))
    out.print(f"recipe   {place}/best.toml\nreport   {run}/report.html\nbundle   {run}/bundle", soft_wrap=True)
    out.print(f"next     linne evaluate {run}    [dim]opens the test set[/dim]", soft_wrap=True)
