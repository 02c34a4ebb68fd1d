"""Sizes, shapes and kinds of the images, drawn and in a line."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from linne.records.pixel_spec import PixelSpec
from linne.records.survey import Histogram, Survey
from linne.report.charts import histogram

SHAPES = ((1, 4), (1, 2), (3, 4), (1, 1), (4, 3), (2, 1), (4, 1))
"""Ratios that are written below the axis."""

FEWEST_RANGES = 8
"""Of sizes, where all images have one."""

UNITS = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


def shapes_chart(survey: Survey) -> Markup:
    """Images by width over height."""
    shapes = survey.aspect_ratio
    ticks = [(_place(wide / high, shapes), f"{wide}:{high}") for wide, high in SHAPES]
    ranges = [f"about {shapes.middle(i):.2f}" for i in range(len(shapes.counts))]
    return histogram(shapes.counts, ranges, ticks, "width to height")


def sides_chart(survey: Survey, pixels: PixelSpec | None) -> Markup:
    """Images by the shorter side; those left of the mark are enlarged for the network."""
    sides = _without_empty_ends(survey.shorter_side)
    ranges = [f"about {sides.middle(i):,.0f}" for i in range(len(sides.counts))]
    powers = [2**power for power in range(1, 17) if 0 <= _place(2**power, sides) <= len(sides.counts)]
    mark = None
    if pixels is not None:
        needed = pixels.resize if pixels.fit == "crop" else min(pixels.height, pixels.width)
        place = _place(needed, sides)
        mark = (place, f"the network's {needed}") if 0 <= place <= len(sides.counts) else None
    ticks = [(_place(power, sides), f"{power:,}") for power in powers]
    return histogram(sides.counts, ranges, ticks, "shorter side in pixels", mark)


def classes_chart(counts: NDArray[np.int64]) -> Markup:
    """Classes by how many images they have, where there are too many classes to show each; ``(classes,)``."""
    power = np.floor(np.log2(np.maximum(counts, 0.5))).astype(np.int64) + 1  # 0, 1, 2 to 3, 4 to 7, ...
    classes = np.bincount(power).tolist()
    ranges = ["no image", *(f"{2 ** (i - 1):,} to {2**i - 1:,} images" for i in range(1, len(classes)))]
    ticks = [(i + 0.5, "0" if i == 0 else f"{2 ** (i - 1):,}") for i in range(0, len(classes), 1 + len(classes) // 10)]
    return histogram(classes, ranges, ticks, "images a class, from", counted="classes")


def in_a_line(survey: Survey) -> str:
    """Formats, modes and EXIF, in one sentence each."""
    size = next((f"{survey.bytes / unit:.1f} {name}" for unit, name in UNITS if survey.bytes >= unit), "")
    said = [f"{survey.images:,} readable images{f', {size} together' if size else ''}: {_listed(survey.formats)}."]
    if survey.modes:
        said.append(f"Stored as {_listed(survey.modes)}.")
    said.append(f"EXIF turns {survey.turned:,} of them." if survey.turned else "EXIF turns none of them.")
    if survey.animated:
        said.append(f"{survey.animated:,} hold further frames or pages, which are not seen.")
    return " ".join(said)


def _listed(named: Sequence[tuple[str, int]]) -> str:
    return ", ".join(f"{images:,} {name}" for name, images in named) or "none"


def _place(value: float, ranges: Histogram) -> float:
    """Where a value lies, in ranges from the left edge of the first."""
    return log2(value) * ranges.per_octave - ranges.first + 0.5


def _without_empty_ends(ranges: Histogram) -> Histogram:
    """Leave out empty ranges at both ends, but for one, and keep at least a few."""
    filled = np.flatnonzero(ranges.counts)
    if not len(filled):
        return ranges
    first, last = max(int(filled[0]) - 1, 0), min(int(filled[-1]) + 1, len(ranges.counts) - 1)
    while last - first + 1 < FEWEST_RANGES:
        first, last = max(first - 1, 0), min(last + 1, len(ranges.counts) - 1)
    return Histogram(ranges.first + first, ranges.per_octave, ranges.counts[first : last + 1])
