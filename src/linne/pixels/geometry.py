"""A picture of any size to the size of a network's input."""

from __future__ import annotations

from PIL import Image

from linne.records.pixel_spec import Interpolation, PixelSpec

WHITE = 255

_FILTERS: dict[Interpolation, Image.Resampling] = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


def fit_to(picture: Image.Image, spec: PixelSpec) -> Image.Image:
    """Crop, pad or stretch a picture to ``(spec.height, spec.width)``.

    Parameters
    ----------
    picture : PIL.Image.Image
        Mode ``L`` or ``RGB``, any size.

    Returns
    -------
    PIL.Image.Image
        The same mode, of the spec's size.
    """
    if spec.fit == "stretch":
        return _resize(picture, spec.width, spec.height, spec.interpolation)
    if spec.fit == "pad":
        return _pad(picture, spec)
    return _centre_crop(picture, spec)


def seen_part(size: tuple[int, int], spec: PixelSpec) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of what a spec keeps of a picture of ``(width, height)``, in its own pixels.

    Sides and edges are rounded as torchvision's Resize and CenterCrop do: that is what published weights saw.
    """
    width, height = size
    if spec.fit != "crop":
        return 0, 0, width, height
    shorter = min(width, height)
    scaled_width, scaled_height = width * spec.resize // shorter, height * spec.resize // shorter
    left = round((scaled_width - spec.width) / 2)
    top = round((scaled_height - spec.height) / 2)
    x, y = width / scaled_width, height / scaled_height
    return left * x, top * y, (left + spec.width) * x, (top + spec.height) * y


def _resize(picture: Image.Image, width: int, height: int, interpolation: Interpolation) -> Image.Image:
    if picture.size == (width, height):
        return picture
    return picture.resize((width, height), _FILTERS[interpolation])


def _centre_crop(picture: Image.Image, spec: PixelSpec) -> Image.Image:
    """Scale the shorter side to ``spec.resize``, then cut the centre.

    Only what the crop keeps is resampled, so that a strip of 1 x 10,000 pixels costs no more than a square.
    """
    box = seen_part(picture.size, spec)
    return picture.resize((spec.width, spec.height), _FILTERS[spec.interpolation], box=box)


def _pad(picture: Image.Image, spec: PixelSpec) -> Image.Image:
    width, height = picture.size
    scale = min(spec.width / width, spec.height / height)
    inner_width = min(spec.width, max(1, round(width * scale)))
    inner_height = min(spec.height, max(1, round(height * scale)))
    inner = _resize(picture, inner_width, inner_height, spec.interpolation)
    paper = Image.new(picture.mode, (spec.width, spec.height), WHITE if picture.mode == "L" else (WHITE,) * 3)
    paper.paste(inner, ((spec.width - inner_width) // 2, (spec.height - inner_height) // 2))
    return paper
