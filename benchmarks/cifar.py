"""CIFAR-10 from scratch in seconds: linne against airbench94_muon (Jordan 2024), on one GPU, by turns.

Settings are tried on the last 5000 training images; the best of those that take no more than 1.3 times the reference's
time, and the reference's own setting, are then run on all training images, and only these read the test images. Neither
way's first run counts, in which kernels are compiled. The reference is its authors' script, given as a file: its runs,
its clock, on the same pixels in the same order.

Usage: cifar.py DATA.npz [--airbench FILE] [--seconds N] [--out FILE]    (`cifar_data.py` makes DATA.npz)
"""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import json
import os
import statistics
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path

import torch
from cifar_data import CLASSES, Images, read
from harness import Comparison, Table, main
from speed_run import Learner, Run, Setting, on_device, timed_run

from linne.embed.backends import device

DEVICE = device()
BATCH = 2000
VALIDATION = 5000
SMOOTHING = 0.2
MOST = 1.3
"""Times the reference's seconds that a setting may take."""

TRYING = 0.4
"""Share of the time after compiling that settings are tried in."""

SETTINGS = [
    Setting(epochs=epochs, matrices=matrices, classifier=classifier)
    for (matrices, classifier), epochs in itertools.product(
        ((0.24, 0.67), (0.18, 0.67), (0.3, 0.67), (0.24, 0.9)), (8.0, 9.0, 10.0, 7.0)
    )
]
SEEDS = 2
FEWEST, RUNS = 5, 40


class Clock:
    """Seconds since the script began, and a file that takes what happens."""

    def __init__(self, limit: float, out: Path | None) -> None:
        self.began, self.limit, self.out = time.perf_counter(), limit, out

    def passed(self) -> float:
        return time.perf_counter() - self.began

    def left(self) -> float:
        return self.limit - self.passed()

    def note(self, **what: object) -> None:
        line = json.dumps({"at": round(self.passed(), 2), **what})
        print(line, flush=True)
        if self.out is not None:
            with self.out.open("a") as file:
                file.write(line + "\n")


def reference(script: Path, train: Images, test: Images, mode: str) -> Callable[[int], Run]:
    """The authors' training as a function of a run's number; it reads two files from the current folder."""
    folder = Path(tempfile.mkdtemp(prefix="linne-bench-"))
    (folder / "cifar10").mkdir()
    for name, images in (("train", train), ("test", test)):
        kept = {
            "images": torch.from_numpy(images.pixels),
            "labels": torch.from_numpy(images.labels),
            "classes": list(CLASSES),
        }
        torch.save(kept, folder / "cifar10" / f"{name}.pt")
    spec = importlib.util.spec_from_file_location("airbench94_muon", script.absolute())
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    seconds: list[float] = []

    def told(variables: dict[str, object], is_final_entry: bool) -> None:
        if is_final_entry:
            seconds.append(float(variables["time_seconds"]))

    module.print_training_details = told
    os.chdir(folder)
    model = module.CifarNet().cuda().to(memory_format=torch.channels_last)
    model.compile(mode=mode)
    module.main("warmup", model)
    seconds.clear()

    def run(number: int) -> Run:
        accuracy = module.main(number, model)
        return Run(float(accuracy), seconds.pop())

    return run


