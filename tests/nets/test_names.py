"""What is there, and what happens if it is not?"""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from linne.nets import create, names
from linne.nets.catalogue import CATALOGUE, entry
from linne.records.errors import LinneError


def test_listing_imports_no_torch() -> None:
    code = (
        "import sys, linne.nets, linne.nets.catalogue\n"
        "assert linne.nets.names()\n"
        "heavy = {'torch', 'torchvision', 'PIL', 'safetensors'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_names_are_the_catalogues_oldest_first() -> None:
    assert names() == list(CATALOGUE)
    years = [entry(name).year for name in names()]
    assert years == sorted(years)


@pytest.mark.parametrize(
    ("wrong", "near"),
    [
        ("resnet5O", "resnet50"),
        ("ResNet-50", "resnet50"),
        ("vit_b_16", "vit_base_16"),
        ("swin_tiny_patch4_window7_224", "swin_tiny"),
        ("mobilenetv2_100", "mobilenet_v2"),
        ("lenet", "lenet5"),
    ],
)
def test_an_unknown_name_is_told_with_the_nearest(wrong: str, near: str) -> None:
    with pytest.raises(LinneError) as caught:
        create(wrong)
    assert caught.value.value == wrong
    assert re.search(rf"\b{near}\b", str(caught.value.remedy))


def test_a_name_like_no_other_is_told_where_to_look() -> None:
    with pytest.raises(LinneError) as caught:
        create("zzzz")
    assert "linne nets" in str(caught.value.remedy)


def test_the_package_has_nothing_else() -> None:
    import linne.nets

    with pytest.raises(AttributeError):
        linne.nets.nothing  # noqa: B018


@pytest.mark.parametrize(("wrong", "right"), [("mobilenetv2", "mobilenet_v2"), ("ViT-Base-16", "vit_base_16")])
def test_the_same_letters_come_first(wrong: str, right: str) -> None:
    with pytest.raises(LinneError) as caught:
        entry(wrong)
    assert caught.value.remedy.split()[3].rstrip("?") == right


@pytest.mark.parametrize("wrong", [None, 5, b"resnet18"])
def test_what_is_no_text_is_no_name(wrong: object) -> None:
    with pytest.raises(LinneError):
        entry(wrong)


@pytest.mark.parametrize("wrong", ["timm:resnet50.bogus", "timm:resnet50.", "timm:", "timm:bogus", "timm:resnet5O"])
def test_what_timm_does_not_have_is_an_error(wrong: str) -> None:
    with pytest.raises(LinneError) as caught:
        entry(wrong)
    assert caught.value.remedy
