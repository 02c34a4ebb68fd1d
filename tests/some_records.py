"""Small records with everything in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from linne.records.bundle import Bundle, Parity
from linne.records.contained import Contained
from linne.records.containers import Container
from linne.records.index import Index, large_strings
from linne.records.pixel_spec import PixelSpec
from linne.records.set_aside import SetAside

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def spec(**changes: Any) -> PixelSpec:
    fields: dict[str, Any] = {
        "height": 224,
        "width": 224,
        "channels": 3,
        "fit": "crop",
        "resize": 256,
        "interpolation": "bilinear",
        "mean": IMAGENET[0],
        "std": IMAGENET[1],
    }
    return PixelSpec(**{**fields, **changes})


def index(
    paths: Sequence[str],
    labels: tuple[str, ...] = ("cat", "dog"),
    label: Sequence[int] | None = None,
    subset: Sequence[int] | None = None,
    root: str = "/photos",
    set_aside: tuple[SetAside, ...] = (),
    contained: Contained | None = None,
    labels_of: list[list[int]] | None = None,
) -> Index:
    """Classes take turns, and no subset is given, unless said."""
    rows = len(paths)
    return Index(
        root=root,
        labels=labels,
        paths=large_strings(list(paths)),
        label=np.array([row % len(labels) for row in range(rows)] if label is None else label, np.int32),
        subset=np.array([0] * rows if subset is None else subset, np.int8),
        size=np.arange(rows, dtype=np.int64) + 100,
        set_aside=set_aside,
        contained=contained,
        labels_of=None if labels_of is None else pa.array(labels_of, pa.list_(pa.int32())),
    )


def in_containers(container: Sequence[int]) -> Contained:
    """Rows in a tar (0) and a Parquet file (1), or in files of their own (-1)."""
    rows = np.arange(len(container), dtype=np.int64)
    containers = (Container("a.tar", "tar", "00" * 16), Container("b.parquet", "parquet", "11" * 16, "image", "bytes"))
    return Contained(containers, np.array(container, np.int32), 512 * rows, rows + 100)


def bundle(**changes: Any) -> Bundle:
    fields: dict[str, Any] = {
        "labels": ("cat", "dog"),
        "pixels": spec(),
        "temperature": 1.25,
        "network": "mobilenet_v2",
        "model": "00" * 16,
        "parity": Parity(64, 1e-5, 1e-6, 1.0),
        "provenance": {"seed": 0, "versions": {"linne": "0.1.0"}},
        "licence": "BSD-3-Clause",
    }
    return Bundle(**{**fields, **changes})
