"""Run all benchmarks, one after the other; meant to take some thirty minutes on two cores.

Some are given less to do than on their own: `networks.py` alone takes one variant of every family, for instance. Those
on photos are left out where the photos, or the weights, do not lie beside the checkout. Those that take hours
(`peers.py`, all of `budgets.py` and `kills.py`) are `make bench-fit`.

Usage: run_all.py [--out FILE] [NAME ...]    (FILE takes all results and the machine, as JSON)
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from harness import read, rendered
from machine import described

HERE = Path(__file__).resolve().parent
SHARED = HERE.parent.parent / "shared"
PHOTOS, WEIGHTS = SHARED / "data" / "clothing", SHARED / "weights" / "mobilenet_v2_imagenet.safetensors"
TRAIN = PHOTOS / "train"


@dataclass(frozen=True)
class Benchmark:
    """A script, the files that it needs, and what it is given to do."""

    name: str
    files: tuple[Path, ...] = ()
    options: tuple[str, ...] = ()


BENCHMARKS = (
    Benchmark("start"),
    Benchmark("intake"),
    Benchmark("memory"),
    Benchmark("decoding", (PHOTOS,)),
    Benchmark("large_photos"),
    Benchmark("near_duplicates", (PHOTOS,) if PHOTOS.is_dir() else ()),
    Benchmark("hashes", (), ("--peers-up-to", "5000", "--sizes", "5000", "50000")),
    Benchmark("edited_copies", (PHOTOS, WEIGHTS), ("--images", "40")),
    Benchmark("planted_faults", (PHOTOS, WEIGHTS)),
    Benchmark("label_doubt", (PHOTOS, WEIGHTS), ("--seeds", "1")),
    Benchmark("label_doubt_sizes", (), ("--images", "20000")),
    Benchmark("features", (TRAIN, WEIGHTS), ("--images", "600")),
    Benchmark("batches", (TRAIN,)),
    Benchmark("road", (PHOTOS, WEIGHTS)),
    Benchmark("budgets", (PHOTOS, WEIGHTS), ("--budgets", "15s", "60s")),
    Benchmark("kills", (), ("--small", "--kills", "5")),
    Benchmark("training_step", (), ("--networks", "resnet18", "--steps", "2")),
    Benchmark("tails", (PHOTOS, WEIGHTS), ("--epochs", "1", "3", "--seeds", "1")),
    Benchmark("blocks", (), ("--seconds", "1")),
    Benchmark("networks", (), ("resnet18", "mobilenet_v3_large", "vit_tiny_16", "swin_tiny", "--seconds", "1")),
)


def run(benchmark: Benchmark) -> dict[str, object]:
    """Print tables as they come; what is kept tells options, but no paths."""
    print(f"\n== {benchmark.name}.py {' '.join(benchmark.options)}".rstrip(), flush=True)
    command = [sys.executable, str(HERE / f"{benchmark.name}.py"), *map(str, benchmark.files), *benchmark.options]
    start, results = time.perf_counter(), []
    with subprocess.Popen([*command, "--json"], stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            if not line.startswith("{"):  # a library talks
                print(line, end="", flush=True)
                continue
            results.append(json.loads(line))
            print("\n" + rendered(read(line)), flush=True)
    seconds = time.perf_counter() - start
    failed = f", failed with exit code {process.returncode}" if process.returncode else ""
    print(f"\n{benchmark.name}.py: {seconds:.0f} s{failed}", flush=True)
    facts = {"name": benchmark.name, "options": benchmark.options, "seconds": round(seconds, 1)}
    return {**facts, "exit_code": process.returncode, "results": results}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="of benchmarks; all by default")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    unknown = set(given.names) - {benchmark.name for benchmark in BENCHMARKS}
    if unknown:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    if given.out is not None and not given.out.parent.is_dir():
        parser.error(f"no such folder: {given.out.parent}")
    machine, done = described(), []
    print(json.dumps(machine, indent=2), flush=True)
    for benchmark in BENCHMARKS:
        if given.names and benchmark.name not in given.names:
            continue
        if not all(file.exists() for file in benchmark.files):
            print(f"\n== {benchmark.name}.py is left out: its photos or weights are not in {SHARED}", flush=True)
            continue
        done.append(run(benchmark))
        if given.out is not None:  # each time, so that an interrupted run leaves what it has found
            record = {"date": datetime.now(UTC).date().isoformat(), "machine": machine, "benchmarks": done}
            given.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(f"\n{len(done)} benchmarks in {sum(one['seconds'] for one in done) / 60:.1f} minutes", flush=True)
    failed = [one["name"] for one in done if one["exit_code"]]
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
