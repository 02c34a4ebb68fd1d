"""``linne nets``."""

from __future__ import annotations

from rich.table import Table

from linne.cli.options import Json, make_app, out, print_json

app = make_app()


@app.command()
def nets(as_json: Json = False) -> None:
    """List the networks that `--network` and `linne.create` know."""
    from linne.nets.catalogue import CATALOGUE

    if as_json:
        print_json(
            [
                {
                    "name": name,
                    "year": row.year,
                    "parameters": row.parameters,
                    "classes": row.classes,
                    "pixels": row.pixels.to_json(),
                }
                for name, row in CATALOGUE.items()
            ]
        )
        return
    table = Table("name", "year", "parameters", "input", box=None, pad_edge=False)
    for name, row in CATALOGUE.items():
        size = f"{row.pixels.channels} x {row.pixels.height} x {row.pixels.width}"
        table.add_row(name, str(row.year), f"{row.parameters:,}", size)
    out.print(table)
