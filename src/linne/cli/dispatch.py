"""Run one command; errors become one line and an exit status."""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module

from typer.main import get_command

from linne.records.errors import LinneError, needs

FAILED, INTERRUPTED = 1, 130


def run_command(name: str, arguments: list[str]) -> int:
    """Run a command of the table and give its exit status."""
    as_json = "--json" in arguments
    try:
        command = get_command(import_module(f"linne.cli.{name}").app)
        command.main(arguments, prog_name=f"linne {name}")
    except LinneError as error:
        return _failed(error, as_json)
    except ModuleNotFoundError as error:
        return _failed(needs(f"`linne {name}`", error), as_json)
    except MemoryError:
        return _failed(
            LinneError("there is not enough memory", remedy="close other programs, or leave out the largest images"),
            as_json,
        )
    except BrokenPipeError:  # `linne predict ... | head`: the reader has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt:
        return _interrupted()
    except SystemExit as end:
        return _interrupted() if end.code == INTERRUPTED else int(end.code or 0)
    return 0


def _failed(error: LinneError, as_json: bool) -> int:
    sys.stderr.write(f"linne: {error}\n")
    if as_json:
        value = None if error.value is None else str(error.value)
        facts = {"problem": error.problem, "file": error.file, "value": value, "remedy": error.remedy}
        sys.stdout.write(json.dumps({"error": facts}) + "\n")
    return FAILED


def _interrupted() -> int:
    sys.stderr.write("\nlinne: interrupted; what was computed is kept, and the same command goes on from there\n")
    return INTERRUPTED
