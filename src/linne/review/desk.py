"""Cases and what was decided on them: which are open, and how each is shown."""

from __future__ import annotations

import threading
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linne.records.audited import Audited, read_audited, refuse_several_labels
from linne.records.decision_log import DecisionLog
from linne.records.decisions import Act
from linne.records.digests import digest_name
from linne.records.standing import Ruling, final_class
from linne.review.cases import NOT_THERE, Case, cases_of
from linne.review.edition import Edition
from linne.review.queue import Queue

FIRST_IMAGES = 4
"""Of a group of copies, where many cases are shown at once."""

MOST_SHOWN = 200
"""Images of a case, and findings, where it is shown alone; more are asked for."""

EXAMPLES = 6
"""Images of a class, to compare with."""

MOST_EXAMPLES = 3
"""Classes that examples are given of."""


class Desk:
    """An audited folder, opened for deciding; every method may be called from any thread.

    Parameters
    ----------
    folder : Path
        Of `linne audit`, or of a run.
    who : str
        Who decides.

    Attributes
    ----------
    lock : threading.RLock
        Held while several calls must see the same decisions.
    edition : str
        Names these very findings over these very images: numbers of cases mean nothing for others.

    Raises
    ------
    LinneError
        The folder is no audit, or its decisions cannot be read or written.
    """

    def __init__(self, folder: Path, who: str) -> None:
        audited = Audited(folder)
        self._edition = Edition(audited)  # before anything is read: an audit that ends meanwhile is noticed
        examined = read_audited(audited)
        refuse_several_labels(examined, audited.folder)
        self.folder, self.who, self.is_run = folder, who, audited.is_run
        self.index, self.test, self._digest = examined.index, examined.test, examined.digest
        self.notes = examined.findings.notes
        self.cases = cases_of(examined.findings, self.index)
        self.queue = Queue(self.cases, self.test)
        self.edition = self._edition.name
        self.lock = threading.RLock()
        self.log = DecisionLog(audited.decisions)
        self.standing = self.log.standing
        self._of_image: dict[str, list[int]] = {}
        self._of_class: dict[str, list[int]] = {}
        for case in self.cases:
            for path in case.paths:
                self._of_image.setdefault(path, []).append(case.number)
            if not case.paths:
                self._of_class.setdefault(case.label, []).append(case.number)
        self._found = np.zeros(len(self.index), np.bool_)
        self._found[[row for case in self.cases for row in case.rows if row != NOT_THERE]] = True
        self.examples = cache(self._examples)
        self._answered = np.array([self._is_answered(case) for case in self.cases], np.bool_)
        self._version = self.standing.version
        self._join_classes()

    def close(self) -> None:
        """Let go of the decisions' file."""
        self.log.close()

    def catch_up(self) -> int:
        """Take into account what was decided since, here and elsewhere; gives the version."""
        with self.lock:
            self.log.refresh()
            for act in self.standing.since(self._version):
                self._reconsider(act)
            self._version = self.standing.version
            return self._version

    @property
    def decided(self) -> NDArray[np.bool_]:
        """Which cases are decided, or have nothing left to decide: ``(cases,)``."""
        return np.asarray(self._answered | self._moot, np.bool_)

    @property
    def is_current(self) -> bool:
        """Whether the folder still holds the findings that were opened; `linne audit` may replace them."""
        with self.lock:
            return self._edition.is_current()

    def digest(self, row: int) -> str:
        """Digest of an image when it was audited; empty where it could not be read."""
        return "" if row == NOT_THERE else digest_name(self._digest[row])

    def is_test(self, row: int) -> bool:
        """Whether a row is a test image."""
        return row != NOT_THERE and bool(self.test[row])

    def class_now(self, label: str) -> str:
        """The class that a class's images are in, merges followed."""
        return final_class(label, self._merges)

    def known_classes(self) -> list[str]:
        """Classes of the index, and those that decisions brought."""
        names = self.standing.named_classes() - set(self.index.labels)
        return [*self.index.labels, *sorted(names)]

    def shown(self, case: Case, most: int | None = None) -> dict[str, Any]:
        """Give a case as JSON: with its reasons and its first `most` images, or in brief where that is None."""
        told: dict[str, Any] = {
            "case": case.number,
            "kind": case.kind,
            "checks": case.checks,
            "score": round(case.score, 4),
            "label": case.label,
            "suggestion": case.suggestion,
            "version": self._version,
            "decided": bool(self._answered[case.number] or self._moot[case.number]),
            "count": len(case.rows),
            "images": [self._image(case, place) for place in range(len(case.rows))[: most or FIRST_IMAGES]],
        }
        if not case.rows:
            merges = self._merges.get(case.label)
            told["answer"] = _told(self.standing.answer(case.checks[0], "", "", case.label) or merges)
        if most is not None:
            told["tests"] = sum(map(self.is_test, case.rows))
            names = ("check", "score", "reason", "remedy", "path", "other", "label", "suggestion")
            told["findings"] = [{name: getattr(found, name) for name in names} for found in case.findings[:MOST_SHOWN]]
            labels = (image["label"] for image in told["images"])
            classes = dict.fromkeys(
                name for name in (*labels, case.label, case.suggestion) if name in self.index.labels
            )
            told["examples"] = [{"label": name, "rows": self.examples(name)} for name in list(classes)[:MOST_EXAMPLES]]
        return told

    def _image(self, case: Case, place: int) -> dict[str, Any]:
        row, path = case.rows[place], case.paths[place]
        digest = self.digest(row)
        fate = self.standing.fate(path, digest)
        label = self.index.label_of(row) if row != NOT_THERE else ""
        answers = (self.standing.answer(check, path, digest) for check in case.checks)
        others = {check for number in self._of_image[path] for check in self.cases[number].checks}
        return {
            "row": row,
            "path": path,
            "label": label,
            "now": self.class_now(fate.moved.decision.to if fate.moved else label),
            "gone": fate.gone is not None,
            "test": self.is_test(row),
            "answer": _told(fate.gone or next((answer for answer in answers if answer), None)),
            "also": sorted(others - set(case.checks)),
        }

    def _examples(self, label: str) -> list[int]:
        """Rows of a class that nothing was found on, spread evenly; no test images, which nobody need look at."""
        of_class = (self.index.label == self.index.labels.index(label)) & ~self.test
        of_class &= ~self._found
        rows = np.flatnonzero(of_class)
        spread = np.linspace(0, len(rows) - 1, min(EXAMPLES, len(rows))).round().astype(int)
        return [int(row) for row in rows[spread]]

    def _reconsider(self, act: Act) -> None:
        """Bring up to date what an act that came or went may have changed."""
        touched: set[int] = set()
        for decision in act.decisions:
            of = self._of_image.get(decision.path, ()) if decision.path else self._of_class.get(decision.label, ())
            touched.update(of)
        for number in touched:
            self._answered[number] = self._is_answered(self.cases[number])
        if any(decision.action == "merge" for decision in act.decisions):
            self._join_classes()

    def _join_classes(self) -> None:
        """See which doubts merged classes settle: the given and the suggested class are one now."""
        self._merges = self.standing.merges()
        finals: dict[str, int] = {}  # of any name: the class that both went into need not be one that was found on
        code = np.array([finals.setdefault(self.class_now(name), len(finals)) for name in self.queue.labels], np.int64)
        queue = self.queue
        doubts = np.array([bool(case.rows) and bool(case.suggestion) for case in self.cases], np.bool_)
        same = code[queue.label] == code[queue.suggestion] if len(code) else doubts
        self._moot = doubts & same & (queue.label != queue.suggestion)

    def _is_answered(self, case: Case) -> bool:
        if not case.rows:
            return self.standing.answer(case.checks[0], "", "", case.label) is not None
        open_still = left = 0
        for row, path in zip(case.rows, case.paths, strict=True):
            digest = self.digest(row)
            if self.standing.fate(path, digest).gone is None:
                left += 1
                open_still += all(self.standing.answer(check, path, digest) is None for check in case.checks)
        return not open_still or (case.kind == "copies" and left <= 1)


def _told(ruling: Ruling | None) -> dict[str, str] | None:
    if ruling is None:
        return None
    decision, act = ruling
    return {"action": decision.action, "to": decision.to, "who": act.who, "when": act.when, "why": act.why}