def tried(learner: Learner, train: Images, clock: Clock, until: float) -> dict[Setting, list[Run]]:
    """Runs of each setting on a part of the training images, as many as there is time for."""
    kept = len(train.labels) - min(VALIDATION, len(train.labels) // 10)
    learnt, held = on_device(train.part(0, kept), DEVICE), on_device(train.part(kept, len(train.labels)), DEVICE)
    found: dict[Setting, list[Run]] = {}
    for seed, setting in itertools.product(range(SEEDS), SETTINGS):
        if clock.passed() > until:
            break
        run = timed_run(learner, learnt, held, setting, seed)
        found.setdefault(setting, []).append(run)
        clock.note(who="linne", on="validation", setting=asdict(setting), seed=seed, **asdict(run))
    return found


def chosen(found: dict[Setting, list[Run]], limit: float, grown: float) -> Setting:
    """The most accurate on validation within the limit; `grown`: how many times as many images will be trained on."""
    quick = {s: runs for s, runs in found.items() if grown * statistics.median(r.seconds for r in runs) <= limit}
    if not quick:
        return min(found, key=lambda s: statistics.median(r.seconds for r in found[s]), default=Setting())
    return max(quick, key=lambda s: statistics.mean(r.accuracy for r in quick[s]))


def row(name: str, runs: list[Run], first: list[Run]) -> tuple[str | int | float, ...]:
    seconds, accuracy = [r.seconds for r in runs], [r.accuracy for r in runs]
    ratio = statistics.median(seconds) / statistics.median(r.seconds for r in first)
    spread = statistics.stdev(accuracy) / len(runs) ** 0.5 if len(runs) > 1 else 0.0
    return (
        name,
        len(runs),
        f"{statistics.median(seconds):.3f} s",
        f"{min(seconds):.3f} to {max(seconds):.3f}",
        f"{ratio:.2f}",
        f"{100 * statistics.mean(accuracy):.2f} % ± {100 * spread:.2f}",
    )


def measure(given: argparse.Namespace) -> Iterator[Comparison | Table]:
    clock = Clock(given.seconds, given.out.absolute() if given.out else None)
    torch.backends.cudnn.benchmark = True
    train, test = read(given.data)
    if given.images:
        train, test = train.part(0, given.images), test.part(0, given.images // 5)
    batch = min(BATCH, len(train.labels) // 10)
    name = torch.cuda.get_device_name() if DEVICE.type == "cuda" else "CPU"
    clock.note(device=name, torch=torch.__version__, train=len(train.labels), test=len(test.labels))
    precision = getattr(torch, given.precision)
    learner = _learner(batch, precision, given.mode, clock)
    everything, unseen = on_device(train, DEVICE), on_device(test, DEVICE)
    quick = replace(SETTINGS[0], epochs=0.5)
    timed_run(learner, everything, on_device(train.part(0, batch), DEVICE), quick, 0)
    clock.note(ready="linne")
    theirs = None
    if given.airbench is not None:
        try:
            theirs = reference(given.airbench, train, test, given.airbench_mode)
            clock.note(ready="airbench94_muon")
        except Exception:  # noqa: BLE001 - without the reference there are still our own numbers
            clock.note(failed="airbench94_muon", why=traceback.format_exc()[-1500:])
    runs: dict[str, list[Run]] = {}

    def once(who: str, number: int, run: Callable[[int], Run]) -> None:
        found = run(number)
        runs.setdefault(who, []).append(found)
        clock.note(who=who, on="test", seed=number, **asdict(found))

    limit = float("inf")
    if theirs is not None:
        for number in range(2):
            once("airbench94_muon", number, theirs)
        limit = MOST * statistics.median(r.seconds for r in runs["airbench94_muon"])
    found = tried(learner, train, clock, clock.passed() + TRYING * clock.left())
    best = chosen(found, limit, len(train.labels) / (len(train.labels) - min(VALIDATION, len(train.labels) // 10)))
    clock.note(chosen=asdict(best), limit=limit)
    ours = {"linne, the reference's setting": SETTINGS[0], f"linne, {best}": best}
    for number in range(RUNS):
        if clock.left() < (8 if number >= FEWEST else 0):
            break
        if theirs is not None:
            once("airbench94_muon", number + 2, theirs)
        for who, setting in ours.items():
            once(who, number, lambda seed, s=setting: timed_run(learner, everything, unseen, s, 100 + seed))
    yield Table(
        f"Validation ({name})",
        ("setting", "runs", "median", "range", "ratio", "accuracy"),
        tuple(row(str(setting), some, some) for setting, some in found.items()),
    )
    first = runs.get("airbench94_muon") or next(iter(runs.values()), [])
    yield Table(
        f"CIFAR-10, {len(train.labels)} training images, test ({name})",
        ("", "runs", "median", "range", "times the reference's", "accuracy"),
        tuple(row(who, some, first) for who, some in runs.items()),
    )


def _learner(batch: int, precision: torch.dtype, mode: str, clock: Clock) -> Learner:
    try:
        return Learner(DEVICE, batch, precision, mode, SMOOTHING)
    except Exception:  # a compiler that fails must not cost all the rest
        if mode == "eager":
            raise
        clock.note(failed=f"compiling, {mode}", why=traceback.format_exc()[-1500:])
        torch._dynamo.reset()
        return Learner(DEVICE, batch, precision, "eager", SMOOTHING)


if __name__ == "__main__":
    main(
        __doc__,
        measure,
        [
            ("data", {"type": Path}),
            ("--airbench", {"type": Path}),
            ("--airbench-mode", {"default": "max-autotune", "help": "as its authors compile it"}),
            ("--seconds", {"type": float, "default": 170.0, "help": "for everything"}),
            ("--out", {"type": Path, "help": "takes a line of JSON for each run"}),
            ("--mode", {"default": "default", "help": "of torch.compile, or 'eager'"}),
            ("--precision", {"default": "float16" if DEVICE.type == "cuda" else "float32"}),
            ("--images", {"type": int, "help": "fewer, to try the script itself"}),
        ],
    )
