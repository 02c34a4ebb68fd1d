"""``linne review``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from linne.cli.importing import importing
from linne.cli.options import a_path, make_app
from linne.records.errors import printable

app = make_app()


@app.command()
def review(
    folder: Annotated[Path, typer.Argument(help="A folder that `linne audit` or `linne fit` made.", parser=a_path)],
    who: Annotated[str | None, typer.Option(help="Who decides.  [default: the user's name]")] = None,
    port: Annotated[int, typer.Option(help="0 takes a free one.", min=0, max=65535)] = 8001,
) -> None:
    """Decide on findings, on a page for this machine alone: keep, relabel, drop, merge, undo. No photo is touched.

    Decisions are kept in the folder, as decisions.sqlite; `linne audit --apply` gives an index with them. Ctrl-C
    ends it.
    """
    with importing():
        from linne.review.server import review as run

    place = printable(str(folder))
    run(folder, who=who, port=port, on_ready=lambda url: typer.echo(f"reviewing {place} on {url}   (Ctrl-C ends it)"))
