"""A contact sheet: rows of pictures with captions on one picture, for the eye."""

from __future__ import annotations

import bisect
import contextlib
import functools
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from linne.records.atomic import replacing
from linne.records.errors import WriteError

MADE_BY = "linne preview"
FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}

MARGIN, GAP, AFTER_FIRST = 16, 8, 24
TITLE, HEADING, TEXT = 20, 26, 13
FONTS = ("DejaVuSans.ttf", "Arial Unicode.ttf", "arial.ttf", "NotoSansCJK-Regular.ttc", "msyh.ttc")
"""Looked for by name; the first that has a text's letters is taken."""

_Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

PAPER, INK, FAINT = (228, 228, 228), (20, 20, 20), (95, 95, 95)

SMALLEST = 112
"""Pictures with shorter sides are enlarged by a whole number, each pixel to a square."""

NARROWEST = 520
"""Pixels, so that there is room for the text above few pictures."""


@dataclass(frozen=True)
class Row:
    """Pictures of one height side by side.

    Attributes
    ----------
    caption : str
        Of the whole row: below it, or above it where pictures have labels of their own.
    pictures : sequence of (channels, height, width) uint8 arrays
    labels : sequence of sequence of str
        Lines below each picture, as many below each; empty where none has one.
    """

    caption: str
    pictures: Sequence[NDArray[np.uint8]]
    labels: Sequence[Sequence[str]] = ()


@dataclass(frozen=True)
class Part:
    """Rows under one heading.

    Attributes
    ----------
    heading : str
    columns : sequence of str
        Above the columns, of which the first stands apart then; empty where they have no names.
    rows : sequence of Row
    """

    heading: str
    columns: Sequence[str]
    rows: Sequence[Row]


