"""Run one command; errors become one line and an exit status."""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module

from typer.main import get_command

from linne.cli import INTERRUPTED, TOLD_TO_END
from linne.records.errors import LinneError, LostError, Stopped, needs
from linne.runtime.torchrun import rank

FAILED = 1

KEPT = {
    **dict.fromkeys(("audit", "embed", "fit"), "what was embedded is kept, and the same command goes on from there"),
    "race": "what was trained is kept, and the same command goes on from there",
    "tune": "the trials that ended are kept, and the same command goes on from there",
}
"""What is told of after Ctrl-C."""


def run_command(name: str, arguments: list[str]) -> int:
    """Run a command of the table and give its exit status."""
    as_json = "--json" in arguments
    try:
        status = _call(name, arguments)
    except LinneError as error:
        return _failed(error, as_json)
    except ModuleNotFoundError as error:
        return _failed(needs(f"`linne {name}`", error), as_json)
    except MemoryError:
        remedy = "close other programs, or leave out the largest images"
        return _failed(LinneError("there is not enough memory", remedy=remedy), as_json)
    except BrokenPipeError:  # `linne predict ... | head`: the reader has enough
        _let_go_of_output()
        return FAILED
    except OSError as error:  # a name that is too long, a full disk behind `linne predict ... > file`
        try:
            sys.stdout.flush()
        except OSError:
            _let_go_of_output()
        remedy = "free some space, or see whether the file may be read and written"
        return _failed(LinneError(error.strerror or str(error), file=error.filename, remedy=remedy), as_json)
    except KeyboardInterrupt:
        status = INTERRUPTED
    except Stopped as end:
        if rank() == 0:
            kept = "what was trained is kept, and --resume goes on from there" if name == "fit" else KEPT[name]
            sys.stderr.write(f"linne: {end}; {kept}\n")
        return TOLD_TO_END + end.signal
    return _interrupted(name) if status == INTERRUPTED else status


def _call(name: str, arguments: list[str]) -> int:
    if sys.stdout is None:  # `linne nets >&-`
        raise LinneError("there is no standard output", remedy="do not close it; use > /dev/null")
    command = get_command(import_module(f"linne.cli.{name}").app)
    try:
        command.main(arguments, prog_name=f"linne {name}")
    except SystemExit as end:
        sys.stdout.flush()  # here, where an error is told of, and not when Python has ended
        return int(end.code or 0)
    return 0


def _let_go_of_output() -> None:
    """What is in the buffer still cannot be written, and Python would try when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _failed(error: LinneError, as_json: bool) -> int:
    if isinstance(error, LostError) and (rank() > 0 or error.explained):
        return FAILED  # of several processes one tells what has happened
    sys.stderr.write(f"linne: {f'process {rank()}: ' if rank() else ''}{error}\n")
    if as_json and rank() == 0:
        value = None if error.value is None else str(error.value)
        facts = {"problem": error.problem, "file": error.file, "value": value, "remedy": error.remedy}
        try:
            sys.stdout.write(json.dumps({"error": facts}) + "\n")
            sys.stdout.flush()
        except OSError:  # it is the output that fails
            _let_go_of_output()
    return FAILED


def _interrupted(name: str) -> int:
    if rank() == 0:
        sys.stderr.write(f"\nlinne: interrupted{f'; {KEPT[name]}' if name in KEPT else ''}\n")
    return INTERRUPTED
