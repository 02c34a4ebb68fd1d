"""``linne predict``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from linne.cli.importing import importing
from linne.cli.options import BundleFolder, Json, a_path, make_app
from linne.index.scan import Listing, scan
from linne.records.errors import printable
from linne.records.set_aside import NO_IMAGE

if TYPE_CHECKING:
    from linne.serve.predictor import Prediction, Predictor

app = make_app()


@app.command()
def predict(
    bundle: BundleFolder,
    images: Annotated[list[Path], typer.Argument(help="Image files, and folders of them.", parser=a_path)],
    as_json: Json = False,
) -> None:
    """Classify images; exits with 1 where one of them cannot be used."""
    with importing():
        from linne.serve.predictor import load

    predictor = load(bundle)
    failed = 0
    if as_json:
        sys.stdout.write("[")
    for number, prediction in enumerate(_answers(predictor, images)):
        failed += bool(prediction.error)
        if as_json:
            sys.stdout.write(("," if number else "") + "\n" + json.dumps(prediction.to_json()))
        elif prediction.error:
            sys.stderr.write(f"linne: {printable(prediction.path)}: {prediction.error}\n")
        else:
            sys.stdout.write(f"{_said(prediction)}  {printable(prediction.path)}\n")
    if as_json:
        sys.stdout.write("\n]\n")
    sys.stdout.flush()
    if failed:
        raise typer.Exit(1)


def _said(prediction: Prediction) -> str:
    """Probability and class, of several labels all that are said."""
    if prediction.task == "single":
        return f"{prediction.probability:.3f}  {printable(prediction.label)}"
    probabilities = prediction.probabilities or {}
    return "  ".join(f"{probabilities[label]:.3f} {printable(label)}" for label in prediction.labels) or "no label"


def _answers(predictor: Predictor, given: list[Path]) -> Iterator[Prediction]:
    """Predict files as they are given and the images below folders; what was set aside is told, once all is read."""
    aside: list[Prediction] = []
    yield from predictor.stream(_files(given, aside))
    yield from (replace(answer, task=predictor.bundle.task) for answer in aside)


def _files(given: list[Path], aside: list[Prediction]) -> Iterator[Path]:
    from linne.serve.predictor import Prediction

    for path in given:
        if not path.is_dir():
            yield path
            continue
        found = False
        for item in scan(str(path)):
            if isinstance(item, Listing):
                found = True
                yield from map(path.joinpath, item.paths())
            elif item.reason != NO_IMAGE:
                aside.append(Prediction(str(path / item.path), error=item.reason))
        if not found:
            aside.append(Prediction(str(path), error="no images found in this folder"))
