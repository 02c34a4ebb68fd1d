"""How long until the command line answers: `linne --help` beside an empty Python, interleaved, medians."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

ROUNDS = 15
SCRIPT = Path(sys.executable).with_name("linne")
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "linne --help": [str(SCRIPT), "--help"],
    "linne nets": [str(SCRIPT), "nets"],
    "linne predict --help": [str(SCRIPT), "predict", "--help"],
}


def seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def main() -> None:
    measured: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(ROUNDS):
        for name, command in COMMANDS.items():
            measured[name].append(seconds(command))
    empty = statistics.median(measured["python -c pass"])
    for name, values in measured.items():
        median = statistics.median(values)
        print(f"{name:<22}{median * 1000:8.1f} ms {median / empty:6.2f} x")


if __name__ == "__main__":
    main()
