"""The tables of a log of decisions, and whether a file has these and no others."""

from __future__ import annotations

import sqlite3

SCHEMA = 1
APPLICATION = 0x4C696E64
"""Stands in the file's header and tells that it is ours."""

_TABLES = (
    """CREATE TABLE act (
    number INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('decide', 'undo', 'redo')),
    of INTEGER NOT NULL,
    who TEXT NOT NULL,
    "when" TEXT NOT NULL,
    why TEXT NOT NULL,
    "index" TEXT NOT NULL
) STRICT""",
    """CREATE TABLE decision (
    act INTEGER NOT NULL REFERENCES act (number),
    action TEXT NOT NULL CHECK (action IN ('keep', 'relabel', 'drop', 'merge')),
    "check" TEXT NOT NULL,
    path TEXT NOT NULL,
    label TEXT NOT NULL,
    "to" TEXT NOT NULL,
    digest TEXT NOT NULL,
    test INTEGER NOT NULL CHECK (test IN (0, 1))
) STRICT""",
    "CREATE INDEX decisions_of_act ON decision (act)",
    *(
        f"CREATE TRIGGER {table}_{event} BEFORE {event} ON {table} BEGIN SELECT RAISE(ABORT, 'only added to'); END"
        for table in ("act", "decision")
        for event in ("UPDATE", "DELETE")
    ),
)
_HEADER = ("application_id", "user_version")


def is_new(disk: sqlite3.Connection) -> bool:
    """Whether nothing was ever written to a file."""
    application, schema = _header(disk)
    return not application and not schema and not _contents(disk)


def make_tables(disk: sqlite3.Connection) -> None:
    """Make the tables of a new file.

    In one transaction, so that a kill leaves an empty file or a whole one; two processes make them only once.
    """
    disk.execute("BEGIN IMMEDIATE")
    if not _contents(disk):
        for statement in _TABLES:
            disk.execute(statement)
        disk.execute(f"PRAGMA application_id = {APPLICATION}")
        disk.execute(f"PRAGMA user_version = {SCHEMA}")
    disk.execute("COMMIT")


def other_schema(disk: sqlite3.Connection) -> str:
    """Say whose file it is; empty where it is a log of decisions of our schema, as far as its header tells."""
    application, schema = _header(disk)
    if application != APPLICATION:
        return "another program's"
    return "" if schema == SCHEMA else f"schema {schema}"


def fault_in(disk: sqlite3.Connection) -> str:
    """Say what is not as it was made; empty where all is whole.

    Nothing is read of a table before: under its name could lie a view that never ends, or columns of other types.
    """
    if sorted(_contents(disk)) != sorted(_TABLES):
        return "its tables were altered"
    verdict = str(disk.execute("PRAGMA quick_check(1)").fetchone()[0])
    return "" if verdict == "ok" else verdict


def _header(disk: sqlite3.Connection) -> tuple[int, int]:
    application, schema = (disk.execute(f"PRAGMA {name}").fetchone()[0] for name in _HEADER)
    return application, schema


def _contents(disk: sqlite3.Connection) -> list[str]:
    """How all that is in a file was made, but for what SQLite keeps for itself, such as its statistics."""
    found = disk.execute("SELECT sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'")
    return [str(sql) for (sql,) in found]
