"""What is there, and what happens if it is not?"""

from __future__ import annotations

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


def test_an_unknown_name_is_told_with_the_known_ones() -> None:
    with pytest.raises(LinneError) as caught:
        create("resnet_9000")
    assert caught.value.value == "resnet_9000"
    assert all(name in str(caught.value.remedy) for name in names())


def test_the_package_has_nothing_else() -> None:
    import linne.nets

    with pytest.raises(AttributeError):
        linne.nets.nothing  # noqa: B018
