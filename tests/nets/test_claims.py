"""Do the claims come out as they were counted elsewhere?"""

from __future__ import annotations

import re

import pytest

from linne.nets.claims import Claim, check_claims
from linne.nets.count import count


@pytest.fixture(scope="module")
def claims() -> dict[str, Claim]:
    return {claim.said: claim for claim in check_claims()}


def _of(claims: dict[str, Claim], part: str) -> Claim:
    return next(claim for said, claim in claims.items() if part in said)


# Counted with torchvision's and timm's networks, or by hand from the papers.
@pytest.mark.parametrize(
    ("part", "numbers", "verdict"),
    [
        ("60,000 trainable", ["60,000", "325,680"], "right"),
        ("60 million", ["60,965,224", "96.2%"], "right"),
        ("138 million", ["138,357,544", "89.4%"], "right"),
        ("27 times", ["6,998,552", "19.8", "8.7"], "wrong"),
        ("8 to 9 times", ["8.56", "6.92", "569", "4867"], "right"),
        ("1.2, 1.1 and 1.15", ["1.920", "1.8", "2.6", "4.7", "11.4", "26.6", "49.4", "97.8"], "loose"),
        ("8.4 times smaller", ["66,347,960", "8.40"], "right"),
        ("16x16 words", ["196", "197", "86,567,656", "17.56"], "loose"),
        ("one more token", ["770,536"], "loose"),
        ("up to 152 layers", ["18", "34", "50", "101", "152", "20", "110", "164", "1001", "1202", "8.0"], "right"),
        ("10.2 million", ["10,178,490", "10,327,706"], "loose"),
        ("fewer multiply-adds than VGG-19", ["11.51", "19.63"], "loose"),
        ("cost nothing", ["269,722", "853,018", "1,727,962"], "right"),
    ],
)
def test_what_is_counted(claims: dict[str, Claim], part: str, numbers: list[str], verdict: str) -> None:
    claim = _of(claims, part)
    found = re.findall(r"[\d][\d,.]*%?", claim.counted)
    found = [number.rstrip(".,") for number in found]
    assert set(numbers) <= set(found)
    assert claim.verdict == verdict


def test_loose_and_wrong_claims_say_what_to_say_instead(claims: dict[str, Claim]) -> None:
    assert "7 M" in _of(claims, "27 times").note
    assert "13,378,280" in _of(claims, "27 times").note
    assert "3,504,872" in _of(claims, "10.2 million").note


@pytest.mark.parametrize(
    ("name", "parameters", "gmacs"),
    [
        ("mobilenet_v1", 4_231_976, 0.56874),
        ("resnet50", 25_557_032, 4.08918),
        ("vit_small_16", 22_050_664, 4.59888),
    ],
)
def test_counting(name: str, parameters: int, gmacs: float) -> None:
    counted = count(name)
    assert counted.parameters == parameters
    assert counted.macs / 1e9 == pytest.approx(gmacs, rel=1e-5)


def test_a_smaller_image_costs_less() -> None:
    assert count("resnet18", 112, 112).macs < count("resnet18").macs / 3.7
