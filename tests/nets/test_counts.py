"""Do all networks have the parameters and multiply-adds of the reference table?"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from linne.nets.catalogue import CATALOGUE
from linne.nets.catalogue.papers import PAPERS
from linne.nets.count import count

TABLE = Path(__file__).parents[3] / "shared" / "reference" / "architectures.csv"

ROUNDING = 5e-6
"""Of six digits."""

VARIANTS = {
    "lenet5_1998": "LeNet-5",
    "alexnet_2012": "AlexNet (2012, two groups, LRN)",
    "googlenet_2014": "GoogLeNet (as the paper: 5x5, LRN, no BN), no aux heads",
    "googlenet_2014_aux": "GoogLeNet (as the paper), with 2 aux heads",
    "googlenet": "GoogLeNet-BN (torchvision), no aux heads",
    "googlenet_aux": "GoogLeNet-BN (torchvision), with 2 aux heads",
    "inception_v3_aux": "Inception-v3, with aux head",
    **{f"resnet{depth}_cifar": f"ResNet-{depth} (CIFAR-10)" for depth in (20, 32, 44, 56, 110, 1202)},
    # Shortcuts that are the identity have no parameters and no products.
    **{f"plain{depth}_cifar": f"ResNet-{depth} (CIFAR-10)" for depth in (20, 32, 44, 56, 110)},
    **{f"preact_resnet{depth}_cifar": f"PreAct-ResNet-{depth} (CIFAR-10)" for depth in (110, 164, 1001)},
    "mobilenet_v1_025": "MobileNetV1 0.25",
    "mobilenet_v1_050": "MobileNetV1 0.50",
    "mobilenet_v1_075": "MobileNetV1 0.75",
}
"""What the table calls those that are found neither by timm's name nor by torchvision's."""

IN_NO_TABLE = {"lenet5", "cifarnet", "cifarnet_95"}
"""The form that is taught today, and what is newer than the table."""

LOOKING_UP = 7**2 * 13**2 + 7**4 * 13
"""Multiply-adds by which timm's MaxViT looks the biases of one head up, in two products with zeros and ones."""

LOOKED_UP = {
    "maxvit_tiny": 2 * (2 * 2 + 2 * 4 + 5 * 8 + 2 * 16) * LOOKING_UP,
    "maxvit_small": 2 * (2 * 3 + 2 * 6 + 5 * 12 + 2 * 24) * LOOKING_UP,
}
"""What the table counts and the network need not do: two attentions a block, blocks and heads by stage."""


def one_of_each_paper_fast() -> list[object]:
    """All networks; but for the first of each paper they are counted by `make test-all`."""
    first = {row.paper: name for name, row in reversed(CATALOGUE.items())}
    return [
        name if name == first[row.paper] else pytest.param(name, marks=pytest.mark.slow)
        for name, row in CATALOGUE.items()
    ]


@pytest.mark.parametrize("name", one_of_each_paper_fast())
def test_the_catalogue_says_what_is_built(name: str) -> None:
    row, counted = CATALOGUE[name], count(name)
    assert counted.parameters == row.parameters
    assert counted.macs / 1e9 == pytest.approx(row.gmacs, rel=ROUNDING)


@pytest.mark.real_data
@pytest.mark.skipif(not TABLE.is_file(), reason="the table does not lie beside the checkout")
def test_the_catalogue_says_what_the_table_says() -> None:
    with TABLE.open(newline="") as file:
        table = list(csv.DictReader(file))
    wrong = {}
    for name in CATALOGUE.keys() - IN_NO_TABLE:
        row, known = CATALOGUE[name], _known(name, table)
        macs = pytest.approx(float(known["gmacs"]) - LOOKED_UP.get(name, 0) / 1e9, rel=ROUNDING)
        size = f"{row.pixels.channels}x{row.pixels.height}x{row.pixels.width}"
        if (row.parameters, row.gmacs, size) != (int(known["params"]), macs, known["input_size"]):
            wrong[name] = known["variant"]
    assert wrong == {}


def _known(name: str, table: list[dict[str, str]]) -> dict[str, str]:
    """Give the one row of the table that is about a network."""
    row = CATALOGUE[name]
    wanted = {"variant": VARIANTS.get(name), "timm_model": row.timm, "tv_model": row.torchvision}
    column = next(column for column, value in wanted.items() if value and any(r[column] == value for r in table))
    [known] = [r for r in table if r[column] == wanted[column]]
    return known


def test_every_paper_has_networks_and_every_network_a_paper() -> None:
    assert {row.paper for row in CATALOGUE.values()} == PAPERS.keys()
