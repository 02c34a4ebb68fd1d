"""A walked road for tests: real digits as photos, a small network's weights, a run."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from sklearn.datasets import load_digits

from linne.nets.build import create
from linne.nets.catalogue import entry
from linne.nets.weights import write_weights

DIGITS_A_CLASS = 32


def write_digits(folder: Path, a_class: int = DIGITS_A_CLASS, classes: int = 10) -> Path:
    """Write scans of handwritten digits as ``folder/3/0007.png``."""
    digits = load_digits()
    for label in range(classes):
        (folder / str(label)).mkdir(parents=True)
        for number in np.flatnonzero(digits.target == label)[:a_class]:
            gray = np.rint(255 - digits.images[number] * (255 / 16)).astype(np.uint8)
            picture = Image.fromarray(gray).resize((32, 32), Image.Resampling.BICUBIC)
            picture.save(folder / str(label) / f"{number:04d}.png")
    return folder


def write_lenet(path: Path) -> Path:
    """Write a LeNet-5 with random weights: random features tell digits apart well enough for a probe."""
    torch.manual_seed(0)
    write_weights(path, create("lenet5"), "lenet5", entry("lenet5").pixels)
    return path


def state_of(folder: Path) -> dict[str, tuple[str, int]]:
    """Digest and time of every file below a folder, to see whether anything was touched."""
    return {
        str(path.relative_to(folder)): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def linne(*arguments: object, folder: Path, **options: object) -> subprocess.CompletedProcess[str]:
    """Run the command line as a user does, in `folder`, with the store in it."""
    variables = environment(folder)
    if "preexec_fn" in options:
        # Where files may not grow, Python would write bytecode up to the limit, and take it for whole ever after.
        variables["PYTHONDONTWRITEBYTECODE"] = "1"
    return subprocess.run(
        [sys.executable, "-m", "linne", *map(str, arguments)],
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
        **options,
    )


def environment(folder: Path) -> dict[str, str]:
    """The environment with its cache folder below `folder`."""
    return {**os.environ, "XDG_CACHE_HOME": str(folder / "cache"), "COLUMNS": "200"}
