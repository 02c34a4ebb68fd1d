"""How well dark, light, blurred and empty photos are told from others, beside CleanVision; for several thresholds.

Photos are made worse on purpose (`degrading.py`); scanned digits (scikit-learn) must not be told of one by one.
CleanVision judges the same files at its own thresholds, where it is installed.

Usage: quality.py PHOTOS [--images N]
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from degrading import DEGRADED, jpeg
from harness import Cell, Comparison, Table, compare_for, main, missing
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.metrics import average_precision_score

from linne.audit.colour import odd_colour
from linne.audit.exposure import DARKEST, LIGHTEST, darkness, lightness
from linne.audit.information import LEAST_SPREAD
from linne.audit.sharpness import BLURRED
from linne.audit.sizes import odd_aspect_ratio, odd_size
from linne.embed.look import SUFFICES, looks_of
from linne.pixels.decode import decode
from linne.pixels.facts import Facts
from linne.pixels.perceptual import perceptual_hash, thumbnail
from linne.pixels.shrunk import Undecoded, shrink_for
from linne.records.findings import Finding
from linne.records.index import Index, large_strings

Level = Callable[[Facts], np.ndarray]
Check = Callable[[Index, Facts, np.ndarray], list[Finding]]

OURS: dict[str, tuple[Level, float, list[float]]] = {
    "dark": (darkness, DARKEST, [30, 40, 45, 50, 60]),
    "light": (lightness, LIGHTEST, [20, 30, 35, 40, 60]),
    "blurred": (lambda facts: facts.sharpness, BLURRED, [0.7, 0.8, 0.9, 1.0, 1.1]),
    "little to see": (lambda facts: facts.spread, LEAST_SPREAD, [2, 4, 5, 6, 10]),
}
"""Check: what it measures (the lower the surer), its threshold, and some around it."""

THEIRS = {"dark": "dark", "light": "light", "blurred": "blurry", "little to see": "low_information"}


def facts_of(files: list[bytes]) -> Facts:
    return Facts.of(np.array([looks_of(file)["facts"] for file in files]))


class Files:
    """Bytes of images, our facts of them, and CleanVision's verdicts."""

    def __init__(self, files: list[bytes], checks: tuple[str, ...], theirs: bool, suffix: str = "jpg") -> None:
        self.facts = facts_of(files)
        self.theirs = cleanvision(files, [THEIRS[check] for check in checks], suffix) if theirs else None


def cleanvision(files: list[bytes], issues: list[str], suffix: str):
    """Scores and verdicts, a row a file."""
    from cleanvision import Imagelab

    with tempfile.TemporaryDirectory(prefix="linne-bench-") as folder, open(os.devnull, "w") as nowhere:
        for number, content in enumerate(files):
            Path(folder, f"{number:06d}.{suffix}").write_bytes(content)
        with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
            lab = Imagelab(data_path=folder, verbose=False)
            lab.find_issues({issue: {} for issue in issues}, n_jobs=1, verbose=False)
        return lab.issues.sort_index()


def precision(originals: np.ndarray, worse: np.ndarray) -> float:
    """Average precision of telling `worse` by its lower level."""
    truth = np.repeat([0, 1], [len(originals), len(worse)])
    return round(float(average_precision_score(truth, -np.concatenate([originals, worse]))), 3)


def beside(originals: Files, worse: dict[tuple[str, str], Files]) -> Table:
    """Average precision, share found and false alarms, ours and theirs."""
    rows: list[tuple[Cell, ...]] = []
    for (check, name), files in worse.items():
        level, threshold, _ = OURS[check]
        good, bad = level(originals.facts), level(files.facts)
        row: list[Cell] = [f"{check}: {name}", precision(good, bad)]
        row += [round(float((bad < threshold).mean()), 3), round(float((good < threshold).mean()), 4)]
        if originals.theirs is not None and files.theirs is not None:
            score, verdict = f"{THEIRS[check]}_score", f"is_{THEIRS[check]}_issue"
            row.insert(2, precision(originals.theirs[score].to_numpy(), files.theirs[score].to_numpy()))
            row.insert(4, round(float(files.theirs[verdict].mean()), 3))
            row.append(round(float(originals.theirs[verdict].mean()), 4))
        rows.append(tuple(row))
    both = originals.theirs is not None
    columns = ["", *_pair("AP", both), *_pair("found", both), *_pair("false alarms", both)]
    title = f"Photos made worse, and as they were; {len(originals.facts)} photos"
    return Table(title, tuple(columns), tuple(rows))


def _pair(name: str, both: bool) -> list[str]:
    return [name, f"{name}, CleanVision"] if both else [name]


