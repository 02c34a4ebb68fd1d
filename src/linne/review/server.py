"""A review served to this machine until Ctrl-C."""

from __future__ import annotations

import gc
import getpass
from collections.abc import Callable
from os import PathLike
from pathlib import Path

from linne.records.decisions import LONGEST_NAME
from linne.records.errors import LinneError
from linne.review.app import create_app
from linne.review.desk import Desk
from linne.serve.listen import listen

HERE = "127.0.0.1"
"""Whoever can connect can decide, and sees the pictures: nobody else's machine may."""


def review(
    folder: str | PathLike[str],
    *,
    who: str | None = None,
    port: int = 8001,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Serve the page on which a person decides on findings, to this machine alone, until Ctrl-C.

    Parameters
    ----------
    folder : path
        Of `linne.audit`, or of a run. Decisions are kept in it, as ``decisions.sqlite``.
    who : str, optional
        Who decides; by default the user's name on this machine.
    port : int
        0 picks a free one.
    on_ready : callable, optional
        Called with the URL as soon as requests are answered.

    Raises
    ------
    LinneError
        The folder is no audit, its decisions cannot be read or written, or the port is in use.
    """
    desk = Desk(Path(folder), _name(who))
    gc.freeze()  # findings stay until the end: looking through 100,000 for garbage takes a tenth of a second each time
    try:
        listen(lambda hosts: create_app(desk, hosts), HERE, port, on_ready)
    finally:
        desk.close()


def _name(who: str | None) -> str:
    if who is None:
        try:
            return getpass.getuser()
        except (OSError, KeyError):  # a container whose user has no name
            return "unknown"
    name = who.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise LinneError("is no name of a person", value=repr(who)[:80], remedy="give another --who")
    return name
