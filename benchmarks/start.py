"""How long until the command line answers: `linne --help` and others beside an empty Python.

Each is a process of its own; a ratio of 0.5 means twice as long as Python takes to start and do nothing.

Usage: start.py [--turns N]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from harness import Comparison, Table, compare, main

SCRIPT = Path(sys.executable).with_name("linne")
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "linne --help": [str(SCRIPT), "--help"],
    "linne nets": [str(SCRIPT), "nets"],
    "linne predict --help": [str(SCRIPT), "predict", "--help"],
}


def measure(given: argparse.Namespace) -> Iterator[Comparison | Table]:
    ways = {
        name: partial(subprocess.run, command, stdout=subprocess.DEVNULL, check=True)
        for name, command in COMMANDS.items()
    }
    yield compare("Start of the command line", ways, turns=given.turns)


if __name__ == "__main__":
    main(__doc__, measure, [("--turns", {"type": int, "default": 15})])
