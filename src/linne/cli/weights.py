"""``linne weights``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from linne.cli.options import Json, make_app, out, print_json, shown
from linne.cli.progress import Terminal
from linne.records.errors import WeightsError

if TYPE_CHECKING:
    from linne.nets.weights.fetch import Verified
    from linne.nets.weights.published import Published

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
    if not rows:
        out.print(f"no weights are published for {network}")
        return
    name, tag = (max(map(len, column)) for column in zip(*((row.network, row.tag) for row in rows), strict=True))
    head = f"{'network':<{name}}  {'tag':<{tag}}  {'top-1':<6}{'pixels':<8}{'classes':<9}licence"
    out.print(head, soft_wrap=True)
    for row in rows:
        top1 = "" if row.top1 is None else f"{row.top1:.2f}"
        size = f"{row.pixels.height}x{row.pixels.width}"
        here = " [green](here)[/green]" if local_path(row).is_file() else ""
        line = f"{row.network:<{name}}  {row.tag:<{tag}}  {top1:<6}{size:<8}{row.classes:<9}"
        out.print(f"{line}{row.licence or 'none stated'}{here}", soft_wrap=True)


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
    """Hash every file of the cache; compare it with what was published, or else what came. 1 if one is damaged."""
    from linne.nets.weights.fetch import verify_all

    found = verify_all()
    damaged = [str(verified.path) for verified in found if verified.state == "damaged"]
    if as_json:
        print_json([_verdict(verified) for verified in found])
    else:
        for verified in found:
            why = f": {shown(verified.reason)}" if verified.reason else ""
            out.print(f"{verified.state:<10} {shown(str(verified.path))}{why}", soft_wrap=True)
        out.print(f"{len(found)} files", style="dim")
    if damaged and as_json:
        raise typer.Exit(1)
    if damaged:
        raise WeightsError("damaged", file=damaged[0], value=f"{len(damaged)} files", remedy="delete and fetch again")


def _verdict(verified: Verified) -> dict[str, Any]:
    whose = {"network": None, "tag": None} if verified.weights is None else _facts(verified.weights)
    said = {"sha256": verified.sha256, "state": verified.state, "reason": verified.reason}
    return {**whose, "path": str(verified.path), **said}


def _facts(row: Published) -> dict[str, Any]:
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
