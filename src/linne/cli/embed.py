"""``linne embed``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from linne.cli.importing import importing
from linne.cli.options import (
    Cache,
    Json,
    LabelColumn,
    LabelSeparator,
    PathColumn,
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
def embed(
    photos: Annotated[
        Path, typer.Argument(help="A folder of images, with or without classes, or another data set.", parser=a_path)
    ],
    network: Annotated[str, typer.Option(help="One of `linne nets`, or timm:NAME.")],
    out_file: Annotated[
        Path,
        typer.Option(
            "--out",
            help=".parquet with path, class and features; or .npy, with path and class in a .csv beside it.",
            parser=a_path,
            metavar="FILE",
        ),
    ],
    weights: Annotated[
        str, typer.Option(help="imagenet, a tag that `linne weights list` shows, or a file.", metavar="NAME|FILE")
    ] = "imagenet",
    layer: Annotated[
        str, typer.Option(help="pooled: the vector before the classifier; or any module's name, such as layers.3.")
    ] = "pooled",
    views: Annotated[
        int,
        typer.Option(
            help="1: the centre of each image. 2: averaged with its mirror image. 10: corners, centre, and their "
            "mirror images."
        ),
    ] = 1,
    path_column: PathColumn = None,
    label_column: LabelColumn = None,
    label_separator: LabelSeparator = None,
    cache: Cache = None,
    as_json: Json = False,
) -> None:
    """Give what a layer of a network makes of each image, for other programs. Nothing is trained."""
    with importing():
        from linne.road import embed as road

    columns = columns_of(path_column, label_column, None, label_separator)
    passed = road.embed(
        photos,
        network=network,
        out=out_file,
        weights=weights,
        layer=layer,
        views=views,
        columns=columns,
        cache=cache,
        progress=Terminal(),
    )
    unreadable = np.flatnonzero(~passed.readable)
    images = len(passed.reason) - len(unreadable)
    if as_json:
        print_json(
            {"file": str(out_file), "images": images, "computed": passed.computed, "unreadable": len(unreadable)}
        )
        return
    out.print(f"{images} images, {passed.computed} of them computed now, in {shown(str(out_file))}", soft_wrap=True)
    if len(unreadable):
        out.print(f"{len(unreadable)} could not be read, such as one that {shown(str(passed.reason[unreadable[0]]))}")
