"""``linne nets``."""

from __future__ import annotations

import re
from typing import Annotated, Any

import typer
from rich.table import Table

from linne.cli.options import Json, make_app, out, print_json

app = make_app()

_FACTORS = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9, "b": 1e9}


def a_number(text: str) -> float:
    """Read 6M, 4.5e6, 600k or 1G."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?(?:e\d+)?)\s*([kmgb]?)", text.strip().lower())
    if match is None:
        raise typer.BadParameter(f"{text!r} is no number such as 6M, 600k or 1.5G")
    return float(match[1]) * _FACTORS[match[2]]


@app.command()
def nets(
    max_params: Annotated[
        float | None, typer.Option(help="At most so many parameters: 6M.", parser=a_number, metavar="NUMBER")
    ] = None,
    max_macs: Annotated[
        float | None, typer.Option(help="At most so many multiply-adds: 600M.", parser=a_number, metavar="NUMBER")
    ] = None,
    family: Annotated[str | None, typer.Option(help="Part of the name of network, family or paper.")] = None,
    licence: Annotated[str | None, typer.Option(help="With published weights under this licence.")] = None,
    weights: Annotated[bool, typer.Option("--weights", help="With published weights only.")] = False,
    as_json: Json = False,
) -> None:
    """List the networks that `--network` and `linne.create` know, the oldest first."""
    from linne.nets.find import find_networks

    found = find_networks(max_params, max_macs, family, licence, weights)
    if as_json:
        print_json([_facts(name) for name in found])
        return
    table = Table(
        "name", "year", "parameters", "GMACs", "input", "top-1 %", "weights' licence", box=None, pad_edge=False
    )
    table.columns[0].no_wrap = True
    for column in table.columns[2:4]:
        column.justify = "right"
    for name in found:
        facts = _facts(name)
        best = facts["weights"]
        size = "x".join(str(facts["pixels"][side]) for side in ("channels", "height", "width"))
        top1 = f"{best['top1']:.1f}" if best and best["top1"] else ""
        shown = (best["licence"] or "none stated") if best else "no weights"
        table.add_row(name, str(facts["year"]), f"{facts['parameters']:,}", f"{facts['gmacs']:.3g}", size, top1, shown)
    out.print(table)
    out.print(f"{len(found)} networks; `linne weights list NAME` shows all weights of one", style="dim")


def _facts(name: str) -> dict[str, Any]:
    """One network, with the weights that 'imagenet' stands for, or else the best that are published."""
    from linne.nets.catalogue import entry
    from linne.nets.find import best_weights

    row, best = entry(name), best_weights(name)
    return {
        "name": name,
        "family": row.family,
        "year": row.year,
        "parameters": row.parameters,
        "gmacs": row.gmacs,
        "classes": row.classes,
        "pixels": row.pixels.to_json(),
        "weights": None if best is None else {"tag": best.tag, "top1": best.top1, "licence": best.licence},
    }
