"""Are pictures of something else found among photos, and are classes that something cheap gives away?

The threshold was set on one set of pictures (`to_tune`), and is judged on another (`planting.other_things`), each
planted among all photos. Shortcuts are planted by storing one class otherwise.

Usage: off_topic.py PHOTOS WEIGHTS
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from degrading import jpeg
from harness import Comparison, Table, main
from near_duplicates import digits
from PIL import Image, ImageEnhance, ImageOps
from planting import other_things
from sklearn.metrics import average_precision_score

from linne.audit.outliers import FAR, neighbour_distance, robustly_far
from linne.audit.shortcuts import TELLING, accuracies
from linne.embed.embedding import Embedding, embed
from linne.index.photos import read_images
from linne.pixels.facts import Facts
from linne.records.index import Index
from linne.records.progress import Silent
from linne.road.look import gather

GRID = [2.0, 2.25, 2.5, 3.0]
SIDE = 533
SCALES = (10_000, 20_000, 40_000)


def to_tune() -> list[Image.Image]:
    """Pictures of other packages, some of their corners, scans of digits, noise, a plain colour."""
    import matplotlib
    import skimage
    import sklearn

    data = Path(skimage.__file__).parent / "data"
    files = [data / name for name in ("astronaut.png", "logo.png", "phantom.png", "text.png")]
    files += [Path(sklearn.__file__).parent / "datasets" / "images" / name for name in ("china.jpg", "flower.jpg")]
    files.append(Path(matplotlib.__file__).parent / "mpl-data" / "sample_data" / "grace_hopper.jpg")
    pictures = [Image.open(file).convert("RGB") for file in files]
    corners = [picture.crop((0, 0, picture.width // 2, picture.height // 2)) for picture in pictures]
    noise = np.random.default_rng(0).integers(0, 256, (400, 400, 3), dtype=np.uint8)
    pictures += [*corners, *digits(4), Image.fromarray(noise), Image.new("RGB", (400, 533), (90, 40, 30))]
    for picture in pictures:
        picture.thumbnail((SIDE, SIDE))
    return pictures


def seen(folder: Path, weights: Path, cache: Path) -> tuple[Index, Embedding]:
    material = gather(folder, None, weights, None, 0, Silent(), labelled=False)
    return material.index, embed(material.index, material.backbone, cache, Silent())


def found(title: str, photos: Embedding, others: Embedding) -> Table:
    """For each threshold how many are told of, and how many of them were planted."""
    features = np.concatenate([photos.features, others.features])
    planted = np.repeat([False, True], [len(photos.features), len(others.features)])
    rows = np.arange(len(features))
    far = robustly_far(neighbour_distance(features, rows, rows, np.random.default_rng(0)))
    precision = round(float(average_precision_score(planted, far)), 3)
    lines = [
        (f"{t:g}{', chosen' * (t == FAR)}", int((far > t).sum()), int((far[planted] > t).sum()), precision)
        for t in GRID
    ]
    title = f"{title}: {planted.sum()} pictures among {len(photos.features):,} photos"
    return Table(title, ("deviations", "told", "of them planted", "AP"), tuple(lines))


def _png(picture: Image.Image, file: Path) -> None:
    picture.save(file.with_suffix(".png"), compress_level=1)


def _bordered(picture: Image.Image, file: Path) -> None:
    file.write_bytes(jpeg(ImageOps.expand(picture, 20, "white")))


STORED: dict[str, Callable[[Image.Image, Path], object]] = {
    "as PNG": _png,
    "with a white border": _bordered,
    "at quality 90": lambda picture, file: file.write_bytes(jpeg(picture)),
    "at half the size": lambda picture, file: file.write_bytes(jpeg(picture.reduce(2))),
    "60% brighter": lambda picture, file: file.write_bytes(jpeg(ImageEnhance.Brightness(picture).enhance(1.6))),
    "in gray": lambda picture, file: file.write_bytes(jpeg(picture.convert("L"))),
}


def planted_shortcuts(index: Index, facts: Facts) -> Table:
    """What tells shoes (or the first class) best, as photos are, and when its files are stored otherwise."""
    name = "shoes" if "shoes" in index.labels else index.labels[0]
    label = index.labels.index(name)
    rows = np.flatnonzero(index.label == label)
    lines = [("as they are", *_best(index, facts, label))]
    for how, store in STORED.items():
        with tempfile.TemporaryDirectory(prefix="linne-bench-") as folder:
            for row in rows:
                with Image.open(Path(index.root, index.path(int(row)))) as picture:
                    store(picture.convert("RGB"), Path(folder, f"{row:08d}.jpg"))
            changed = embed(read_images(Path(folder)), None, Path(folder, "cache"), Silent()).facts
        columns = {field: getattr(facts, field).copy() for field in vars(facts)}
        for field, values in columns.items():
            values[rows] = getattr(changed, field)
        lines.append((how, *_best(index, replace(facts, **columns), label)))
    others = [_best(index, facts, i)[::-1] for i in range(len(index.labels))]
    most = max(range(len(others)), key=lambda i: others[i][0])
    lines.append(
        (f"the most of any class as they are: {index.labels[most]}", others[most][1], round(others[most][0], 3))
    )
    return Table(
        f"Shortcuts: what tells {name}; told from {TELLING} on", ("", "fact", "balanced accuracy"), tuple(lines)
    )


def _best(index: Index, facts: Facts, label: int) -> tuple[str, float]:
    told = accuracies(index, facts, np.arange(len(index)))
    accuracy, fact = max((float(recall[label] + rest[label]) / 2, fact.name) for fact, recall, rest in told)
    return fact, round(accuracy, 3)


def scale(width: int) -> Table:
    """Seconds for many images, of as many numbers as the network gives."""
    rng = np.random.default_rng(0)
    lines = []
    for images in SCALES:
        features, rows = rng.random((images, width), np.float32), np.arange(images)
        start = time.perf_counter()
        neighbour_distance(features, rows, rows, rng)
        seconds = time.perf_counter() - start
        lines.append((f"{images:,}", round(seconds, 2), round(1e6 * seconds / images, 1)))
    return Table(f"Distances of {width} features", ("images", "seconds", "seconds a million"), tuple(lines))


def measure(given: argparse.Namespace) -> Iterator[Comparison | Table]:
    with tempfile.TemporaryDirectory(prefix="linne-bench-") as folder:
        cache = Path(folder, "cache")
        index, photos = seen(given.photos, given.weights, cache)
        for title, pictures in (("Threshold set on", to_tune()), ("Judged on", other_things(20))):
            place = Path(folder, "others")
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir()
            for number, picture in enumerate(pictures):
                (place / f"{number}.jpg").write_bytes(jpeg(picture))
            yield found(title, photos, seen(place, given.weights, cache)[1])
        yield planted_shortcuts(index, photos.facts)
        yield scale(photos.features.shape[1])


if __name__ == "__main__":
    main(__doc__, measure, [("photos", {"type": Path}), ("weights", {"type": Path})])
