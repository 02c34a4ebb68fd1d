"""Whatever the bytes: a picture or an `ImageError`, soon, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from images import encode, noise, png_that_claims, scene
from PIL import Image

from linne.pixels.decode import MAX_PIXELS, decode
from linne.records.errors import ImageError

pytestmark = pytest.mark.filterwarnings(r"ignore:::PIL\.")  # pytest undoes the filter of decode.py

FORMATS = ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "PPM", "ICO", "TGA", "JPEG2000", "AVIF"]
WHOLE = {kind: encode(scene(32, 40), kind) for kind in FORMATS}
WHOLE["TIFF in strips"] = encode(scene(32, 40), "TIFF", compression="tiff_lzw")
WHOLE["PNG of 16 bits"] = encode(np.arange(1200, dtype=np.uint16).reshape(30, 40) * 50, "PNG")
WHOLE["progressive JPEG"] = encode(scene(32, 40), "JPEG", progressive=True)
WHOLE["CMYK"] = encode(Image.fromarray(noise(32, 40, 4), "CMYK"), "JPEG")


def try_to_decode(content: bytes) -> Image.Image | None:
    refused = None
    try:
        picture = decode(content, 3, "some.file")
    except ImageError as error:
        refused = error
    if refused is not None:
        assert refused.file == "some.file"
        assert refused.remedy
        return None
    assert picture.mode == "RGB"
    np.asarray(picture)
    return picture


@pytest.mark.parametrize("name", WHOLE)
@settings(max_examples=30)
@given(share=st.floats(0, 0.999))
def test_cut_files(name: str, share: float) -> None:
    whole = WHOLE[name]
    try_to_decode(whole[: int(len(whole) * share)])


@pytest.mark.parametrize("name", ["JPEG", "PNG", "BMP", "TIFF", "PPM", "WEBP", "PNG of 16 bits"])
def test_half_a_picture_is_none(name: str) -> None:
    assert try_to_decode(WHOLE[name][: len(WHOLE[name]) // 2]) is None


@pytest.mark.parametrize("name", WHOLE)
@settings(max_examples=40)
@given(data=st.data())
def test_files_with_wrong_bytes(name: str, data: st.DataObject) -> None:
    content = bytearray(WHOLE[name])
    # Headers are short and decide most: every other place is one of the first hundred bytes.
    places = st.integers(0, min(100, len(content) - 1)) | st.integers(0, len(content) - 1)
    for place, value in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), min_size=1, max_size=4)):
        content[place] = value
    try_to_decode(bytes(content))


@given(st.binary(max_size=200))
def test_random_bytes(content: bytes) -> None:
    try_to_decode(content)


@given(magic=st.sampled_from(sorted(WHOLE)), rest=st.binary(max_size=200))
def test_random_bytes_after_a_true_beginning(magic: str, rest: bytes) -> None:
    try_to_decode(WHOLE[magic][:16] + rest)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 1000,
        b"<!DOCTYPE html><html><body>404</body></html>",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.7\n",
        b"PK\x03\x04",
        b"GIF89a",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        png_that_claims(0, 10),
    ],
)
def test_no_images(content: bytes) -> None:
    assert try_to_decode(content) is None


def test_formats_whose_readers_start_programs_are_not_opened() -> None:
    assert try_to_decode(encode(scene(8, 8), "EPS")) is None


BOMB = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]),) * 2)
from images import png_that_claims
from linne.pixels.decode import decode
from linne.records.errors import ImageError
for side in (60_000, 13_378, 2**31 - 1):
    try:
        decode(png_that_claims(side, side), 3)
    except ImageError as error:
        assert "pixels" in error.problem, error
    else:
        sys.exit(1)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="no limit on memory elsewhere")
def test_a_bomb_is_refused_at_once_and_without_memory() -> None:
    paths = [str(Path(__file__).parents[1]), *sys.path]
    command = [sys.executable, "-c", BOMB, str(1 << 30)]
    subprocess.run(command, check=True, timeout=60, env={"PYTHONPATH": ":".join(paths), "OPENBLAS_NUM_THREADS": "1"})
    assert MAX_PIXELS < 13_378**2


def test_a_bomb_inside_an_icon_is_refused() -> None:
    inside = png_that_claims(60_000, 60_000)
    entry = bytes([16, 16, 0, 0, 1, 0, 32, 0]) + len(inside).to_bytes(4, "little") + (22).to_bytes(4, "little")
    assert try_to_decode(b"\0\0\x01\0\x01\0" + entry + inside) is None


def test_threads_leave_the_filters_of_warnings_alone() -> None:
    before = list(warnings.filters)
    content = encode(scene(300, 300), "PNG")

    def work() -> None:
        for _ in range(40):
            decode(content, 3)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert warnings.filters == before


def test_strict_warnings_are_no_other_exception() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for whole in WHOLE.values():
            for share in (0.2, 0.5, 0.9):
                try_to_decode(whole[: int(len(whole) * share)])


def test_intensities_that_are_no_numbers_are_refused_without_a_warning() -> None:
    for bits in (0x7FA00000, 0x7FC00000, 0x7F800000):  # NaN that signals, NaN that does not, infinity
        content = encode(np.full((4, 4), bits, np.uint32).view(np.float32), "TIFF")
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            with pytest.raises(ImageError, match="no numbers"):
                decode(content, 3)


def test_too_little_memory_for_metadata_is_no_upright_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(picture: Image.Image) -> None:
        raise MemoryError

    monkeypatch.setattr(Image.Image, "getexif", fail)
    with pytest.raises(MemoryError):
        decode(WHOLE["BMP"], 3)
