"""Faults planted by seed among photos in class folders, and the truth about them.

What is planted, shares of all photos: 10% of the labels flipped to any other class, 10% to a class that looks alike,
3% exact copies, 3% near copies (recompressed, resized, cropped by 5%, brightened, mirrored), 20 files that cannot be
read, 20 pictures of other things. No photo has two faults.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

ALIKE = {
    "dress": ("skirt",),
    "skirt": ("dress", "shorts"),
    "shorts": ("pants", "skirt"),
    "pants": ("shorts",),
    "shirt": ("longsleeve", "t-shirt"),
    "t-shirt": ("longsleeve", "shirt"),
    "longsleeve": ("t-shirt", "outwear", "shirt"),
    "outwear": ("longsleeve", "shirt"),
}
"""Classes of clothes that look alike, as a person sees it; hats and shoes look like nothing else."""

FLIPPED, COPIED, ODD = 0.1, 0.03, 20


@dataclass
class Truth:
    """What was planted. Paths are relative to the folder, with ``/``.

    Attributes
    ----------
    uniform, alike : dict
        Flipped labels: path to true class.
    exact : dict
        Copy to original.
    near : dict
        Name of the change to copy to original.
    unreadable, off_topic : list of str
    """

    uniform: dict[str, str] = field(default_factory=dict)
    alike: dict[str, str] = field(default_factory=dict)
    exact: dict[str, str] = field(default_factory=dict)
    near: dict[str, dict[str, str]] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)
    off_topic: list[str] = field(default_factory=list)

    @property
    def flipped(self) -> dict[str, str]:
        """All flipped labels."""
        return {**self.uniform, **self.alike}

    @property
    def near_pairs(self) -> dict[str, str]:
        """All near copies."""
        return {copy: original for pairs in self.near.values() for copy, original in pairs.items()}


def plant(photos: Path, folder: Path, seed: int) -> Truth:
    """Copy `photos` (classes, or subsets with classes in each) to `folder` as class folders, with faults."""
    rng = np.random.default_rng(seed)
    files = sorted(path for path in photos.rglob("*.jpg"))
    classes = sorted({path.parent.name for path in files})
    true = [path.parent.name for path in files]
    alike, uniform, others = flips(true, rng)
    copies, rest = round(COPIED * len(files)), iter(others)
    truth = Truth()
    place: dict[int, str] = {}
    for i, file in enumerate(files):
        place[i] = f"{alike.get(i, uniform.get(i, true[i]))}/{file.parent.parent.name}-{file.name}"
        if i in alike:
            truth.alike[place[i]] = true[i]
        elif i in uniform:
            truth.uniform[place[i]] = true[i]
    for i, name in place.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(files[i], target)
    for k in range(copies):
        i = next(rest)
        copy = f"{Path(place[i]).parent}/again-{k}.jpg"
        shutil.copyfile(files[i], folder / copy)
        truth.exact[copy] = place[i]
    changes = list(CHANGES)
    for k in range(copies):
        i, change = next(rest), changes[k % len(changes)]
        copy = f"{Path(place[i]).parent}/{change}-{k}.jpg"
        (folder / copy).write_bytes(CHANGES[change](Image.open(files[i]).convert("RGB")))
        truth.near.setdefault(change, {})[copy] = place[i]
    for k in range(ODD):
        name = f"{rng.choice(classes)}/broken-{k}.jpg"
        (folder / name).write_bytes(_broken(files[next(rest)].read_bytes(), k, rng))
        truth.unreadable.append(name)
    for k, picture in enumerate(other_things(ODD)):
        name = f"{rng.choice(classes)}/other-{k}.jpg"
        (folder / name).write_bytes(_jpeg(picture.convert("RGB"), 90))
        truth.off_topic.append(name)
    return truth


def flips(
    true: Sequence[str], rng: np.random.Generator, uniform: float = FLIPPED, alike: float = FLIPPED
) -> tuple[dict[int, str], dict[int, str], list[int]]:
    """Flip shares of labels to a class that looks alike, and to any other: new labels by row, and the rows left."""
    classes = sorted(set(true))
    order = rng.permutation(len(true))
    can_be_alike = [int(i) for i in order if true[i] in ALIKE][: round(alike * len(true))]
    taken = set(can_be_alike)
    rest = [int(i) for i in order if i not in taken]
    anywhere, others = rest[: round(uniform * len(true))], rest[round(uniform * len(true)) :]
    to_alike = {i: str(rng.choice(ALIKE[true[i]])) for i in sorted(can_be_alike)}
    to_any = {i: str(rng.choice([name for name in classes if name != true[i]])) for i in anywhere}
    return to_alike, to_any, others


def other_things(number: int) -> list[Image.Image]:
    """Pictures that show no clothes, of scikit-image's own: a cat, a rocket, coins, a page of text, ..."""
    import skimage

    names = [
        "brick.png",
        "camera.png",
        "cell.png",
        "chelsea.png",
        "chessboard_GRAY.png",
        "clock_motion.png",
        "coffee.png",
        "coins.png",
        "color.png",
        "grass.png",
        "gravel.png",
        "horse.png",
        "hubble_deep_field.jpg",
        "ihc.png",
        "microaneurysms.png",
        "moon.png",
        "motorcycle_left.png",
        "page.png",
        "retina.jpg",
        "rocket.jpg",
    ]
    folder = Path(skimage.__file__).parent / "data"
    pictures = [Image.open(folder / name).convert("RGB") for name in names[:number]]
    for picture in pictures:
        picture.thumbnail((533, 533))
    return pictures


def _jpeg(picture: Image.Image, quality: int) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return file.getvalue()


def _resized(picture: Image.Image) -> bytes:
    return _jpeg(picture.resize((round(0.6 * picture.width), round(0.6 * picture.height))), 90)


def _cropped(picture: Image.Image) -> bytes:
    x, y = round(0.025 * picture.width), round(0.025 * picture.height)
    return _jpeg(picture.crop((x, y, picture.width - x, picture.height - y)), 90)


CHANGES: dict[str, Callable[[Image.Image], bytes]] = {
    "recompressed": lambda picture: _jpeg(picture, 40),
    "resized": _resized,
    "cropped": _cropped,
    "brightened": lambda picture: _jpeg(ImageEnhance.Brightness(picture).enhance(1.2), 90),
    "mirrored": lambda picture: _jpeg(ImageOps.mirror(picture), 90),
}


def _broken(content: bytes, kind: int, rng: np.random.Generator) -> bytes:
    """Cut off somewhere, or no image at all."""
    match kind % 5:
        case 0 | 1 | 2:
            return content[: round(len(content) * rng.uniform(0.05, 0.95))]
        case 3:
            return rng.bytes(len(content))
        case _:
            return b"<html><body>404 not found</body></html>"
