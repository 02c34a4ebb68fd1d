"""``linne nets``."""

from __future__ import annotations

import re
from typing import Annotated, Any

import typer

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
        print_json([_facts(name, licence) for name in found])
        return
    out.print(f"{'name':<25}{'year':<5}{'params':>8}{'mult-adds':>10}  {'pixels':<8}{'top-1':<6}weights' licence")
    for name in found:
        facts = _facts(name, licence)
        best = facts["weights"]
        size = f"{facts['pixels']['height']}x{facts['pixels']['width']}"
        top1 = f"{best['top1']:.1f}" if best and best["top1"] else ""
        shown = (best["licence"] or "none stated") if best else "no weights"
        numbers = f"{_short(facts['parameters']):>8}{_short(1e9 * facts['gmacs']):>10}"
        out.print(f"{name:<25}{facts['year']:<5}{numbers}  {size:<8}{top1:<6}{shown}", soft_wrap=True)
    out.print(f"{len(found)} networks; `linne weights list NAME` shows all weights of one", style="dim")


def _short(number: float) -> str:
    """Give three digits and a letter that `a_number` reads: 61.7k, 3.5M, 4.09G."""
    for factor, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= 0.9995 * factor:
            return f"{number / factor:.3g}{letter}"
    return f"{number:.0f}"


def _facts(name: str, licence: str | None) -> dict[str, Any]:
    """One network, with its best weights of this licence, or those that 'imagenet' stands for."""
    from linne.nets.catalogue import entry
    from linne.nets.find import best_weights

    row, best = entry(name), best_weights(name, licence)
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
