"""Hashes of near copies lie close, those of other pictures far; and predicting needs no training package."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from images import encode, noise, scene
from PIL import Image, ImageEnhance

from linne.pixels.decode import decode
from linne.pixels.perceptual import perceptual_hash, thumbnail

PICTURES = [Image.fromarray(scene(240, 320, seed)) for seed in range(20)]


def bits(one: Image.Image, two: Image.Image) -> int:
    return int(np.bitwise_count(perceptual_hash(one) ^ perceptual_hash(two)))


CHANGES = {
    "recompressed": lambda picture: decode(encode(picture, "JPEG", quality=40), 3),
    "smaller": lambda picture: picture.resize((160, 120)),
    "larger": lambda picture: picture.resize((500, 400)),
    "brighter": lambda picture: ImageEnhance.Brightness(picture).enhance(1.1),
    "darker": lambda picture: ImageEnhance.Brightness(picture).enhance(0.9),
    "gray": lambda picture: picture.convert("L"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_near_copies_differ_in_few_bits(change: str) -> None:
    assert max(bits(picture, CHANGES[change](picture)) for picture in PICTURES) <= 8


def test_other_pictures_differ_in_many_bits() -> None:
    distances = [bits(one, two) for i, one in enumerate(PICTURES) for two in PICTURES[:i]]
    assert min(distances) > 12
    assert 28 < np.mean(distances) < 36  # as independent bits would


def test_a_hash_is_64_bits_and_the_same_each_time() -> None:
    one = perceptual_hash(PICTURES[0])
    assert one.dtype == np.uint64
    assert one == perceptual_hash(PICTURES[0].copy())
    assert sum(int(perceptual_hash(picture)).bit_count() for picture in PICTURES) / len(PICTURES) == pytest.approx(
        32, abs=1
    )


def test_a_thumbnail_is_the_mean_of_its_cells() -> None:
    values = noise(64, 160, 1)
    cells = values.reshape(16, 4, 16, 10).mean(axis=(1, 3))
    small = thumbnail(Image.fromarray(values))
    assert small.shape == (16, 16)
    assert small.dtype == np.uint8
    assert np.abs(small - cells).max() <= 1


def test_tiny_and_flat_pictures() -> None:
    for size in ((1, 1), (1, 500), (500, 1)):
        picture = Image.new("RGB", size, (40, 40, 40))
        assert (thumbnail(picture) == 40).all()
        perceptual_hash(picture)


IMPORTS = """
import sys
import linne.pixels.prepare, linne.pixels.perceptual, linne.index.scan, linne.records.bundle
heavy = {"torch", "torchvision", "pyarrow", "scipy", "sklearn", "cleanlab", "onnxruntime"} & set(sys.modules)
sys.exit(", ".join(sorted(heavy)) or 0)
"""


def test_preparing_a_picture_imports_no_training_package() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS], env={"PYTHONPATH": ":".join(sys.path)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
