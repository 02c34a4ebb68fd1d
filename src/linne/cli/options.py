"""Options that several commands have, and how results are printed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from linne.records.errors import printable

Weights = Annotated[
    Path | None, typer.Option(help="Pretrained weights, safetensors, in linne's or torchvision's naming.")
]
Cache = Annotated[Path | None, typer.Option(help="The store of embeddings.  [default: in the user's cache folder]")]
Seed = Annotated[int, typer.Option(help="Same seed, same numbers.", min=0)]
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
