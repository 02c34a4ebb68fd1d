"""Ten thousand classes: told in a line what is missing, in little memory."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest
from images import encode, noise, place
from walked import linne

CLASSES = 10_000
MOST_BYTES = 3_000_000_000


@pytest.mark.slow
def test_two_images_of_each_class_are_refused_within_memory(tmp_path: Path) -> None:
    """The second of each class tests: none is left to validate."""
    for number in range(2 * CLASSES):
        content = encode(noise(8, 8, seed=number), "PNG")
        place(tmp_path / "photos" / f"{number % CLASSES:05d}" / f"{number // CLASSES}.png", content)

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES))

    done = linne("fit", tmp_path / "photos", "--budget", "none", folder=tmp_path, preexec_fn=limit)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("linne: ")]
    assert "validation" in line
    assert not list(tmp_path.glob("runs/*"))
