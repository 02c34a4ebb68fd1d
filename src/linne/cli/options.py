"""Options that several commands have, and how results are printed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.markup import escape

from linne.index.columns import Columns
from linne.records.errors import printable


def a_path(text: str) -> Path:
    """Read a path; an empty one, as an unset variable of a shell gives, would mean the current folder."""
    if not text:
        raise typer.BadParameter("an empty name")
    return Path(text)


_PHOTOS = typer.Argument(
    help="Class folders, or train, validation and test folders of these; a CSV, TSV or Parquet table; a zip; a tar "
    "or a folder of tar shards; a Hugging Face data set on disk.",
    parser=a_path,
)
Photos = Annotated[Path, _PHOTOS]
PhotosOrRun = Annotated[Path | None, _PHOTOS]
PathColumn = Annotated[str | None, typer.Option(help="Column of a table with paths, or images.  [default: found]")]
LabelColumn = Annotated[
    list[str] | None,
    typer.Option(help="Column of labels; given again, columns of 0 and 1, a class each.  [default: found]"),
]
SplitColumn = Annotated[str | None, typer.Option(help="Column of train, validation and test.  [default: found]")]
LabelSeparator = Annotated[
    str | None, typer.Option(help="Between several labels in one text; '' never cuts.  [default: | or ; if used so]")
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
_AUGMENTS = Literal["none", "light", "trivial", "rand", "augmix"]
_AUGMENT = typer.Option(
    help="How images are varied where the network itself is trained: none; light; trivial or rand (TrivialAugment, "
    "RandAugment, each with random erasing); augmix (AugMix). `linne preview` shows them.",
)
Augmentation = Annotated[_AUGMENTS, _AUGMENT]
ChosenAugmentation = Annotated[_AUGMENTS | None, _AUGMENT]
Flip = Annotated[
    Literal["auto", "on", "off"],
    typer.Option(help="Whether a mirrored image keeps its label; auto tells it from the names of classes."),
]
FLIPS = {"auto": None, "on": True, "off": False}
Seed = Annotated[int, typer.Option(help="Same seed, same numbers.", min=0, max=2**32 - 1)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]

out = Console(highlight=False)


def make_app() -> typer.Typer:
    """One command's Typer app: no completion options, no decorated tracebacks."""
    return typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


def columns_of(path: str | None, label: list[str] | None, split: str | None, separator: str | None) -> Columns:
    """What was said of a table's columns."""
    return Columns(path, tuple(label) if label else None, split, separator)


def print_json(value: Any) -> None:
    """Print one JSON value on standard output."""
    typer.echo(json.dumps(value, ensure_ascii=True, indent=1))


def shown(text: str) -> str:
    """Any name as one printable line; brackets are no markup."""
    return escape(printable(text))
