"""Records as sentences."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from linne.records.corrections import Corrections
from linne.records.index import SUBSETS, TEST, TRAIN, VALIDATION, Index
from linne.records.pixel_spec import PixelSpec


def pixels_in_words(spec: PixelSpec) -> str:
    """Say in one sentence how bytes become the network's input."""
    size = f"{spec.width} x {spec.height}"
    how = {
        "crop": f"its shorter side scaled to {spec.resize} pixels and the centre {size} cut out",
        "pad": f"scaled to fit into {size} pixels, the rest filled with white",
        "stretch": f"stretched to {size} pixels",
    }[spec.fit]
    colour = "RGB" if spec.channels == 3 else "gray"
    mean, std = (", ".join(f"{value:.3f}" for value in values) for values in (spec.mean, spec.std))
    return (
        f"Each photo is turned upright, converted to 8-bit {colour}, {how} ({spec.interpolation}); intensities "
        f"in [0, 1] are shifted by the mean ({mean}) and divided by the standard deviation ({std})."
    )


def split_in_words(index: Index) -> str:
    """Who drew the split."""
    given = [SUBSETS[subset] for subset in (TRAIN, VALIDATION, TEST) if (index.subset == subset).any()]
    drawn = [subset for subset in SUBSETS[1:] if subset not in given]
    if not given:
        return "The split was drawn by Linne: copies and groups stay in one subset."
    if not drawn:
        return "The split is the one that the folders gave."
    return f"The folders gave {' and '.join(given)}; {' and '.join(drawn)} was drawn by Linne out of train."


def corrections_in_words(made: Corrections) -> str:
    """What was decided by hand before training: whoever reads a score should know of it."""
    merged = sum(len(step.merged) for step in made.steps)
    counts = (
        (made.total("relabelled"), "relabelled"),
        (made.total("dropped"), "dropped"),
        (merged, f"{'class' if merged == 1 else 'classes'} merged into others"),
    )
    changed = ", ".join(f"{number:,} {what}" for number, what in counts if number) or "nothing changed"
    test = len({item.path for item in made.test})
    on_test = f"; {test:,} test image{'' if test == 1 else 's'} decided on by hand" if test else ""
    return f"Trained on labels that were corrected by hand: {changed}{on_test}."


def moment(time: Any) -> str:
    """An ISO time to the minute; what is none stays as it is."""
    try:
        return f"{datetime.fromisoformat(time):%Y-%m-%d %H:%M %Z}".strip()
    except (TypeError, ValueError):
        return "" if time is None else str(time)


def in_words(value: Any) -> str:
    """JSON as a line of text; what is null is left out."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {in_words(inner)}" for name, inner in value.items() if inner is not None)
    if isinstance(value, list):
        return ", ".join(map(in_words, value))
    return str(value)
