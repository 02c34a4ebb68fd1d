"""Do all networks have the parameters and multiply-adds of the reference table?"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from linne.nets.catalogue import CATALOGUE
from linne.nets.catalogue.papers import PAPERS
from linne.nets.count import count

TABLE = Path(__file__).parents[3] / "shared" / "reference" / "architectures.csv"


@pytest.mark.parametrize("name", CATALOGUE)
def test_the_catalogue_says_what_is_built(name: str) -> None:
    row, counted = CATALOGUE[name], count(name)
    assert counted.parameters == row.parameters
    assert counted.macs / 1e9 == pytest.approx(row.gmacs, rel=1e-4)


@pytest.mark.real_data
@pytest.mark.skipif(not TABLE.is_file(), reason="the table does not lie beside the checkout")
def test_the_catalogue_says_what_the_table_says() -> None:
    with TABLE.open(newline="") as file:
        known = {(int(row["params"]), row["input_size"]) for row in csv.DictReader(file)}
    ours = {
        (row.parameters, f"{row.pixels.channels}x{row.pixels.height}x{row.pixels.width}")
        for name, row in CATALOGUE.items()
        if name != "lenet5"  # the form that is taught today is in no table
    }
    assert ours <= known


def test_every_paper_has_networks_and_every_network_a_paper() -> None:
    assert {row.paper for row in CATALOGUE.values()} == PAPERS.keys()
