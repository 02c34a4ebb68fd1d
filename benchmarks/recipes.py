"""How to train a small photo set: recipes for a whole network and for its last stages, by cross-validation.

Folds are stratified, and near copies share one. Each recipe trains on four fifths from the probe's classifier and is
judged on the last fifth by its last weights: nothing is chosen by what is judged. Photos are judged whole, stretched to
a square. Meant for a GPU, see `lanes.py`; `--tiny` runs every recipe on a CPU in about a minute, for what they compute
and not for what they come to. A subset `test` is never read. MobileNetV2 only. The second form shows results again.

Results are written recipe by recipe, and the time given is kept whatever happens: at its end processes are ended.

Usage: recipes.py PHOTOS WEIGHTS [--only NAME ...] [--seconds 200] [--processes 3] [--out results.jsonl] [--tiny]
       recipes.py results.jsonl
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import math
import multiprocessing
import shutil
import sys
import tempfile
import time
import traceback
from collections import defaultdict
from collections.abc import Iterator
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from pathlib import Path
from queue import Empty
from typing import Any

import numpy as np
import torch
from harness import Comparison, Table, main
from lanes import with_units
from numpy.typing import NDArray
from recipe_bench import Bench, Material, features
from recipe_list import BASE, CONFIGS, PROBE, Config, tiny
from recipe_photos import folds, probe, read_photos
from table_views import CUDA, DEVICE, Photos

import linne

LEFT = 4.0
"""Seconds of the time given that are left to the table."""


def material_of(store: Path, weights: Path) -> Material:
    facts = np.load(store / "facts.npz")
    labels = torch.from_numpy(facts["labels"]).to(DEVICE)
    network = linne.create("mobilenet_v2", weights=weights)
    network.replace_head(int(labels.max()) + 1)  # type: ignore[operator]
    pixels, sizes = torch.from_numpy(np.load(store / "pixels.npy")), torch.from_numpy(facts["sizes"])
    return Material(Photos(pixels.to(DEVICE), sizes.to(DEVICE)), labels, with_units(network))


def prepare(photos: Path, weights: Path, store: Path, small: bool) -> None:
    """Decode, draw the folds, and fit a probe for each."""
    pixels, sizes, labels = read_photos(photos, 60 if small else None)
    np.savez(store / "facts.npz", sizes=sizes, labels=labels)
    np.save(store / "pixels.npy", pixels)
    material = material_of(store, weights)
    found = features(material, (tiny(PROBE) if small else PROBE).judged[0])
    fold = folds(found, labels, 2 if small else 5)
    np.save(store / "fold.npy", fold)
    kept = [torch.from_numpy(fold != each).to(DEVICE) for each in range(fold.max() + 1)]
    probes = [probe(found[rows], material.labels[rows], int(labels.max()) + 1) for rows in kept]
    weight, bias = (torch.stack(each).cpu().numpy() for each in zip(*probes, strict=True))
    np.savez(store / "probes.npz", weight=weight, bias=bias)


def work(
    store: Path, weights: Path, ready: Event, queue: Queue[Config], out: Path, until: float, searching: bool
) -> None:
    """Take recipes from a queue, and add what they gave to a file."""
    faulthandler.dump_traceback_later(max(until - time.time(), 1), exit=True)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark_limit = 3
    torch.set_num_threads(1)
    torch.zeros(1, device=DEVICE)
    ready.wait()
    found = np.load(store / "probes.npz")
    weight, bias = (torch.from_numpy(found[name]).to(DEVICE) for name in ("weight", "bias"))
    probes = list(zip(weight, bias, strict=True))
    bench, pace = Bench(material_of(store, weights), np.load(store / "fold.npy"), probes, searching), math.inf
    while True:
        try:
            config = queue.get(timeout=1)
        except Empty:
            return
        begun = time.time()
        if pace < math.inf and begun + pace * config.work + 1 > until:
            print(f"{until - begun:6.1f} s left; {config.name} is left out", flush=True)
            continue
        try:
            results = list(bench.run(config))
        except RuntimeError:
            traceback.print_exc()
            print(f"{until - time.time():6.1f} s left; {config.name} failed", flush=True)
            torch.zeros(1, device=DEVICE).item()  # a device that can do nothing more ends this process here
            continue
        with out.open("a") as file:
            file.write("".join(json.dumps(result) + "\n" for result in results))
        took = time.time() - begun
        if config.work > 0:
            # The first of its kind is recorded, too: what is fastest so far tells the pace.
            pace = min(pace, took / config.work)
        memory = torch.cuda.max_memory_allocated() / 2**30 if CUDA else 0
        print(
            f"{until - time.time():6.1f} s left; {config.name}: {np.mean(results[0]['accuracy']):.4f}, "  # type: ignore[arg-type]
            f"{results[0]['seconds']} s and {results[0]['before']} s before, {took:.1f} s in all, {memory:.1f} GiB"
            f"{', cuDNN searched' if searching else ''}",
            flush=True,
        )


def tabled(lines: list[str]) -> Iterator[Table]:
    """One table a size of judging: means over folds with standard errors, and differences to the base by photo."""
    order = [config.name for config in CONFIGS]
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for result in sorted(map(json.loads, lines), key=lambda result: order.index(result["name"])):
        groups[result["seen"]].append(result)
    for how, results in groups.items():
        base = next((right_of(each) for each in results if each["name"] == BASE.name), None)
        rows: list[tuple[str | float, ...]] = []
        for each in results:
            accuracies = each["accuracy"]
            mean, error = np.mean(accuracies), np.std(accuracies, ddof=1) / math.sqrt(len(accuracies))
            row = (each["name"], f"{100 * mean:.2f}", f"{100 * error:.2f}")
            change = np.zeros(2) if base is None else right_of(each) - base
            spread = 100 * change.std() / math.sqrt(len(change))
            paired = ("", "") if base is None else (f"{100 * change.mean():+.2f}", f"{spread:.2f}")
            rows.append((*row, *paired, f"{each['loss']:.3f}", each["seconds"], each["before"]))
        columns = ("recipe", "accuracy, %", "+-", "to the base", "+-", "log loss", "seconds", "seconds before")
        yield Table(f"Judged at {how}", columns, tuple(rows))


def right_of(result: dict[str, Any]) -> NDArray[np.float64]:
    bits = np.frombuffer(bytes.fromhex(result["right"]), np.uint8)
    return np.unpackbits(bits, count=result["photos"]).astype(np.float64)


def measure(given: argparse.Namespace) -> Iterator[Comparison | Table]:
    if given.photos.is_file():
        yield from tabled(given.photos.read_text().splitlines())
        return
    until = (given.since or time.time()) + given.seconds - LEFT
    faulthandler.dump_traceback_later(max(until + LEFT - time.time(), 1), exit=True)
    context = multiprocessing.get_context("spawn")
    queue, ready = context.Queue(), context.Event()
    for config in CONFIGS:
        if not given.only or config.name in given.only:
            queue.put(tiny(config) if given.tiny else config)
    given.out.write_text("")
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > 4 * 2**30
    with tempfile.TemporaryDirectory(prefix="linne-bench-", dir=memory if roomy else None) as folder:
        store = Path(folder)
        workers = [
            context.Process(
                target=work,
                args=(store, given.weights, ready, queue, given.out, until, number == 1),
                daemon=True,
            )
            for number in range(given.processes)
        ]
        for worker in workers:
            worker.start()
        prepare(given.photos, given.weights, store, given.tiny)
        print(f"{until - time.time():6.1f} s left; photos, folds and probes", flush=True)
        ready.set()
        for worker in workers:
            worker.join(max(until - time.time(), 0) + 1)
            worker.kill()
    queue.cancel_join_thread()
    yield from tabled(given.out.read_text().splitlines())
    faulthandler.cancel_dump_traceback_later()
    sys.stdout.flush()


if __name__ == "__main__":
    main(
        __doc__,
        measure,
        [
            ("photos", {"type": Path, "help": "class folders, or results to show again"}),
            ("weights", {"type": Path, "nargs": "?"}),
            ("--only", {"nargs": "+", "metavar": "NAME"}),
            ("--seconds", {"type": float, "default": 200.0, "help": "in all, start and table too"}),
            ("--since", {"type": float, "help": "when these seconds began, as time.time() has it; now if not given"}),
            ("--processes", {"type": int, "default": 3}),
            ("--tiny", {"action": "store_true", "help": "60 photos, two folds, one epoch of small images"}),
            ("--out", {"type": Path, "default": Path("results.jsonl")}),
        ],
    )
