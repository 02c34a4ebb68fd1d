"""``linne fit``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from linne.cli import STARTED
from linne.cli.options import (
    Augmentation,
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

app = make_app()


@app.command()
def fit(
    photos: Photos,
    path_column: PathColumn = None,
    label_column: LabelColumn = None,
    split_column: SplitColumn = None,
    label_separator: LabelSeparator = None,
    weights: Weights = None,
    network: Network = None,
    budget: Annotated[str, typer.Option(help="90s, 10m, 2h, or none; counted from the start.")] = "10m",
    group_by: Annotated[
        str | None, typer.Option(help="Pattern on file names; images with the same match stay in one subset.")
    ] = None,
    augment: Augmentation = "light",
    mix: Annotated[bool, typer.Option("--mix", help="Mix images and labels there, by MixUp and CutMix.")] = False,
    seed: Seed = 0,
    out_folder: Annotated[
        Path, typer.Option("--out", help="Where runs are kept.", parser=a_path, metavar="FOLDER")
    ] = Path("runs"),
    cache: Cache = None,
    cache_size: Annotated[
        str, typer.Option(help="Most that decoded training images may take on the disk: 500M, 10G, 0.", metavar="SIZE")
    ] = "10G",
    as_json: Json = False,
) -> None:
    """Train a classifier on photos: index, embed, audit, split, train, export, report.

    Ctrl-C while training keeps the best so far and finishes properly.
    """
    from linne.records.evaluation import Evaluation
    from linne.road import fit as road

    terminal = Terminal()
    run = road.fit(
        photos,
        columns=columns_of(path_column, label_column, split_column, label_separator),
        weights=weights,
        network=network,
        budget=budget,
        group_by=group_by,
        augment=augment,
        mix=mix,
        seed=seed,
        out=out_folder,
        cache=cache,
        cache_size=cache_size,
        progress=terminal,
        started=STARTED,
    )
    validation = Evaluation.read(run.validation)
    facts = run.facts
    if as_json:
        print_json({"run": str(run.folder), "validation": validation.to_json(), **facts})
        return
    chosen = facts["chosen"]
    won = {"probe": "the probe", "stages": "the trained last stages"}.get(chosen["method"], "the trained network")
    stopped = {"deadline": ", stopped by the budget", "interrupt": ", stopped by Ctrl-C", "": ""}[chosen["stopped"]]
    out.print(f"{won}, epoch {chosen['epoch']}{stopped}: {validation.measures['accuracy']} of validation right")
    folder = shown(str(run.folder))
    out.print(f"report   {folder}/report.html\nbundle   {folder}/bundle", soft_wrap=True)
    out.print(f"next     linne evaluate {folder}    [dim]opens the test set[/dim]", soft_wrap=True)
