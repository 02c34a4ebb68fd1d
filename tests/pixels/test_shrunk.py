"""Is what is decoded small the same picture, to within a stated tolerance?"""

from __future__ import annotations

import numpy as np
import pytest
from images import encode, scene, turned
from PIL import Image

from linne.pixels.decode import decode
from linne.pixels.shrunk import Decoded, Undecoded, shrink_for
from linne.records.errors import ImageError

MEAN, LARGEST = 1.5, 16
"""Levels of 255 by which a picture decoded small and then resized may differ from Pillow's, which is decoded whole."""

KINDS = {
    "JPEG": {},
    "JPEG 4:4:4": {"subsampling": 0},
    "progressive JPEG": {"progressive": True},
    "JPEG of quality 60": {"quality": 60},
    "PNG": {},
    "WEBP": {"quality": 90},
    "TIFF": {},
    "BMP": {},
}


def resized(pixels: np.ndarray, width: int = 40, height: int = 30) -> np.ndarray:
    picture = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    return np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR)).astype(int)


def assert_alike(content: bytes, channels: int, shrink: int) -> None:
    exact = decode(content, channels)
    found = Undecoded(content, channels)
    assert (found.width, found.height) == exact.size
    pixels = found.pixels(shrink)
    assert pixels.shape == (-(-exact.height // shrink), -(-exact.width // shrink), channels)
    difference = np.abs(resized(pixels) - resized(np.asarray(exact).reshape(exact.height, exact.width, channels)))
    assert difference.mean() <= MEAN
    assert difference.max() <= LARGEST


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("shrink", [1, 2, 4, 8])
@pytest.mark.parametrize("kind", KINDS)
def test_formats(kind: str, shrink: int, channels: int) -> None:
    form = next(name for name in ("JPEG", "PNG", "WEBP", "TIFF", "BMP") if name in kind)
    assert_alike(encode(scene(480, 640, seed=3), form, **KINDS[kind]), channels, shrink)


@pytest.mark.parametrize("size", [(333, 501), (321, 8), (8, 1000), (1, 1), (640, 480), (257, 256)])
@pytest.mark.parametrize("shrink", [1, 2, 4])
def test_sizes(size: tuple[int, int], shrink: int) -> None:
    """Odd ones, narrow ones: the sides are divided and rounded up."""
    content = encode(scene(*size, seed=1), "JPEG")
    pixels = Undecoded(content, 3).pixels(shrink)
    assert pixels.shape == (-(-size[0] // shrink), -(-size[1] // shrink), 3)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("shrink", [1, 4])
def test_orientations(orientation: int, shrink: int) -> None:
    assert_alike(turned(scene(320, 480, seed=2), orientation, "JPEG"), 3, shrink)


def test_modes() -> None:
    gray = Image.fromarray(scene(320, 480)).convert("L")
    for content in (
        encode(gray, "JPEG"),
        encode(Image.fromarray(scene(320, 480)).convert("CMYK"), "JPEG"),
        encode(Image.fromarray(scene(320, 480)).convert("P"), "PNG"),
        encode(Image.fromarray(scene(320, 480)).convert("RGBA"), "PNG"),
        encode(gray.convert("I;16"), "PNG"),
    ):
        for channels in (1, 3):
            assert_alike(content, channels, 2)


@pytest.mark.parametrize("channels", [1, 3])
def test_what_is_damaged_for_one_is_damaged_for_both(channels: int) -> None:
    whole = encode(scene(320, 480), "JPEG")
    for content in (b"", b"\xff\xd8", whole[:200], whole[: len(whole) // 2], whole[:-400], b"GIF89a" + whole):
        with pytest.raises(ImageError):
            decode(content, channels)
        with pytest.raises(ImageError):
            Undecoded(content, channels).pixels(4)


def test_bytes_before_and_after_the_picture_do_no_harm() -> None:
    whole = encode(scene(320, 480), "JPEG")
    assert_alike(whole + b"more" * 100, 3, 2)


def test_no_side_falls_below_what_is_wanted() -> None:
    assert shrink_for((4000, 3000), (224, 224)) == 8
    assert shrink_for((1792, 1792), (224, 224)) == 8
    assert shrink_for((1792, 1791), (224, 224)) == 4
    assert shrink_for((1000, 450), (224, 224)) == 2
    assert shrink_for((1000, 447), (224, 224)) == 1
    assert shrink_for((10, 10), (224, 224)) == 1


def test_a_decoded_picture_is_given_as_it_is() -> None:
    pixels = scene(10, 20)
    picture = Decoded(pixels)
    assert (picture.width, picture.height) == (20, 10)
    assert picture.pixels(8) is pixels
