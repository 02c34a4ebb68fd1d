"""Faults planted among photos, and who finds them: linne, CleanVision, imagededup.

CleanVision runs all its checks and imagededup its perceptual hash, both with their defaults. A pair of copies counts
as right if both come from one photo; `KNOWN` are pairs that the photos of clothes themselves hold.

Usage: planted_faults.py PHOTOS WEIGHTS [--seed N]
"""

from __future__ import annotations

import argparse
import contextlib
import io
import logging
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

from harness import Comparison, Table, main
from planting import Truth, plant

import linne

Pairs = set[tuple[str, str]]

KNOWN = (
    ("6075b4a5-5b1a-4ce0-aea0-9dbfbca7c35c", "637a56e4-7fa6-4f75-8859-0f8902461554"),
    ("02341619-2fa3-42d4-bb5e-689518228e67", "78b7da73-ca6c-4e99-b88d-a9f358e7f0f2"),
)
"""The same shorts, byte for byte another JPEG; the same skirt on the same chair. Told by eye."""


class Found:
    """What a tool says of a folder; None where it has no such check."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.exact: Pairs | None = None
        self.near: Pairs | None = None
        self.unreadable: set[str] | None = None
        self.off_topic: list[str] | None = None
        self.ends_at_damaged = False


def by_linne(photos: Path, weights: Path, scratch: Path) -> Found:
    found, start = Found(), time.monotonic()
    findings = linne.audit(photos, weights=weights, cache=scratch / "cache", out=scratch / "audit")
    found.seconds = time.monotonic() - start

    def of(check: str) -> list[tuple[str, str]]:
        return [(row.path, row.other) for row in findings.rows if row.check == check]

    found.exact, found.near = _sorted(of("exact duplicate")), _sorted(of("near duplicate"))
    found.unreadable = {path for path, _ in of("unreadable")}
    found.off_topic = [path for path, _ in of("off topic")]
    return found


def by_cleanvision(photos: Path, truth: Truth) -> Found:
    """Told which files cannot be read, for its search ends at the first of them."""
    from cleanvision import Imagelab

    found, start = Found(), time.monotonic()
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            lab = Imagelab(data_path=str(photos))
            lab.find_issues(verbose=False)
        except OSError:
            found.ends_at_damaged = True
            start = time.monotonic()
            broken = {photos / path for path in truth.unreadable}
            lab = Imagelab(filepaths=[str(path) for path in sorted(photos.rglob("*.jpg")) if path not in broken])
            lab.find_issues(verbose=False)
    found.seconds = time.monotonic() - start
    sets = {name: lab.info[f"{name}_duplicates"]["sets"] for name in ("exact", "near")}

    def pairs(name: str) -> Pairs:
        groups = [[str(Path(path).relative_to(photos)) for path in group] for group in sets[name]]
        return _sorted((a, b) for group in groups for k, a in enumerate(group) for b in group[k + 1 :])

    found.exact, found.near = pairs("exact"), pairs("near")
    return found


def by_imagededup(photos: Path) -> Found:
    from imagededup.methods import PHash

    found, start = Found(), time.monotonic()
    hasher = PHash(verbose=False)
    encodings = hasher.encode_images(image_dir=photos, recursive=True)
    duplicates = hasher.find_duplicates(encoding_map=encodings, max_distance_threshold=10)
    found.seconds = time.monotonic() - start
    found.near = _sorted((a, b) for a, others in duplicates.items() for b in others)
    everything = {str(path.relative_to(photos)) for path in photos.rglob("*.jpg")}
    found.unreadable = everything - set(encodings)
    return found


def _sorted(pairs: object) -> Pairs:
    return {(min(a, b), max(a, b)) for a, b in pairs}  # type: ignore[attr-defined]


def rows_for(found: Found, truth: Truth, photos: Path) -> dict[str, str]:
    known = {file.stem.partition("-")[2]: str(file.relative_to(photos)) for file in photos.rglob("*.jpg")}
    natural = _sorted((known[a], known[b]) for a, b in KNOWN if a in known and b in known)
    exact, near = _sorted(truth.exact.items()), _sorted(truth.near_pairs.items())
    cells = dict.fromkeys(ROWS, "no such check")
    cells["seconds"] = f"{found.seconds:.1f}"
    both = (found.exact or set()) | (found.near or set())
    cells["exact copies, recall"] = f"{len(exact & both) / len(exact):.3f}"
    if found.near is not None:
        judged = found.near - natural - exact
        cells["near copies, recall"] = f"{len(near & both) / len(near):.3f}"
        cells["near copies, precision"] = f"{len(near & judged) / max(len(judged), 1):.3f} of {len(judged)}"
        for change, pairs in truth.near.items():
            one = _sorted(pairs.items())
            cells[f"- {change}, recall"] = f"{len(one & both) / len(one):.3f}"
    if found.unreadable is not None:
        right = len(found.unreadable & set(truth.unreadable))
        cells["unreadable, recall"] = f"{right / len(truth.unreadable):.3f}"
        cells["unreadable, false"] = str(len(found.unreadable) - right)
    if found.ends_at_damaged:
        cells["unreadable, recall"] = "ends with an error"
    if found.off_topic is not None:
        right = len(set(found.off_topic) & set(truth.off_topic))
        cells["off-topic, recall"] = f"{right / len(truth.off_topic):.3f}"
        cells["off-topic, precision"] = f"{right / max(len(found.off_topic), 1):.3f} of {len(found.off_topic)}"
    return cells


ROWS = (
    "seconds",
    "exact copies, recall",
    "near copies, recall",
    *(f"- {change}, recall" for change in ("recompressed", "resized", "cropped", "brightened", "mirrored")),
    "near copies, precision",
    "unreadable, recall",
    "unreadable, false",
    "off-topic, recall",
    "off-topic, precision",
)


def measure(given: argparse.Namespace) -> Iterator[Comparison | Table]:
    warnings.simplefilter("ignore")
    logging.disable(logging.INFO)
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        photos = scratch / "photos"
        truth = plant(given.photos, photos, given.seed)
        tools = {"linne": by_linne(photos, given.weights, scratch)}
        tools["CleanVision"] = by_cleanvision(photos, truth)
        tools["imagededup"] = by_imagededup(photos)
        cells = {tool: rows_for(found, truth, photos) for tool, found in tools.items()}
        number = sum(1 for _ in photos.rglob("*.jpg"))
    yield Table(
        f"Faults planted by seed {given.seed} among {number:,} files",
        ("", *tools),
        tuple((row, *(cells[tool][row] for tool in tools)) for row in ROWS),
    )


if __name__ == "__main__":
    main(
        __doc__,
        measure,
        [("photos", {"type": Path}), ("weights", {"type": Path}), ("--seed", {"type": int, "default": 0})],
    )
