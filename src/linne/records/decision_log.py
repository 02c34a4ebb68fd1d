"""Decisions on the disk: an SQLite file to which acts are only added, so that a kill loses nothing that was answered.

A rollback journal with ``synchronous=EXTRA`` and not a write-ahead log: an act takes a little longer, is on the disk
when it is answered even if the power fails, and all lies in one file that can be copied with its folder.
"""

from __future__ import annotations

import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from linne.records.decision_schema import SCHEMA, fault_in, is_new, make_tables, other_schema
from linne.records.decisions import Act, DecidedMeanwhileError, Decision, Kind
from linne.records.errors import LinneError, RunError, WriteError
from linne.records.standing import Standing

PATIENCE = 20.0
"""Seconds to wait for another process that is writing."""

_ADD_ACT = 'INSERT INTO act (number, key, kind, of, who, "when", why, "index") VALUES (?, ?, ?, ?, ?, ?, ?, ?)'
_ADD_DECISION = "INSERT INTO decision VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_ACTS = 'SELECT number, kind, of, who, "when", why, "index" FROM act WHERE number > ? AND number <= ? ORDER BY number'
_DECISIONS = "SELECT * FROM decision WHERE act > ? AND act <= ? ORDER BY rowid"


class DecisionLog:
    """Decisions on one folder's findings, safe for several threads and processes.

    Parameters
    ----------
    path : Path
        Made when it does not exist.

    Attributes
    ----------
    standing : Standing
        As of the last act that this process has read or written.

    Raises
    ------
    RunError
        The file is damaged, of another schema, or no log of decisions.
    WriteError
        It cannot be opened for writing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.standing = Standing()
        self._lock = threading.RLock()
        self._disk = self._connect()
        try:
            with self._told():
                self._check()
            self.refresh()
        except BaseException:
            self._disk.close()
            raise

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._disk.close()

    def __enter__(self) -> DecisionLog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def refresh(self) -> None:
        """Read what others have added."""
        with self._lock, self._told():
            self._catch_up()

    def decide(
        self, decisions: Sequence[Decision], *, who: str, index: str, why: str = "", key: str = "", seen: int = -1
    ) -> Act:
        """Add decisions that stand or fall together.

        Parameters
        ----------
        decisions : sequence of Decision
        who, index, why : str
        key : str, optional
            Names the attempt: a second one with the same key adds nothing, and gives the act of the first.
        seen : int, optional
            Number of the last act that the person knew of; -1 where it does not matter.

        Raises
        ------
        DecidedMeanwhileError
            Something was decided on one of the same images or classes after `seen`.
        WriteError
            It could not be written; nothing was added.
        LinneError
            There are no decisions.
        """

        def make() -> Act:
            for decision in decisions if seen >= 0 else ():
                said = self.standing.last_said(decision.path, decision.label)
                if said > seen:
                    raise DecidedMeanwhileError(
                        "was decided on meanwhile", file=decision.path or None, remedy="look at it again"
                    )
            if not decisions:
                raise LinneError("nothing is decided", remedy="give a decision")
            return self._act("decide", 0, who, why, index, tuple(decisions))

        return self._add(key, make)

    def done_as(self, key: str) -> Act | None:
        """Give the act that was added under a key; None where there is none."""
        with self._lock, self._told():
            known = self._disk.execute("SELECT number FROM act WHERE key = ?", (key,)).fetchone() if key else None
            return None if known is None else self._read(known[0] - 1, known[0])[0]

    def undo(self, expected: int, *, who: str, index: str, key: str = "") -> Act:
        """Take back the last act in effect, which must be the `expected` one; raises what `decide` raises."""
        return self._add(key, lambda: self._turn("undo", self.standing.next_undo(), expected, who, index))

    def redo(self, expected: int, *, who: str, index: str, key: str = "") -> Act:
        """Do again what was undone last, which must be the `expected` act; raises what `decide` raises."""
        return self._add(key, lambda: self._turn("redo", self.standing.next_redo(), expected, who, index))

    def _turn(self, kind: Kind, on_top: Act | None, expected: int, who: str, index: str) -> Act:
        if on_top is None or on_top.number != expected:
            raise DecidedMeanwhileError(
                f"there is another act to {kind} by now" if on_top else f"there is nothing to {kind}",
                remedy="look at what was decided meanwhile",
            )
        return self._act(kind, expected, who, "", index, ())

    def _act(self, kind: Kind, of: int, who: str, why: str, index: str, decisions: tuple[Decision, ...]) -> Act:
        when = datetime.now(UTC).isoformat(timespec="seconds")
        return Act(self.standing.version + 1, kind, of, who, when, why, index, decisions)

    def _add(self, key: str, make: Callable[[], Act]) -> Act:
        """Write the act that is made after all that others added is known; on the disk when this returns."""
        with self._lock, self._told():
            self._disk.execute("BEGIN IMMEDIATE")
            try:
                self._catch_up()
                known = self.done_as(key)
                act = make() if known is None else known
                if known is None:
                    self._insert(key or secrets.token_hex(16), act)
                self._disk.execute("COMMIT")
            except BaseException:
                if self._disk.in_transaction:
                    self._disk.execute("ROLLBACK")
                raise
            if known is None:
                self.standing.replay(act)
            return act

    def _insert(self, key: str, act: Act) -> None:
        self._disk.execute(_ADD_ACT, (act.number, key, act.kind, act.of, act.who, act.when, act.why, act.index))
        self._disk.executemany(
            _ADD_DECISION,
            ((act.number, d.action, d.check, d.path, d.label, d.to, d.digest, int(d.test)) for d in act.decisions),
        )

    def _catch_up(self) -> None:
        last = self._disk.execute("SELECT max(number) FROM act").fetchone()[0] or 0
        if last == self.standing.version:
            return
        try:
            for act in self._read(self.standing.version, last):
                self.standing.replay(act)
        except (KeyError, ValueError) as error:  # an undoing of what was never done
            raise self._damaged(error) from error

    def _read(self, after: int, last: int) -> list[Act]:
        """Read the acts numbered ``after + 1`` to ``last``."""
        decisions: dict[int, list[Decision]] = {}
        for number, action, check, path, label, to, digest, test in self._disk.execute(_DECISIONS, (after, last)):
            decisions.setdefault(number, []).append(Decision(action, check, path, label, to, digest, bool(test)))
        return [
            Act(number, kind, of, who, when, why, index, tuple(decisions.get(number, ())))
            for number, kind, of, who, when, why, index in self._disk.execute(_ACTS, (after, last))
        ]

    def _connect(self) -> sqlite3.Connection:
        with self._told():
            if not self.path.parent.is_dir():
                raise RunError("no such folder", file=self.path.parent, remedy="give one that `linne audit` made")
            return sqlite3.connect(self.path, PATIENCE, isolation_level=None, check_same_thread=False)

    def _check(self) -> None:
        """Make the tables of a new file; refuse one that is not ours, or not whole."""
        self._disk.execute("PRAGMA synchronous = EXTRA")
        self._disk.execute("PRAGMA trusted_schema = OFF")
        if is_new(self._disk):
            make_tables(self._disk)
            return
        whose = other_schema(self._disk)
        if whose:
            raise RunError(
                f"is no log of decisions of schema {SCHEMA}", file=self.path, value=whose, remedy="move it away"
            )
        fault = fault_in(self._disk)
        if fault:
            raise self._damaged(fault)

    def _damaged(self, why: object) -> RunError:
        return RunError(
            "is damaged: decisions cannot be read", file=self.path, value=why, remedy="put a copy back or move it away"
        )

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn what SQLite raises into what a person can put right."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise WriteError(
                f"decisions could not be written or read: {error}",
                file=self.path,
                remedy="see whether the disk is full, the folder may be written, or another program holds the file",
            ) from error
        except sqlite3.DatabaseError as error:
            raise self._damaged(error) from error
