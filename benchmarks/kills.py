"""Is a run that was killed and resumed the run that nobody killed? Compared bit for bit, whenever it was killed.

A run is started, killed by SIGKILL at a moment drawn uniformly over the seconds that it takes, and resumed; with a
probability of a third that is killed as well, and so on. At its end its checkpoints must hold the very bits of those of
a run that was left alone, and its history the same losses and scores of every epoch. All runs start from copies of one
store, in which what a first run had measured and decided is remembered; two that are left alone tell whether there is
anything to compare. Where a kill comes before the run has a folder, it is started anew, as a person would.

--small takes scikit-learn's digits instead of PHOTOS. What --fit gives is passed on to `linne fit`: settings that make
runs shorter, say. A run is a line of --results; one that is there is not tried again. One that ends before it is to be
killed does not count. Leaves with 1 if any run differs or cannot be resumed.

Usage: kills.py (PHOTOS WEIGHTS | --small) [--kills 100] [--seed 0] [--results FILE] [--fit ...]
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from harness import Comparison, Table, main

AGAIN = 1 / 3
SIDE = 32
CLOCKED = ("seconds", "rate", "waited")
"""In the history."""

Tensors = dict[str, tuple[str, bytes]]


@dataclass(frozen=True)
class Alone:
    """A run that nobody killed: the store that it began with, its seconds, and what its checkpoints hold."""

    store: Path
    seconds: float
    checkpoints: dict[str, Tensors]


def digits(folder: Path) -> None:
    from PIL import Image
    from sklearn.datasets import load_digits

    scans = load_digits()
    for number, (scan, label) in enumerate(zip(scans.images, scans.target, strict=True)):
        path = folder / str(label) / f"{number:04d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((scan * 15).astype(np.uint8)).resize((SIDE, SIDE)).save(path)


def started(arguments: list[str], folder: Path, seconds: float | None) -> tuple[int | None, str]:
    """Exit code and errors of a command; None where it was killed after some seconds, with all that it had started."""
    with tempfile.TemporaryFile("w+") as errors:
        command = [sys.executable, "-m", "linne", *arguments, "--json"]
        process = subprocess.Popen(
            command, cwd=folder, stdout=subprocess.DEVNULL, stderr=errors, start_new_session=True
        )
        code: int | None = None
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            pass
        finally:  # whoever stops the benchmark stops the run as well
            if code is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        errors.seek(0)
        return code, errors.read()[-2000:]


def run_of(folder: Path) -> Path | None:
    return next(iter(sorted((folder / "runs").glob("*-1"))), None)


def checkpoints(run: Path) -> dict[str, Tensors]:
    """The bits of every tensor of every checkpoint, and the history but for what a clock had told."""
    import torch
    from safetensors.torch import load_file

    def bits(tensor: torch.Tensor) -> tuple[str, bytes]:
        return f"{tensor.dtype} {tuple(tensor.shape)}", tensor.contiguous().reshape(-1).view(
            torch.uint8
        ).numpy().tobytes()

    files = sorted((run / "checkpoints").glob("*.safetensors"))
    history = [json.loads(line) for line in (run / "history.jsonl").read_text(encoding="utf-8").splitlines()]
    epochs = [{key: value for key, value in epoch.items() if key not in CLOCKED} for epoch in history]
    found = {file.name: {key: bits(tensor) for key, tensor in load_file(file).items()} for file in files}
    return {**found, "history.jsonl": {"epochs": ("json", json.dumps(epochs, sort_keys=True).encode())}}


def left_alone(fit: list[str], store: Path, folder: Path) -> Alone:
    if store.exists():
        shutil.copytree(store, folder / "store")
    start = time.perf_counter()
    code, errors = started(fit, folder, None)
    seconds = time.perf_counter() - start
    run = run_of(folder)
    if code != 0 or run is None:
        raise SystemExit(f"a run that was left alone failed:\n{errors}")
    return Alone(store, seconds, checkpoints(run))


def differing(found: dict[str, Tensors], expected: dict[str, Tensors]) -> list[str]:
    return sorted(name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name))


def tried(trial: int, seed: int, fit: list[str], alone: Alone, folder: Path) -> dict[str, Any]:
    """Kill a run, resume it until it ends, and compare."""
    rng = np.random.default_rng((seed, trial))
    shutil.copytree(alone.store, folder / "store")
    killed, anew, code, errors = [], 0, None, ""
    moment: float | None = rng.uniform(0, alone.seconds)
    while code is None:
        run = run_of(folder)
        anew += bool(killed) and run is None
        arguments = fit if run is None else ["fit", "--resume", str(run.relative_to(folder))]
        code, errors = started(arguments, folder, moment)
        if code is None:
            killed.append(round(float(moment or 0), 3))
        moment = rng.uniform(0, alone.seconds) if rng.random() < AGAIN else None
    line = {"trial": trial, "seed": seed, "killed_after": killed, "started_anew": anew, "exit_code": code}
    run = run_of(folder)
    if code or run is None:
        return {**line, "differs": [], "errors": errors}
    return {**line, "differs": differing(checkpoints(run), alone.checkpoints), "errors": ""}


def measure(given: argparse.Namespace) -> Iterator[Comparison | Table]:
    lines: list[dict[str, Any]] = []
    if given.results and given.results.exists():
        lines = [json.loads(line) for line in given.results.read_text(encoding="utf-8").splitlines()]
        lines = [line for line in lines if line["seed"] == given.seed]
    with tempfile.TemporaryDirectory(prefix="linne-bench-") as name:
        place = Path(name)
        photos = given.photos.resolve() if given.photos else place / "digits"
        if given.small:
            digits(photos)
        network = ("--network", "lenet5") if given.small else ("--weights", str(given.weights.resolve()))
        fit = ["fit", str(photos), *network, "--budget", "none", "--cache", "store", "--out", "runs", *given.fit]
        for folder in ("first", "alone", "again"):
            (place / folder).mkdir()
        left_alone(fit, place / "nothing", place / "first")
        store = place / "first" / "store"
        alone = left_alone(fit, store, place / "alone")
        again = left_alone(fit, store, place / "again")
        unlike = differing(again.checkpoints, alone.checkpoints)
        done = {line["trial"] for line in lines}
        for trial in itertools.count():
            if sum(bool(line["killed_after"]) for line in lines) >= given.kills:
                break
            if trial in done:
                continue
            with tempfile.TemporaryDirectory(prefix="trial-", dir=place) as folder:
                lines.append(tried(trial, given.seed, fit, alone, Path(folder)))
            if given.results:
                with given.results.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(lines[-1]) + "\n")
    killed = [line for line in lines if line["killed_after"]]
    failed = [line for line in lines if line["exit_code"]]
    other = [line for line in lines if line["differs"]]
    rows: tuple[tuple[str, int | float | str], ...] = (
        ("seconds of a run that is left alone", round(alone.seconds, 1)),
        ("two that were left alone", "differ: " + " ".join(unlike) if unlike else "are equal"),
        ("compared", " ".join(alone.checkpoints)),
        ("runs that were killed", len(killed)),
        ("kills", sum(len(line["killed_after"]) for line in killed)),
        ("before there was a folder: started anew", sum(line["started_anew"] for line in killed)),
        ("equal in every bit", sum(not line["exit_code"] and not line["differs"] for line in killed)),
        ("different", len(other)),
        ("could not go on", len(failed)),
        ("ended before the kill", len(lines) - len(killed)),
    )
    yield Table("Runs killed at random moments and resumed", ("", "runs"), rows)
    for line in failed[:3]:
        print(line["errors"], file=sys.stderr, flush=True)
    if unlike or failed or other:
        raise SystemExit(1)


if __name__ == "__main__":
    main(
        __doc__,
        measure,
        [
            ("photos", {"type": Path, "nargs": "?"}),
            ("weights", {"type": Path, "nargs": "?"}),
            ("--small", {"action": "store_true"}),
            ("--kills", {"type": int, "default": 100}),
            ("--seed", {"type": int, "default": 0}),
            ("--results", {"type": Path}),
            ("--fit", {"nargs": argparse.REMAINDER, "default": [], "help": "last: further options of linne fit"}),
        ],
    )
