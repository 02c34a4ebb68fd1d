"""Class folders, with or without train, validation and test above them."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import numpy as np

from linne.index.names import SUBSET_NAMES, natural_key
from linne.index.scan import Image, scan
from linne.records.errors import DataError, printable
from linne.records.index import NONE, SUBSETS, TRAIN, Index, large_strings
from linne.records.set_aside import SetAside

LAYOUT = "put the images of each class in a folder of its own: photos/cat/1.jpg, photos/dog/1.jpg"
LOOSE = "lies in no class folder"


def read_folder(root: Path) -> Index:
    """Index a folder of class folders.

    ``root/CLASS/.../image`` gives images without a subset. Where every folder in `root` that holds
    images is named train, validation (val, valid) or test, and train is among them,
    ``root/SUBSET/CLASS/.../image`` is read and the split is the user's. A folder without images is no class.

    Raises
    ------
    DataError
        No such folder, no images, one class only, a class that train does not have, or half a split.
    """
    if not root.is_dir():
        raise DataError("no such folder" if not root.exists() else "is no folder", file=root, remedy=LAYOUT)
    root = root.resolve()
    images: list[Image] = []
    aside: list[SetAside] = []
    for item in scan(str(root)):
        if isinstance(item, Image):
            images.append(item)
        else:
            aside.append(item)
    subsets = _subset_folders(root, images)
    depth = 2 if subsets else 1

    paths: list[str] = []
    sizes: list[int] = []
    classes: list[str] = []
    subset: list[int] = []
    for image in images:
        parts = image.path.split("/", depth)
        if len(parts) <= depth:
            aside.append(SetAside(image.path, LOOSE))
            continue
        paths.append(image.path)
        sizes.append(image.size)
        classes.append(sys.intern(parts[depth - 1]))
        subset.append(subsets[parts[0]] if subsets else NONE)
    _refuse_unusable(root, classes, subset, aside)

    labels = tuple(sorted(set(classes), key=natural_key))
    position = {name: i for i, name in enumerate(labels)}
    return Index(
        root=str(root),
        labels=labels,
        paths=large_strings(paths),
        label=np.fromiter((position[name] for name in classes), np.int32, len(classes)),
        subset=np.array(subset, np.int8),
        size=np.array(sizes, np.int64),
        set_aside=tuple(aside),
    )


def _subset_folders(root: Path, images: list[Image]) -> dict[str, int]:
    """Folder name to subset, where the folders of the root that hold images are subsets; empty for classes.

    Two folders that are named as subsets and have class folders in them are a split, and no classes.
    """
    names = {image.path.split("/", 1)[0] for image in images if "/" in image.path}
    deep = {image.path.split("/", 1)[0] for image in images if image.path.count("/") > 1}
    meaning = {name: SUBSET_NAMES.get(name.lower()) for name in names}
    named = sorted(name for name, what in meaning.items() if what is not None and name in deep)
    others = sorted((name for name, what in meaning.items() if what is None), key=natural_key)
    if "train" in meaning.values() and not others:
        return {name: SUBSETS.index(what) for name, what in meaning.items() if what is not None}
    if len(named) > 1:
        besides = f"other folders besides: {', '.join(map(printable, others))}" if others else "no train"
        raise DataError(
            f"has the folders {' and '.join(map(printable, named))}, and {besides}",
            file=root,
            remedy="a split has train, validation and test folders and nothing else; rename them if they are classes",
        )
    return {}


def _refuse_unusable(root: Path, classes: list[str], subset: list[int], aside: list[SetAside]) -> None:
    if not classes:
        reasons = Counter(item.reason for item in aside)
        problem = "the images lie in no class folder" if reasons[LOOSE] else "no images found"
        found = "; ".join(f"{reason}: {count}" for reason, count in reasons.most_common(3))
        raise DataError(problem, file=root, value=found or None, remedy=LAYOUT)
    if len(set(classes)) == 1:
        remedy = f"{LAYOUT}; if {printable(classes[0])} holds the classes, give that folder"
        raise DataError("one class only, and a classifier needs two", file=root, value=classes[0], remedy=remedy)
    trained = {name for name, where in zip(classes, subset, strict=True) if where in (NONE, TRAIN)}
    unknown = sorted(set(classes) - trained, key=natural_key)
    if unknown:
        raise DataError(
            "classes that train does not have",
            file=root,
            value=", ".join(map(printable, unknown)),
            remedy="name the class folders alike in train, validation and test",
        )
