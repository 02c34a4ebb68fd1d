"""``linne predict``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from linne.cli.options import Json, make_app
from linne.index.scan import Image, scan
from linne.records.errors import DataError, printable

app = make_app()


@app.command()
def predict(
    bundle: Annotated[Path, typer.Argument(help="A folder with bundle.json and model.onnx.")],
    images: Annotated[list[Path], typer.Argument(help="Image files, and folders of them.")],
    as_json: Json = False,
) -> None:
    """Classify images; exits with 1 where one of them cannot be used."""
    from linne.serve.predictor import load

    predictor = load(bundle)
    failed = 0
    if as_json:
        sys.stdout.write("[")
    for number, prediction in enumerate(predictor.stream(_files(images))):
        failed += bool(prediction.error)
        if as_json:
            sys.stdout.write(("," if number else "") + "\n" + json.dumps(asdict(prediction)))
        elif prediction.error:
            sys.stderr.write(f"linne: {printable(prediction.path)}: {prediction.error}\n")
        else:
            sys.stdout.write(f"{prediction.probability:.3f}  {prediction.label}  {printable(prediction.path)}\n")
    if as_json:
        sys.stdout.write("\n]\n")
    sys.stdout.flush()
    if failed:
        raise typer.Exit(1)


def _files(given: list[Path]) -> Iterator[Path]:
    """Yield files as they are given, and the images below folders."""
    for path in given:
        if not path.is_dir():
            yield path
            continue
        found = False
        for item in scan(str(path)):
            if isinstance(item, Image):
                found = True
                yield path / item.path
        if not found:
            raise DataError("no images found", file=path, remedy="give image files or folders that hold some")