def draw_sheet(title: str, lines: Sequence[str], parts: Sequence[Part], size: tuple[int, int]) -> Image.Image:
    """Draw a sheet.

    Parameters
    ----------
    title : str
    lines : sequence of str
        Below it; broken where they are too long.
    parts : sequence of Part
    size : (height, width)
        Of each picture.

    Returns
    -------
    PIL.Image.Image
        RGB. Pictures stand there pixel by pixel, or enlarged by a whole number.
    """
    times = max(1, -(-SMALLEST // max(size)))
    tall, wide = size[0] * times, size[1] * times
    columns = max(len(row.pictures) for part in parts for row in part.rows)
    across = max(columns * wide + (columns - 1) * GAP + (AFTER_FIRST - GAP), NARROWEST)
    sheet = Image.new("RGB", (1, 1), PAPER)
    broken = [piece for line in lines for piece in _Pen(ImageDraw.Draw(sheet), TEXT).broken(line, across)]
    step = TEXT + 6
    height = 2 * MARGIN + TITLE + 10 + len(broken) * step
    for part in parts:
        height += 2 * GAP + HEADING + step * bool(part.columns)
        height += sum(tall + 6 + step * (1 + _label_lines(row)) + GAP for row in part.rows)
    sheet = Image.new("RGB", (across + 2 * MARGIN, height), PAPER)
    big, middle, text = (_Pen(ImageDraw.Draw(sheet), points) for points in (TITLE, TEXT + 2, TEXT))
    y = MARGIN
    big.write((MARGIN, y), title, across, INK)
    y += TITLE + 10
    for piece in broken:
        text.write((MARGIN, y), piece, across, FAINT)
        y += step
    for part in parts:
        apart = AFTER_FIRST - GAP if part.columns else 0
        places = [MARGIN + column * (wide + GAP) + apart * (column > 0) for column in range(columns)]
        y += 2 * GAP
        middle.write((MARGIN, y), part.heading, across, INK)
        y += HEADING
        for x, name in zip(places, part.columns, strict=False):
            text.write((x, y), name, wide, FAINT)
        y += step * bool(part.columns)
        for row in part.rows:
            if row.labels:
                text.write((MARGIN, y), row.caption, across, FAINT)
                y += step
            for x, picture in zip(places, row.pictures, strict=False):
                sheet.paste(_enlarged(picture, times), (x, y))
            y += tall + 6
            if row.labels:
                for x, lines_below in zip(places, row.labels, strict=False):
                    for number, line in enumerate(lines_below):
                        text.write((x, y + number * step), line, wide, INK)
                y += step * _label_lines(row)
            else:
                text.write((MARGIN, y), row.caption, across, INK)
                y += step
            y += GAP
    return sheet


def _label_lines(row: Row) -> int:
    return max((len(lines) for lines in row.labels), default=0)


def sheet_format(path: Path) -> str:
    """Choose by the name's end; `WriteError` for another end, or where something else than a sheet lies there."""
    found = FORMATS.get(path.suffix.lower())
    if found is None:
        raise WriteError("ends neither in .png nor in .jpg", file=path, remedy="choose another --out")
    if path.exists() and not _is_ours(path):
        raise WriteError("is no earlier preview, and is left as it is", file=path, remedy="choose another --out")
    return found


def write_sheet(path: Path, sheet: Image.Image) -> None:
    """Write a sheet in the format of its name; `WriteError` where `sheet_format` has one, or it cannot be written."""
    wanted = sheet_format(path)
    told = PngInfo()
    told.add_text("Software", MADE_BY)
    with replacing(path) as part:
        if wanted == "PNG":
            sheet.save(part, wanted, pnginfo=told)
        else:
            sheet.save(part, wanted, quality=92, comment=MADE_BY.encode())


def _is_ours(path: Path) -> bool:
    try:
        with Image.open(path, formats=("PNG", "JPEG")) as picture:
            return MADE_BY in (picture.info.get("Software"), picture.info.get("comment", b"").decode(errors="replace"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return False


class _Pen:
    """Writes text of one size, in a font that has its letters."""

    def __init__(self, draw: ImageDraw.ImageDraw, size: int) -> None:
        self._draw, self._fonts = draw, _fonts(size)
        self.size = size

    def width(self, text: str) -> float:
        """Pixels that a line takes."""
        font, text = self._in_font(text)
        return font.getlength(text)

    def write(self, place: tuple[int, int], text: str, width: int, ink: tuple[int, int, int]) -> None:
        """Write a line; the middle of what is too long is left out."""
        font, text = self._in_font(self.fitted(text, width))
        self._draw.text(place, text, ink, font)

    def fitted(self, text: str, width: int) -> str:
        """Leave out the middle of what is too long."""
        if self.width(text) <= width:
            return text

        def kept(letters: int) -> str:
            return f"{text[: letters - letters // 2]}…{text[len(text) - letters // 2 :]}"

        return kept(
            bisect.bisect_right(range(1, len(text)), float(width), key=lambda letters: self.width(kept(letters)))
        )

    def broken(self, text: str, width: int) -> list[str]:
        """Break a text into lines between words."""
        lines: list[str] = []
        for word in text.split():
            if lines and self.width(f"{lines[-1]} {word}") <= width:
                lines[-1] = f"{lines[-1]} {word}"
            else:
                lines.append(word)
        return lines

    def _in_font(self, text: str) -> tuple[_Font, str]:
        for font in self._fonts:
            if all(_has(font, letter) for letter in set(text)):
                return font, text
        plain = [letter if _has(self._fonts[0], letter) else _plain(letter) for letter in text]
        return self._fonts[0], "".join(plain)


@functools.cache
def _fonts(size: int) -> tuple[_Font, ...]:
    """Fonts that are installed, and the one that Pillow brings, which has little more than English letters."""
    found: list[_Font] = []
    for name in FONTS:
        with contextlib.suppress(OSError):  # it is not installed
            found.append(ImageFont.truetype(name, size))
    return (*found, ImageFont.load_default(size))


@functools.cache
def _has(font: _Font, letter: str) -> bool:
    """Whether a font draws a letter otherwise than one that no font has."""
    return letter.isspace() or bytes(font.getmask(letter)) != bytes(font.getmask("\uffff"))


def _plain(letter: str) -> str:
    """The letter without its accent, or a question mark."""
    return "".join(part for part in unicodedata.normalize("NFKD", letter) if part.isascii()) or "?"


def _enlarged(picture: NDArray[np.uint8], times: int) -> Image.Image:
    image = Image.fromarray(picture[0] if len(picture) == 1 else np.ascontiguousarray(picture.transpose(1, 2, 0)))
    return image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST)
