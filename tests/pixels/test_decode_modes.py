"""Each row of the policy in decode.py, against values that NumPy gives without it."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from images import encode, noise, png_of_16_bit_colours, scene, turned
from PIL import Image

from linne.pixels.decode import decode

pytestmark = pytest.mark.filterwarnings(r"ignore:::PIL\.")  # pytest undoes the filter of decode.py

Array = np.ndarray


def rgb(content: bytes) -> Array:
    picture = decode(content, 3)
    assert picture.mode == "RGB"
    return np.asarray(picture).astype(int)


def gray(content: bytes) -> Array:
    picture = decode(content, 1)
    assert picture.mode == "L"
    return np.asarray(picture).astype(int)


def repeated(values: Array) -> Array:
    return np.repeat(values[..., None], 3, axis=2)


def luma(values: Array) -> Array:
    """ITU-R 601."""
    return values @ np.array([0.299, 0.587, 0.114])


# What the file stores to what a person sees, by EXIF's definition of where row 0 and column 0 lie.
TURNS: dict[int, Callable[[Array], Array]] = {
    1: lambda stored: stored,
    2: lambda stored: stored[:, ::-1],
    3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1],
    5: lambda stored: stored.transpose(1, 0, 2),
    6: lambda stored: stored.transpose(1, 0, 2)[:, ::-1],
    7: lambda stored: stored[::-1, ::-1].transpose(1, 0, 2),
    8: lambda stored: stored.transpose(1, 0, 2)[::-1],
}


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("orientation", TURNS)
def test_exif_orientation(orientation: int, kind: str) -> None:
    stored = noise(5, 7)
    assert np.array_equal(rgb(turned(stored, orientation, kind)), TURNS[orientation](stored))


@pytest.mark.parametrize("orientation", TURNS)
def test_exif_orientation_of_photos(orientation: int) -> None:
    stored = scene(40, 64)
    difference = rgb(turned(stored, orientation, "JPEG")) - TURNS[orientation](stored)
    assert np.abs(difference).mean() < 6  # one turned wrongly is off by 60 and more


@pytest.mark.parametrize("exif", [b"Exif\0\0no tiff at all", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff", b"Exif\0\0", b"junk"])
def test_damaged_exif_is_passed_over(exif: bytes) -> None:
    stored = scene(16, 24)
    assert np.array_equal(rgb(encode(stored, "JPEG", exif=exif)), rgb(encode(stored, "JPEG")))


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP", "PPM", "GIF", "TGA"])
def test_gray_is_kept(kind: str) -> None:
    values = noise(6, 9, 1)
    assert np.array_equal(rgb(encode(values, kind)), repeated(values))
    assert np.array_equal(gray(encode(values, kind)), values)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP", "PPM"])
def test_one_bit(kind: str) -> None:
    bits = noise(6, 9, 1) > 127
    assert np.array_equal(rgb(encode(bits, kind)), repeated(bits * 255))


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP", "PPM", "TGA", "ICO"])
def test_colours_are_kept_and_gray_is_their_luma(kind: str) -> None:
    values = noise(16, 16)
    content = encode(values, kind)
    assert np.array_equal(rgb(content), values)
    assert np.abs(gray(content) - luma(values)).max() <= 1


@pytest.mark.parametrize("kind", ["WEBP", "JPEG2000", "AVIF"])
def test_formats_that_can_be_lossless(kind: str) -> None:
    values = scene(32, 48)
    options = {"WEBP": {"lossless": True}, "AVIF": {"quality": 100, "subsampling": "4:4:4"}}.get(kind, {})
    assert np.abs(rgb(encode(values, kind, **options)) - values).max() <= 3


def paletted() -> tuple[Image.Image, Array, Array]:
    """A picture, its palette and its indexes."""
    indexes, palette = noise(6, 9, 1) % 16, noise(16, 1)[:, 0]
    picture = Image.fromarray(indexes, "L")
    picture.putpalette(palette.tobytes())
    return picture, palette, indexes


@pytest.mark.parametrize("kind", ["PNG", "GIF", "TIFF", "BMP"])
def test_palette(kind: str) -> None:
    picture, palette, indexes = paletted()
    assert np.array_equal(rgb(encode(picture, kind)), palette[indexes])


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_palette_with_a_colour_that_is_transparent(kind: str) -> None:
    picture, palette, indexes = paletted()
    expected = palette[indexes].copy()
    expected[indexes == 3] = 255
    assert np.array_equal(rgb(encode(picture, kind, transparency=3)), expected)


def over_white(values: Array, alpha: Array) -> Array:
    share = alpha[..., None] / 255
    return values * share + 255 * (1 - share)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "TGA"])
def test_partial_transparency_lies_over_white(kind: str) -> None:
    values = noise(8, 9, 4)
    options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    expected = over_white(values[..., :3], values[..., 3])
    assert np.abs(rgb(encode(values, kind, **options)) - expected).max() <= 1


def test_gray_with_transparency() -> None:
    values = noise(8, 9, 2)
    expected = over_white(repeated(values[..., 0]), values[..., 1])
    assert np.abs(rgb(encode(Image.fromarray(values, "LA"), "PNG")) - expected).max() <= 1


def test_one_colour_of_an_opaque_png_that_is_transparent() -> None:
    values = noise(8, 9)
    expected = values.copy()
    expected[2, 3] = 255
    assert np.array_equal(rgb(encode(values, "PNG", transparency=tuple(values[2, 3].tolist()))), expected)


def naive_rgb(cmyk: Array) -> Array:
    return 255 * (1 - cmyk[..., :3] / 255) * (1 - cmyk[..., 3:] / 255)


def test_cmyk() -> None:
    inks = noise(8, 8, 4)
    assert np.abs(rgb(encode(Image.fromarray(inks, "CMYK"), "TIFF")) - naive_rgb(inks)).max() <= 2


def test_adobes_inverted_cmyk_jpeg() -> None:
    inks = np.concatenate([scene(32, 32, 1), scene(32, 32, 2)[..., :1] // 2], axis=2)
    content = encode(Image.fromarray(inks, "CMYK"), "JPEG", quality=100, subsampling=0)
    assert b"Adobe" in content  # Pillow writes the marker, and the inks inverted
    assert np.abs(rgb(content) - naive_rgb(inks)).mean() < 2


def test_ycbcr() -> None:
    stored = scene(16, 16)
    y, cb, cr = (stored[..., channel].astype(float) for channel in range(3))
    expected = np.stack(
        [y + 1.402 * (cr - 128), y - 0.344136 * (cb - 128) - 0.714136 * (cr - 128), y + 1.772 * (cb - 128)], axis=2
    )
    content = encode(Image.fromarray(stored, "YCbCr"), "TIFF")
    assert np.abs(rgb(content) - np.clip(expected, 0, 255)).max() <= 2


def test_lab() -> None:
    lightness = np.linspace(0, 255, 64).astype(np.uint8).reshape(8, 8)
    flat = np.full((8, 8), 128, np.uint8)  # Pillow's zero of a and b: gray, whose lightness CIE defines
    content = encode(Image.merge("LAB", [Image.fromarray(plane) for plane in (lightness, flat, flat)]), "TIFF")
    f = (lightness / 255 * 100 + 16) / 116
    linear = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29))
    srgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    assert np.abs(rgb(content) - repeated(srgb * 255)).max() <= 3


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM"])
def test_16_bit_gray(kind: str) -> None:
    values = np.random.default_rng(0).integers(0, 65536, (9, 11), dtype=np.uint16)
    values[0, :2] = 0, 65535
    assert np.array_equal(gray(encode(values, kind)), np.rint(values / 257))


def test_16_bit_gray_of_the_other_byte_order() -> None:
    values = np.random.default_rng(0).integers(0, 65536, (9, 11), dtype=np.uint16)
    content = encode(Image.frombytes("I;16B", (11, 9), values.astype(">u2").tobytes()), "TIFF")
    assert np.array_equal(gray(content), np.rint(values / 257))


def test_dark_16_bit_gray_stays_dark() -> None:
    assert gray(encode(np.full((4, 4), 2570, np.uint16), "PNG")).tolist() == [[10] * 4] * 4


def test_16_bit_colours_keep_their_high_bytes() -> None:
    values = np.random.default_rng(0).integers(0, 65536, (9, 11, 3), dtype=np.uint16)
    assert np.abs(rgb(png_of_16_bit_colours(values)) - values / 257).max() <= 1


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [
        (np.linspace(0, 1, 12, dtype=np.float32), 0, 1),
        (np.linspace(0, 0.25, 12, dtype=np.float32), 0, 1),
        (np.linspace(0, 60_000, 12, dtype=np.float32), 0, 65535),
        (np.linspace(-3, 5, 12, dtype=np.float32), -3, 5),
        (np.linspace(0, 60_000, 12).astype(np.int32), 0, 65535),
        (np.linspace(-7, 2**31 - 1, 12).astype(np.int32), -7, 2**31 - 1),
        (np.full(12, 5, np.int32), 0, 65535),
    ],
)
def test_32_bit(values: Array, low: float, high: float) -> None:
    expected = (values.astype(float) - low) / (high - low) * 255
    assert np.abs(gray(encode(values.reshape(3, 4), "TIFF")) - expected.reshape(3, 4)).max() <= 0.501


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_the_first_frame_counts(kind: str) -> None:
    frames = [Image.new("RGB", (8, 6), colour) for colour in ("red", "lime", "blue")]
    options = {"lossless": True} if kind == "WEBP" else {}
    content = encode(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    assert getattr(Image.open(io.BytesIO(content)), "n_frames", 1) == 3
    assert np.array_equal(rgb(content), np.broadcast_to([255, 0, 0], (6, 8, 3)))
