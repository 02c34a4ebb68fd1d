"""``linne serve``."""

from __future__ import annotations

from typing import Annotated

import typer

from linne.cli.importing import importing
from linne.cli.options import BundleFolder, make_app

app = make_app()


@app.command()
def serve(
    bundle: BundleFolder,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 lets other machines in.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes a free one.", min=0, max=65535)] = 8000,
) -> None:
    """Answer over HTTP: a page to drop images on, POST /predict, GET /healthz. Ctrl-C ends it."""
    with importing():
        from linne.serve.server import serve as run

    run(bundle, host=host, port=port, on_ready=lambda url: typer.echo(f"serving {bundle} on {url}   (Ctrl-C ends it)"))