def thresholds(check: str, every: Facts, worse: dict[tuple[str, str], Files]) -> Table:
    """Share found of each degradation, and how many of all photos are told of."""
    level, chosen, grid = OURS[check]
    mine = {name: level(files.facts) for (of, name), files in worse.items() if of == check}
    rows = [
        (
            f"{threshold:g}{', chosen' * (threshold == chosen)}",
            *(round(float((bad < threshold).mean()), 3) for bad in mine.values()),
            int((level(every) < threshold).sum()),
        )
        for threshold in grid
    ]
    return Table(f"{check}: share found for thresholds", ("", *mine, f"of {len(every):,} photos"), tuple(rows))


def odd_shapes(pictures: list[Image.Image], theirs: bool) -> Table:
    """One photo in twenty made a thumbnail, a strip or gray; how many of these are told of, and how many others."""
    changes: dict[str, tuple[Callable[[Image.Image], Image.Image], Check, str]] = {
        "an eighth of the side": (lambda p: p.reduce(8), odd_size, "odd_size"),
        "eight times the side": (lambda p: p.resize((8 * p.width, 8 * p.height)), odd_size, "odd_size"),
        "strips of 1 to 4": (lambda p: p.crop((0, 0, p.width, p.width // 4)), odd_aspect_ratio, "odd_aspect_ratio"),
        "gray": (lambda p: p.convert("L").convert("RGB"), odd_colour, "grayscale"),
    }
    odd = np.arange(len(pictures)) % 20 == 0
    paths = large_strings([str(number) for number in range(len(pictures))])
    none = np.zeros(len(pictures), np.int8)
    index = Index("", (), paths, np.full(len(pictures), -1, np.int32), none, none.astype(np.int64))
    rows: list[tuple[Cell, ...]] = []
    for name, (change, check, issue) in changes.items():
        files = [jpeg(change(picture) if odd[i] else picture) for i, picture in enumerate(pictures)]
        told = np.zeros(len(pictures), bool)
        told[[int(finding.path) for finding in check(index, facts_of(files), ~told)]] = True
        verdicts = [told]
        if theirs:
            verdicts.append(cleanvision(files, [issue], "jpg")[f"is_{issue}_issue"].to_numpy())
        rows.append(
            (name, *(round(float(v[odd].mean()), 3) for v in verdicts), *(int(v[~odd].sum()) for v in verdicts))
        )
    title = f"One photo in twenty made odd; {len(pictures)} photos"
    return Table(title, ("", *_pair("found", theirs), *_pair("false alarms", theirs)), tuple(rows))


def digits(theirs: bool) -> Table:
    """How many scans of digits are told of."""
    scans = [Image.fromarray(np.rint(scan * (255 / 16)).astype(np.uint8)) for scan in load_digits().images]
    files = []
    for scan in scans:
        file = io.BytesIO()
        scan.save(file, "PNG")
        files.append(file.getvalue())
    found = Files(files, tuple(OURS), theirs, "png")
    rows: list[tuple[Cell, ...]] = []
    for check, (level, threshold, _) in OURS.items():
        row: list[Cell] = [check, int((level(found.facts) < threshold).sum())]
        if found.theirs is not None:
            row.append(int(found.theirs[f"is_{THEIRS[check]}_issue"].sum()))
        rows.append(tuple(row))
    return Table(f"Scans of digits told of; {len(files):,} scans", ("", *_pair("told", theirs)), tuple(rows))


def cost(files: list[bytes]) -> Comparison:
    """What the facts cost beside what hash and thumbnail cost."""

    def hashed(content: bytes) -> None:
        image = Undecoded(content, 1)
        gray = image.pixels(shrink_for((image.width, image.height), (SUFFICES, SUFFICES)))
        picture = Image.fromarray(gray[:, :, 0])
        perceptual_hash(picture), thumbnail(picture)

    ways = {
        "hash and thumbnail": lambda: [hashed(file) for file in files],
        "and facts": lambda: [looks_of(file) for file in files],
    }
    return compare_for("One look at a photo", ways, 10, len(files), "images")


def measure(given: argparse.Namespace) -> Iterator[Comparison | Table]:
    try:
        import cleanvision  # noqa: F401

        theirs = True
    except ImportError:
        missing("cleanvision", "its verdicts")
        theirs = False
    paths = sorted(path for path in given.photos.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    some = [path.read_bytes() for path in paths[:: max(1, len(paths) // given.images)][: given.images]]
    pictures = [decode(file, 3) for file in some]
    originals = Files(some, tuple(OURS), theirs)
    worse = {
        (check, name): Files([jpeg(change(picture)) for picture in pictures], (check,), theirs)
        for check, changes in DEGRADED.items()
        for name, change in changes.items()
    }
    yield beside(originals, worse)
    every = facts_of([path.read_bytes() for path in paths])
    for check in OURS:
        yield thresholds(check, every, worse)
    yield odd_shapes(pictures, theirs)
    yield digits(theirs)
    yield cost(some)


if __name__ == "__main__":
    main(
        __doc__,
        measure,
        [("photos", {"type": Path}), ("--images", {"type": int, "default": 300, "help": "photos made worse"})],
    )
