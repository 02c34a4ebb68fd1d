"""The command line: thin commands over the road; the only room that prints.

The first screen is plain text, printed before anything is imported that takes time.
"""

from __future__ import annotations

import os
import sys
import time

STARTED = time.monotonic()
"""When the budget begins."""

# Command: what it does. Each is a module of this package with a Typer `app`.
COMMANDS = {
    "fit": "train a classifier on a folder of photos, within a budget",
    "tune": "search for the recipe and the network that suit the photos, then train with them",
    "audit": "tell what is wrong with the photos; nothing is touched",
    "preview": "draw what training would see of the photos, on one sheet",
    "review": "decide on what the audit found, on a page in the browser",
    "evaluate": "open a run's test set and score its classifier",
    "race": "train a network of every generation on your photos, and compare them",
    "embed": "give the features of images, for other programs",
    "predict": "classify images with a bundle",
    "serve": "answer over HTTP, with a page to drop images on",
    "nets": "list the networks, and filter them",
    "weights": "list, fetch and verify published weights",
    "lineage": "tell the story from LeNet to today's networks, and check its claims",
}

TRAINING = ("fit", "tune", "race")

HELP = "linne COMMAND [OPTIONS]\n\n"
HELP += "A folder of images goes in, a classifier that its owner can trust and ship comes out.\n\n"
HELP += "".join(f"  {name:<10}{what}\n" for name, what in COMMANDS.items())
HELP += "\n`linne COMMAND --help` tells more, `linne --version` which version this is.\n"


INTERRUPTED = 130

TOLD_TO_END = 128
"""And the number of the signal."""


def main() -> None:
    """Run the command line and exit: 0 done, 1 failed, 2 wrong usage, 130 interrupted, 143 told to end."""
    try:
        sys.exit(_run(sys.argv[1:]))
    except KeyboardInterrupt:  # while a command is imported; later ones tell what is kept
        sys.exit(INTERRUPTED)


def script() -> None:
    """Do the same as a process that has nothing else to do."""
    try:
        main()
    except SystemExit as end:
        if "torch" not in sys.modules and end.code != INTERRUPTED:
            raise
        _end_at_once(int(end.code or 0))


def _run(arguments: list[str]) -> int:
    if not arguments:
        sys.stderr.write(HELP)
        return 2
    if arguments[0] in ("--help", "-h", "help"):
        sys.stdout.write(HELP)
        return 0
    if arguments[0] == "--version":
        from linne import __version__

        sys.stdout.write(f"linne {__version__}\n")
        return 0
    if arguments[0] not in COMMANDS:
        sys.stderr.write(f"linne: no such command: {arguments[0]}\n\n{HELP}")
        return 2

    _let_go_of_cores()
    if arguments[0] in TRAINING:
        from linne.runtime.allocator import keep_freed_memory

        keep_freed_memory()  # before there are other threads
    from linne.cli.dispatch import run_command

    return run_command(arguments[0], arguments[1:])


def _end_at_once(status: int) -> None:
    """End the process once all who asked for it have had their say, as Python does.

    Python would then take its modules apart, for most of a second with PyTorch's; and die of the signal where Ctrl-C
    came while a module was imported: PyTorch, too, which then is not among those that are there.
    """
    import atexit
    import threading

    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, AttributeError, ValueError):  # nobody reads it any more, or it was closed
            continue
    os._exit(status)


def _let_go_of_cores() -> None:
    """Let threads that wait for work sleep soon; what the user has set stays.

    Those of OpenBLAS, of which NumPy has one pool and SciPy another, and of GNU's OpenMP spin, and take the cores from
    those that have work: of the same process, and of any other. Read when these libraries are loaded.
    """
    os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")  # processor cycles, as a power of two
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "10000")
