"""``linne evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from linne.cli.importing import importing
from linne.cli.options import Json, a_path, make_app, out, print_json, shown
from linne.cli.progress import Terminal
from linne.records.evaluation import Evaluation

app = make_app()


@app.command()
def evaluate(
    run: Annotated[Path, typer.Argument(help="A folder that `linne fit` made.", parser=a_path)],
    as_json: Json = False,
) -> None:
    """Open a run's test set: score its classifier, write evaluation.json, refresh the report. Each opening is noted."""
    with importing():
        from linne.road import evaluate as road

    evaluation = road.evaluate(run, progress=Terminal())
    if as_json:
        print_json(evaluation.to_json())
        return
    _print(evaluation)
    out.print(f"report   {shown(str(run))}/report.html", soft_wrap=True)


def _print(evaluation: Evaluation) -> None:
    out.print(f"{evaluation.images} test images; intervals of 95%\n")
    measures = Table("measure", "value", "from", "to", box=None, pad_edge=False)
    for name, measure in evaluation.measures.items():
        measures.add_row(name, *(f"{number:.3f}" for number in (measure.value, measure.low, measure.high)))
    out.print(measures)
    several = ("average precision", "threshold") if evaluation.task == "multi" else ()
    classes = Table("class", "images", "precision", "recall", "F1", *several, box=None, pad_edge=False)
    for score in evaluation.classes:
        numbers = [escape(str(measure)) for measure in (score.precision, score.recall, score.f1)]
        if several:
            numbers += [escape(str(score.average_precision)), f"{score.threshold:.3f}"]
        classes.add_row(shown(score.label), str(score.images), *numbers)
    out.print()
    out.print(classes)
    for note in evaluation.notes:
        out.print(f"note: {shown(note)}", soft_wrap=True)
