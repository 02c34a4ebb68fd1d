"""``linne nets``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from linne.cli.numbers import a_number, accuracy, short
from linne.cli.options import Json, make_app, out, print_json

app = make_app()


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
    header = f"{'name':<25}{'year':<5}{'params':>7}{'macs':>7}  {'pixels':<8}{'top-1':<10}weights' licence"
    out.print(header, soft_wrap=True)
    for name in found:
        facts = _facts(name, licence)
        best, height = facts["weights"], facts["pixels"]["height"]
        size = f"{height}x{facts['pixels']['width']}"
        top1 = accuracy(best["top1"], best["top1_pixels"], height) if best else ""
        shown = (best["licence"] or "none stated") if best else "no weights"
        numbers = f"{short(facts['parameters']):>7}{short(1e9 * facts['gmacs']):>7}"
        out.print(f"{name:<25}{facts['year']:<5}{numbers}  {size:<8}{top1:<10}{shown}", soft_wrap=True)
    out.print("macs: multiply-adds for one image; @380: top-1 at 380 pixels, not those of macs", style="dim")
    out.print(f"{len(found)} networks; `linne weights list NAME` shows all weights of one", style="dim")


def _facts(name: str, licence: str | None) -> dict[str, Any]:
    """One network, with its best weights of this licence, or those that 'imagenet' stands for."""
    from linne.nets.catalogue import entry
    from linne.nets.find import best_weights

    row, best = entry(name), best_weights(name, licence)
    weights = None
    if best is not None:
        at = None if best.top1 is None else best.pixels.height
        weights = {"tag": best.tag, "top1": best.top1, "top1_pixels": at, "licence": best.licence}
    return {
        "name": name,
        "family": row.family,
        "year": row.year,
        "parameters": row.parameters,
        "gmacs": row.gmacs,
        "classes": row.classes,
        "pixels": row.pixels.to_json(),
        "weights": weights,
    }
