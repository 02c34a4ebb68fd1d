"""``linne weights``."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table

from linne.cli.options import Json, make_app, out, print_json, shown
from linne.cli.progress import Terminal
from linne.records.errors import WeightsError

app = make_app()

Name = Annotated[str | None, typer.Argument(help="One of `linne nets`.", metavar="[NETWORK]")]


@app.command("list")
def list_weights(network: Name = None, as_json: Json = False) -> None:
    """List the published weights of one network, or of all."""
    from linne.nets.weights.fetch import local_path
    from linne.nets.weights.published import every_published, published

    rows = list(every_published()) if network is None else list(published(network))
    if as_json:
        print_json([_facts(row) for row in rows])
        return
    table = Table("network", "tag", "from", "classes", "top-1 %", "input", "licence", "here", box=None, pad_edge=False)
    for row in rows:
        here = "yes" if local_path(row).is_file() else ""
        top1 = "" if row.top1 is None else f"{row.top1:.2f}"
        side = f"{row.pixels.height}"
        table.add_row(
            row.network, row.tag, row.project, str(row.classes), top1, side, row.licence or "none stated", here
        )
    out.print(table)


@app.command("fetch")
def fetch_weights(
    network: Annotated[str, typer.Argument(help="One of `linne nets`.")],
    tag: Annotated[str, typer.Argument(help="A tag that `linne weights list` shows.")] = "imagenet",
    as_json: Json = False,
) -> None:
    """Fetch weights into the user's cache folder, or go on where a transfer broke off; print where they lie."""
    from linne.nets.weights.published import pick
    from linne.road.weights import fetch_with_bar

    row = pick(network, tag)
    path = fetch_with_bar(row, Terminal())
    if as_json:
        print_json({**_facts(row), "path": str(path)})
        return
    out.print(shown(str(path)), soft_wrap=True)


@app.command("verify")
def verify_weights(as_json: Json = False) -> None:
    """Hash every fetched file and compare it with what was published, or recorded when it came. 1 if one is damaged."""
    from linne.nets.weights.fetch import verify_all

    found = verify_all()
    if as_json:
        print_json([{**_facts(row), "path": str(v.path), "sha256": v.sha256, "state": v.state} for row, v in found])
    else:
        for _, verified in found:
            out.print(f"{verified.state:<8} {shown(str(verified.path))}", soft_wrap=True)
        out.print(f"{len(found)} files", style="dim")
    damaged = [str(verified.path) for _, verified in found if verified.state == "damaged"]
    if damaged:
        raise WeightsError("damaged", file=damaged[0], value=f"{len(damaged)} files", remedy="delete and fetch again")


def _facts(row: Any) -> dict[str, Any]:
    return {
        "network": row.network,
        "tag": row.tag,
        "project": row.project,
        "source": row.source,
        "file": row.file,
        "licence": row.licence,
        "classes": row.classes,
        "top1": row.top1,
        "top5": row.top5,
        "pixels": row.pixels.to_json(),
    }
