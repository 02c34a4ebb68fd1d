"""``linne fit``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from linne.cli import STARTED
from linne.cli.importing import importing
from linne.cli.options import (
    FLIPS,
    Cache,
    ChosenAugmentation,
    Flip,
    Json,
    LabelColumn,
    LabelSeparator,
    Network,
    PathColumn,
    PhotosOrRun,
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

if TYPE_CHECKING:
    from linne.records.run import Run

app = make_app()


@app.command()
def fit(
    context: typer.Context,
    photos: PhotosOrRun = None,
    path_column: PathColumn = None,
    label_column: LabelColumn = None,
    split_column: SplitColumn = None,
    label_separator: LabelSeparator = None,
    weights: Weights = None,
    network: Network = None,
    budget: Annotated[
        str | None,
        typer.Option(help="90s, 10m, 2h, or none; counted from the start.  [default: 10m; with --plan, none]"),
    ] = None,
    group_by: Annotated[
        str | None, typer.Option(help="Pattern on file names; images with the same match stay in one subset.")
    ] = None,
    augment: ChosenAugmentation = None,
    mix: Annotated[
        bool | None, typer.Option("--mix/--no-mix", help="Mix images and labels there, by MixUp and CutMix.")
    ] = None,
    flip: Flip = "auto",
    recipe: Annotated[
        Path | None,
        typer.Option(help="Settings of training, as TOML; see docs/tasks/recipes.md.", parser=a_path, metavar="FILE"),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="One of them, over those of the file: learning_rate=3e-4; again for more.",
            metavar="NAME=VALUE",
        ),
    ] = None,
    plan: Annotated[
        Path | None,
        typer.Option(help="plan.json of a run: split and train as it says.", parser=a_path, metavar="FILE"),
    ] = None,
    teacher: Annotated[
        Path | None,
        typer.Option(
            help="A finished run of a larger network, which this one learns from where it is trained as a whole.",
            parser=a_path,
            metavar="RUN",
        ),
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(
            help="Go on with a run that was cut off; with --shard and --json at most.", parser=a_path, metavar="RUN"
        ),
    ] = None,
    seed: Seed = 0,
    out_folder: Annotated[
        Path, typer.Option("--out", help="Where runs are kept.", parser=a_path, metavar="FOLDER")
    ] = Path("runs"),
    cache: Cache = None,
    cache_size: Annotated[
        str, typer.Option(help="Most that decoded training images may take on the disk: 500M, 10G, 0.", metavar="SIZE")
    ] = "10G",
    shard: Annotated[
        bool, typer.Option("--shard", help="Under torchrun: cut the network up among the processes.")
    ] = False,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Write TensorBoard's event files into the run.")
    ] = False,
    mlflow: Annotated[
        bool, typer.Option("--mlflow", help="Tell MLflow, at MLFLOW_TRACKING_URI or in the current folder.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Train a classifier on photos: index, embed, audit, split, train, export, report.

    Ctrl-C while training keeps the best so far and finishes properly. A run that was killed goes on with --resume.
    """
    with importing():
        from linne.fit.tracking import TRACKERS
        from linne.road import fit as road
        from linne.road.recipes import read_recipe, read_settings
        from linne.runtime.torchrun import rank

    if (photos is None) == (resume is None):
        raise typer.BadParameter("give PHOTOS, or --resume RUN", param_hint="PHOTOS")
    if budget == "":
        raise typer.BadParameter("an empty budget", param_hint="--budget")
    if resume is not None:
        everything = {str(parameter.name) for parameter in context.command.params}
        _refuse_beside(context, "--resume", everything - {"resume", "shard", "as_json"})
        run = road.resume(resume, shard=shard, progress=Terminal(), started=STARTED)
    else:
        assert photos is not None  # noqa: S101 - one of both is given
        if plan is not None:
            _refuse_beside(context, "--plan", {"settings", "recipe", "augment", "mix", "flip", "seed"})
        run = road.fit(
            photos,
            columns=columns_of(path_column, label_column, split_column, label_separator),
            weights=weights,
            network=network,
            budget="auto" if budget is None else budget,
            group_by=group_by,
            augment=augment,
            mix=mix,
            flip=FLIPS[flip],
            recipe={**({} if recipe is None else read_recipe(recipe)), **read_settings(settings or [])},
            plan=plan,
            teacher=teacher,
            seed=seed if plan is None else None,
            out=out_folder,
            cache=cache,
            cache_size=cache_size,
            shard=shard,
            track=[name for name in TRACKERS if {"tensorboard": tensorboard, "mlflow": mlflow}[name]],
            progress=Terminal(),
            started=STARTED,
        )
    if rank() == 0:
        _tell(run, as_json)


def _refuse_beside(context: typer.Context, option: str, names: set[str]) -> None:
    """Raise where one of these parameters was given beside an option that decides it."""
    for parameter in context.command.params:
        source = context.get_parameter_source(str(parameter.name))
        if parameter.name in names and source is not None and source.name == "COMMANDLINE":
            raise typer.BadParameter(f"cannot be given with {option}", param_hint=parameter.opts[0])


def _tell(run: Run, as_json: bool) -> None:
    """Print what a finished run came to, and where it is."""
    from linne.records.evaluation import Evaluation

    validation, facts = Evaluation.read(run.validation), run.facts
    if as_json:
        print_json({"run": str(run.folder), "validation": validation.to_json(), **facts})
        return
    kept = facts["chosen"]
    won = {"probe": "the probe", "stages": "the trained last stages"}.get(kept["method"], "the trained network")
    stopped = {
        "deadline": ", stopped by the budget",
        "interrupt": ", stopped by Ctrl-C",
        "patience": ", stopped since it got no better",
        "": "",
    }[kept["stopped"]]
    if validation.task == "multi":
        right = f"mean average precision {validation.measures['mean_average_precision']} on validation"
    else:
        right = f"{validation.measures['accuracy']} of validation right"
    out.print(f"{won}, epoch {kept['epoch']}{stopped}: {right}")
    folder = shown(str(run.folder))
    out.print(f"report   {folder}/report.html\nbundle   {folder}/bundle", soft_wrap=True)
    out.print(f"next     linne evaluate {folder}    [dim]opens the test set[/dim]", soft_wrap=True)
