"""Options that several commands have, and how results are printed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from linne.records.errors import printable


def a_path(text: str) -> Path:
    """Read a path; an empty one, as an unset variable of a shell gives, would mean the current folder."""
    if not text:
        raise typer.BadParameter("an empty name")
    return Path(text)


Photos = Annotated[
    Path, typer.Argument(help="Class folders, or train, validation and test folders of these.", parser=a_path)
]
BundleFolder = Annotated[Path, typer.Argument(help="A folder with bundle.json and model.onnx.", parser=a_path)]
Weights = Annotated[
    Path | None,
    typer.Option(
        help="Pretrained weights: a file in linne's, torchvision's or timm's naming; or with --network, imagenet or a "
        "tag that `linne weights list` shows.",
        parser=a_path,
        metavar="FILE",
    ),
]
Network = Annotated[str | None, typer.Option(help="One of `linne nets`.  [default: chosen]")]
Cache = Annotated[
    Path | None,
    typer.Option(
        help="The store of embeddings.  [default: in the user's cache folder]", parser=a_path, metavar="FOLDER"
    ),
]
Seed = Annotated[int, typer.Option(help="Same seed, same numbers.", min=0, max=2**32 - 1)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]

out = Console(highlight=False)


def make_app() -> typer.Typer:
    """One command's Typer app: no completion options, no decorated tracebacks."""
    return typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


def print_json(value: Any) -> None:
    """Print one JSON value on standard output."""
    typer.echo(json.dumps(value, ensure_ascii=True, indent=1))


def shown(text: str) -> str:
    """Any name as one printable line; brackets are no markup."""
    return escape(printable(text))
