"""Are shapes, sizes and kinds counted, and examples given from the tallest to the widest?"""

from __future__ import annotations

import numpy as np
from some_facts import facts
from some_records import index

from linne.audit.survey import survey
from linne.pixels.decode import FORMATS
from linne.pixels.facts import MODES
from linne.records.survey import Histogram, Survey


def held(histogram: Histogram) -> dict[float, int]:
    """Middles of ranges that hold something, and what they hold."""
    return {round(histogram.middle(i), 2): images for i, images in enumerate(histogram.counts) if images}


def surveyed(readable: list[bool] | None = None, **columns: object) -> Survey:
    rows = len(next(iter(columns.values())))  # type: ignore[arg-type]
    names = [f"{i}.png" for i in range(rows)]
    return survey(index(names), facts(rows, **columns), np.array(readable or [True] * rows, bool))


def test_usual_shapes_lie_about_the_middle_of_a_range() -> None:
    found = surveyed(width=[400, 400, 300, 1920, 1, 10_000], height=[400, 300, 400, 1080, 10_000, 1])
    assert held(found.aspect_ratio) == {0.25: 1, 0.76: 1, 1.0: 1, 1.32: 1, 1.74: 1, 4.0: 1}
    assert held(found.shorter_side) == {8.0: 2, 256.0: 2, 362.04: 1, 1024.0: 1}


def test_kinds_are_named_and_what_cannot_be_read_is_not_counted() -> None:
    found = surveyed(
        [True, True, True, False],
        format=[FORMATS.index(name) for name in ("PNG", "JPEG", "PNG", "GIF")],
        mode=[MODES.index(name) for name in ("RGB", "RGB", "RGBA", "P")],
        orientation=[1, 6, 1, 8],
        bytes=[10, 20, 30, 40],
    )
    assert (found.images, found.bytes, found.turned, found.animated) == (3, 60, 1, 0)
    assert found.formats == (("PNG", 2), ("JPEG", 1))
    assert found.modes == (("RGB", 2), ("RGBA", 1))


def test_examples_go_from_the_tallest_to_the_widest() -> None:
    found = surveyed(width=[100 + 10 * i for i in range(11)][::-1], height=[100] * 11)
    assert found.examples == ("10.png", "9.png", "6.png", "4.png", "1.png", "0.png")
    assert surveyed(width=[3, 2], height=[1, 1]).examples == ("1.png", "0.png")


def test_nothing_to_look_at() -> None:
    found = surveyed([False], width=[0], height=[0])
    assert (found.images, sum(found.aspect_ratio.counts), found.examples, found.formats) == (0, 0, (), ())
