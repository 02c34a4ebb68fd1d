"""The whole road as a user walks it: a fit within a budget with an empty store, its test score, the same fit again."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


def linne(*arguments: object, folder: str) -> tuple[dict[str, Any], float]:
    """Run a command as a process of its own: what it says, and the seconds it took from start to exit."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "linne", *map(str, arguments), "--json"]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    return json.loads(done.stdout), time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--budget", default="60s")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        fit = ("fit", arguments.photos.resolve(), "--weights", arguments.weights.resolve())
        for store in ("empty", "warm"):
            said, seconds = linne(*fit, "--budget", arguments.budget, "--cache", "store", folder=folder)
            spent = said["seconds"]
            probe = sum(spent[step] for step in ("start", "plan", "embed", "audit", "split", "probe"))
            accuracy = linne("evaluate", said["run"], folder=folder)[0]["measures"]["accuracy"]
            print(
                f"{store} store, --budget {arguments.budget}: {seconds:.1f} s in all, {probe:.1f} s to the probe "
                f"({said['probe']['accuracy']:.4f} of validation); kept {said['chosen']['method']}, "
                f"test accuracy {accuracy['value']:.4f} [{accuracy['low']:.3f}, {accuracy['high']:.3f}]",
                flush=True,
            )


if __name__ == "__main__":
    main()
