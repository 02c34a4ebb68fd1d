"""What a network will see: photos with the part that is kept, beside what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image, ImageDraw

from linne.pixels.decode import decode
from linne.pixels.geometry import fit_to, seen_part
from linne.records.content import Content
from linne.records.errors import ImageError
from linne.records.index import Index
from linne.records.pixel_spec import PixelSpec
from linne.report.thumbnails import SIDE, data_uri

LINE = (64, 190, 140)
"""Around what is kept: to be seen on light and on dark pictures."""

SHADE = 0.55
"""How far what is cut off fades into gray."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One photo.

    Attributes
    ----------
    path, label : str
    width, height : int
        In pixels, upright.
    share : float
        Of its area, that the network sees.
    enlarged : bool
        Whether the network's pixels are finer than the photo's.
    before, after : str
        Data URIs: all of it with what is cut off faded, and the network's input.
    """

    path: str
    label: str
    width: int
    height: int
    share: float
    enlarged: bool
    before: str
    after: str


def seen_images(index: Index, paths: tuple[str, ...], pixels: PixelSpec) -> tuple[Seen, ...]:
    """Show some photos; one that is gone by now, or changed, is left out."""
    shown = []
    for path in paths:
        row = index.row_of(path)
        if row is None:
            continue
        try:
            shown.append(_seen(path, index.label_of(row), index.content(row), pixels))
        except ImageError:
            continue
    return tuple(shown)


def _seen(path: str, label: str, content: Content, pixels: PixelSpec) -> Seen:
    picture = decode(content.read(), 3, content.name)
    width, height = picture.size
    left, top, right, bottom = seen_part(picture.size, pixels)
    given = picture if pixels.channels == 3 else picture.convert("L")
    return Seen(
        path,
        label,
        width,
        height,
        (right - left) * (bottom - top) / (width * height),
        pixels.width * pixels.height > (right - left) * (bottom - top),
        data_uri(_marked(picture, (left, top, right, bottom))),
        data_uri(_visible(fit_to(given, pixels))),
    )


def _marked(picture: Image.Image, box: tuple[float, float, float, float]) -> Image.Image:
    """A small copy in which all outside of a box is faded."""
    width, height = picture.size
    small = picture.copy()
    small.thumbnail((SIDE, SIDE))
    x, y = small.width / width, small.height / height
    left, top, right, bottom = (round(edge) for edge in (box[0] * x, box[1] * y, box[2] * x, box[3] * y))
    right, bottom = max(right, left + 1), max(bottom, top + 1)
    faded = Image.blend(small, Image.new("RGB", small.size, (128, 128, 128)), SHADE)
    faded.paste(small.crop((left, top, right, bottom)), (left, top))
    ImageDraw.Draw(faded).rectangle((left, top, right - 1, bottom - 1), outline=LINE, width=2)
    return faded


def _visible(picture: Image.Image) -> Image.Image:
    """The network's input at the size of the other pictures; small ones keep their pixels, as squares."""
    times = SIDE // max(picture.size)
    if times > 1:
        return picture.resize((picture.width * times, picture.height * times), Image.Resampling.NEAREST)
    picture.thumbnail((SIDE, SIDE))
    return picture
