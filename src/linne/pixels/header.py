"""What an image file says of itself before its pixels are decoded."""

from __future__ import annotations

from typing import NamedTuple

from PIL import Image

_ORIENTATION = 0x0112


class Header(NamedTuple):
    """Read from a file's first bytes.

    Attributes
    ----------
    format : str
        One of `linne.pixels.decode.FORMATS`; JPEG for MPO, too, which is one with further pictures behind it.
    mode : str
        Pillow's name of the stored mode: RGB, L, P, RGBA, CMYK, I;16, ...
    orientation : int
        Of EXIF, 1 to 8; 1 where there is none.
    animated : bool
        Whether there are further frames or pages, which nobody sees. A JPEG's second picture is a preview.
    """

    format: str
    mode: str
    orientation: int = 1
    animated: bool = False


def header_of(picture: Image.Image) -> Header:
    """Tell of a picture that is opened, and not loaded yet, for loading can change its mode."""
    if picture.format in ("JPEG", "MPO"):
        return Header("JPEG", picture.mode, orientation_of(picture))
    return Header(picture.format or "", picture.mode, orientation_of(picture), _is_animated(picture))


def orientation_of(picture: Image.Image) -> int:
    """EXIF orientation, 1 to 8; 1 where none can be read."""
    try:
        orientation = int(picture.getexif().get(_ORIENTATION, 1))
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - Pillow's readers raise anything; damaged metadata is no damaged picture
        return 1
    return orientation if 1 <= orientation <= 8 else 1


def _is_animated(picture: Image.Image) -> bool:
    try:
        return bool(getattr(picture, "is_animated", False))
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - GIF looks at the second frame, which may be damaged; the first is what counts
        return False
