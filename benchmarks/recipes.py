"""How to train a small photo set: recipes for a whole network and for its last stages, by cross-validation.

Folds are stratified, and near copies share one. Each recipe trains on four fifths from the probe's classifier and is
judged on the last fifth by its last weights and by their moving average, at several sizes and fits: nothing is chosen
by what is judged. Meant for a GPU, see `lanes.py`: some 40 recipes of eight epochs on 3,400 photos should take an H100
five minutes. A subset `test` is never read. MobileNetV2 only. The second form shows results again.

Usage: recipes.py PHOTOS WEIGHTS [--only NAME ...] [--seconds 600] [--processes 2] [--out recipes.jsonl]
       recipes.py recipes.jsonl
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
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
from recipe_bench import Bench, Material
from recipe_list import BASE, CONFIGS, Config
from recipe_photos import FOLDS, folds, read_photos
from table_views import CUDA, DEVICE, Photos

import linne


def material_of(store: Path, weights: Path) -> Material:
    facts = np.load(store / "facts.npz")
    labels = torch.from_numpy(facts["labels"]).to(DEVICE)
    network = linne.create("mobilenet_v2", weights=weights)
    network.replace_head(int(labels.max()) + 1)  # type: ignore[operator]
    photos = Photos(
        torch.from_numpy(np.load(store / "pixels.npy")).to(DEVICE), torch.from_numpy(facts["sizes"]).to(DEVICE)
    )
    fold = np.load(store / "fold.npy") if (store / "fold.npy").exists() else np.arange(len(labels)) % FOLDS
    return Material(photos, labels, fold, with_units(network))


def prepare(photos: Path, weights: Path, store: Path, limit: int | None) -> None:
    """Decode, and draw the folds."""
    pixels, sizes, labels = read_photos(photos)
    rows = np.sort(np.random.default_rng(0).permutation(len(labels))[:limit])
    np.savez(store / "facts.npz", sizes=sizes[rows], labels=labels[rows])
    np.save(store / "pixels.npy", pixels[rows])
    features = Bench(material_of(store, weights)).features((224, 224), "crop")
    np.save(store / "fold.npy", folds(features, labels[rows]))


def work(store: Path, weights: Path, ready: Event, queue: Queue[Config | None], out: Path, until: float) -> None:
    """Take recipes from a queue, None for the probes, and add what they gave to a file."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark, torch.backends.cudnn.benchmark_limit = True, 5
    torch.set_num_threads(2)
    torch.zeros(1, device=DEVICE)
    ready.wait()
    bench, pace = Bench(material_of(store, weights)), math.inf
    while time.time() < until:
        try:
            config = queue.get(timeout=1)
        except Empty:
            return
        begun = time.time()
        if config is not None and pace < math.inf and begun + pace * work_of(config) > until:
            continue
        try:
            results = list(bench.probes() if config is None else bench.run(config))
            with out.open("a") as file:
                file.writelines(
                    json.dumps({**result, "epochs": getattr(config, "epochs", 0)}) + "\n" for result in results
                )
        except RuntimeError:
            traceback.print_exc()
            continue
        took = time.time() - begun
        if config is not None and config.stage is None:
            # The first of its kind is recorded, too: what is fastest so far tells the pace.
            pace = min(pace, float(results[0]["seconds"]) / work_of(config))  # type: ignore[arg-type]
        memory = torch.cuda.max_memory_allocated() / 2**30 if CUDA else 0
        print(
            f"{until - time.time():6.1f} s left; {results[0]['name']}: {results[0]['accuracy']}, "
            f"{results[0].get('seconds', 0)} of {took:.1f} s, {memory:.1f} GiB",
            flush=True,
        )


def work_of(config: Config) -> float:
    """Pixels that are trained on, but for a factor."""
    if config.stage is not None:
        return 0.0
    return config.epochs * sum(height * width for height, width in config.sides) / len(config.sides)


def tabled(lines: list[str]) -> Iterator[Table]:
    """One table a way of judging: means over folds with standard errors, and differences to the base by photo."""
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in lines:
        result = json.loads(line)
        groups[result["seen"] or "probes"].append(result)
    for how, results in groups.items():
        base = next((right_of(each) for each in results if each["name"] == BASE.name), None)
        rows: list[tuple[str | float, ...]] = []
        for each in results:
            mean, error = np.mean(each["accuracy"]), np.std(each["accuracy"], ddof=1) / math.sqrt(FOLDS)
            row = (each["name"], f"{100 * mean:.2f}", f"{100 * error:.2f}")
            change = np.zeros(2) if base is None else right_of(each) - base
            spread = 100 * change.std() / math.sqrt(len(change))
            paired = ("", "") if base is None else (f"{100 * change.mean():+.2f}", f"{spread:.2f}")
            rows.append((*row, *paired, f"{each['loss']:.3f}", each.get("seconds", 0.0)))
        yield Table(
            f"Judged: {how}", ("recipe", "accuracy, %", "+-", "to the base", "+-", "log loss", "seconds"), tuple(rows)
        )


def right_of(result: dict[str, Any]) -> NDArray[np.float64]:
    bits = np.frombuffer(bytes.fromhex(result["right"]), np.uint8)
    return np.unpackbits(bits, count=result["photos"]).astype(np.float64)


def measure(given: argparse.Namespace) -> Iterator[Comparison | Table]:
    until = time.time() + given.seconds
    if given.photos.is_file():
        yield from tabled(given.photos.read_text().splitlines())
        return
    context = multiprocessing.get_context("spawn")
    queue, ready = context.Queue(), context.Event()
    for config in (*CONFIGS[:3], None, *CONFIGS[3:]):
        if not given.only or (config.name if config else "probes") in given.only:
            queue.put(config)
    given.out.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="linne-bench-") as folder:
        store = Path(folder)
        workers = [
            context.Process(target=work, args=(store, given.weights, ready, queue, given.out, until))
            for _ in range(given.processes)
        ]
        for worker in workers:
            worker.start()
        prepare(given.photos, given.weights, store, given.limit)
        print(f"{until - time.time():6.1f} s left; photos and folds", flush=True)
        ready.set()
        for worker in workers:
            worker.join()
    queue.cancel_join_thread()
    yield from tabled(given.out.read_text().splitlines())


if __name__ == "__main__":
    main(
        __doc__,
        measure,
        [
            ("photos", {"type": Path, "help": "class folders, or results to show again"}),
            ("weights", {"type": Path, "nargs": "?"}),
            ("--only", {"nargs": "+", "metavar": "NAME"}),
            ("--seconds", {"type": float, "default": 600.0, "help": "no recipe begins that would end later"}),
            ("--processes", {"type": int, "default": 2}),
            ("--limit", {"type": int, "help": "photos"}),
            ("--out", {"type": Path, "default": Path("recipes.jsonl")}),
        ],
    )
