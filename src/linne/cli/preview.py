"""``linne preview``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from linne.cli.importing import importing
from linne.cli.options import (
    FLIPS,
    Augmentation,
    Flip,
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
def preview(
    photos: Photos,
    path_column: PathColumn = None,
    label_column: LabelColumn = None,
    split_column: SplitColumn = None,
    label_separator: LabelSeparator = None,
    weights: Weights = None,
    network: Network = None,
    augment: Augmentation = "light",
    mix: Annotated[bool, typer.Option("--mix", help="Show mixed batches, too, with both labels.")] = False,
    flip: Flip = "auto",
    plan: Annotated[
        Path | None,
        typer.Option(help="plan.json of a run: show what its training sees.", parser=a_path, metavar="FILE"),
    ] = None,
    images: Annotated[int, typer.Option(help="Rows: one an image.", min=1, max=100)] = 8,
    views: Annotated[int, typer.Option(help="Views of each image.", min=1, max=20)] = 6,
    seed: Seed = 0,
    out_file: Annotated[
        Path, typer.Option("--out", help="A .png, with exact pixels, or a .jpg.", parser=a_path, metavar="FILE")
    ] = Path("preview.png"),
    as_json: Json = False,
) -> None:
    """Draw what training would see of some photos, on one sheet. Nothing is trained.

    The first picture of a row is what validation sees, the others are what the first epochs would see: by the options
    given, or as in a run, with its --plan.
    """
    with importing():
        from linne.road import preview as road

    made = road.preview(
        photos,
        columns=columns_of(path_column, label_column, split_column, label_separator),
        weights=weights,
        network=network,
        augment=augment,
        mix=mix,
        flip=FLIPS[flip],
        plan=plan,
        images=images,
        views=views,
        seed=seed,
        out=out_file,
        progress=Terminal(),
    )
    if as_json:
        print_json(made.to_json())
        return
    out.print(f"{made.augment}: {made.policy.in_words(made.pixels)}\n{shown(made.mirroring)}", soft_wrap=True)
    for path, reason in made.left_out.items():
        out.print(f"left out: {shown(path)}: {shown(reason)}", soft_wrap=True)
    out.print(f"sheet    {shown(str(made.file))}, {len(made.images)} images", soft_wrap=True)
