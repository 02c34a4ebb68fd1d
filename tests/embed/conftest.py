"""Photos that the tests of this room share."""

from __future__ import annotations

from pathlib import Path

import pytest
from images import encode, place, scene

from linne.index.class_folders import read_folder
from linne.records.index import Index


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Forty small photos in two classes, no two alike; a test may change them."""
    root = tmp_path / "photos"
    for number in range(40):
        place(root / ("a", "b")[number % 2] / f"{number:02d}.png", encode(scene(40, 50, seed=number), "PNG"))
    return root


@pytest.fixture
def index(photos: Path) -> Index:
    return read_folder(photos)
