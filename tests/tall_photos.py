"""Tall photos whose classes are told by their borders, or by nothing."""

from __future__ import annotations

from pathlib import Path

from images import encode, noise, place

IMAGES = 72
COLOURS = ((230, 20, 20), (20, 230, 20), (20, 20, 230))


def tall_photos(folder: Path, marked: bool, height: int = 180) -> Path:
    """Noise in every picture; where `marked`, the class is a colour at the upper and lower border."""
    for number in range(IMAGES):
        picture = noise(height, 60, seed=number)
        if marked:
            picture[:25] = picture[-25:] = COLOURS[number % 3]
        place(folder / "abc"[number % 3] / f"g{number // 6}_{number}.png", encode(picture, "PNG"))
    return folder
