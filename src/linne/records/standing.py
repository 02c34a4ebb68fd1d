"""What stands after all acts: the log of decisions, replayed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from linne.records.decisions import Act, Decision


class Ruling(NamedTuple):
    """A decision, and the act that it was part of."""

    decision: Decision
    act: Act


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of an image: `gone` by the ruling that drops it, `moved` by the one that relabels it."""

    gone: Ruling | None = None
    moved: Ruling | None = None


UNTOUCHED = Fate()


class Standing:
    """Decisions in effect.

    An answer stands until the same check is answered anew for the same image or class, or is undone. Whether an image
    goes is what was said of it last, to whatever check; its label is the last relabelling that stands.

    Attributes
    ----------
    version : int
        Number of the last act that was replayed.
    """

    def __init__(self) -> None:
        self.version = 0
        self._acts: dict[int, Act] = {}
        self._images: dict[str, list[Ruling]] = {}
        self._classes: dict[str, list[Ruling]] = {}
        self._done: list[int] = []
        self._undone: list[int] = []
        self._out_of_effect: set[int] = set()
        self._came_or_went: list[Act] = []
        self._last: dict[tuple[str, str], int] = {}
        self._named: dict[str, set[int]] = {}

    def replay(self, act: Act) -> None:
        """Take one more act into account; acts come in the order of their numbers, without a gap."""
        if act.number != self.version + 1:
            raise ValueError(f"act {act.number} after act {self.version}")
        if act.kind == "decide":
            if not act.decisions:
                raise ValueError(f"act {act.number} decides nothing")
            self._acts[act.number] = act
            self._done.append(act.number)
            self._undone.clear()
            for decision in act.decisions:
                said = self._images if decision.path else self._classes
                said.setdefault(decision.path or decision.label, []).append(Ruling(decision, act))
                if decision.to:
                    self._named.setdefault(decision.to, set()).add(act.number)
        elif act.kind == "undo":
            self._done.remove(act.of)
            self._undone.append(act.of)
            self._out_of_effect.add(act.of)
        else:
            self._undone.remove(act.of)
            self._done.append(act.of)
            self._out_of_effect.discard(act.of)
        whose = self._acts[act.of or act.number]
        for decision in whose.decisions:
            self._last[decision.path, "" if decision.path else decision.label] = act.number
        self._came_or_went.append(whose)
        self.version = act.number

    def since(self, version: int) -> list[Act]:
        """Give the acts whose decisions came or went after a version."""
        return self._came_or_went[version:]

    def next_undo(self) -> Act | None:
        """Give the act that an undoing would take back."""
        return self._acts[self._done[-1]] if self._done else None

    def next_redo(self) -> Act | None:
        """Give the act that was undone last, unless something was decided since."""
        return self._acts[self._undone[-1]] if self._undone else None

    def acts(self) -> Iterator[tuple[Act, bool]]:
        """Give every act of decisions, the last first, and whether it is in effect."""
        return ((act, number not in self._out_of_effect) for number, act in reversed(self._acts.items()))

    def last_said(self, path: str, label: str) -> int:
        """Give the version at which decisions on an image, or without a path on a class, came or went last."""
        return self._last.get((path, "" if path else label), 0)

    def answer(self, check: str, path: str, digest: str = "", label: str = "") -> Ruling | None:
        """Find the answer to a check about an image, or without a path about a class.

        That an image goes is no answer any more when it was kept later: it stays, and the check asks again.
        """
        if not path:
            return self._in_effect(self._classes.get(label, [])).get(check)
        said = self._of(path, digest)
        ruling = said.get(check)
        if ruling is None or ruling.decision.action != "drop":
            return ruling
        return ruling if _last(said).decision.action == "drop" else None

    def fate(self, path: str, digest: str = "") -> Fate:
        """Say what becomes of an image; decisions on one that had other bytes do not count."""
        said = self._of(path, digest)
        if not said:
            return UNTOUCHED
        last = _last(said)
        relabelled = [ruling for ruling in said.values() if ruling.decision.action == "relabel"]
        moved = max(relabelled, key=lambda ruling: ruling.act.number, default=None)
        return Fate(last if last.decision.action == "drop" else None, moved)

    def images(self) -> Iterator[tuple[str, list[Ruling]]]:
        """Give each image that something was decided on, with its rulings in effect."""
        for path, said in self._images.items():
            rulings = [ruling for ruling in said if ruling.act.number not in self._out_of_effect]
            if rulings:
                yield path, rulings

    def named_classes(self) -> set[str]:
        """Give the classes that images were relabelled to, or classes merged into, by what is in effect."""
        return {name for name, acts in self._named.items() if not acts <= self._out_of_effect}

    def merges(self, and_then: Act | None = None) -> dict[str, Ruling]:
        """Give the classes that are merged into others, by the last word on each; as if one more act were done."""
        merged: dict[str, Ruling] = {}
        more: dict[str, list[Ruling]] = {}
        for decision in and_then.decisions if and_then else ():
            if and_then and not decision.path:
                more.setdefault(decision.label, []).append(Ruling(decision, and_then))
        for label in {**self._classes, **more}:
            answers = self._in_effect([*self._classes.get(label, ()), *more.get(label, ())]).values()
            merging = [ruling for ruling in answers if ruling.decision.action == "merge"]
            if merging:
                merged[label] = max(merging, key=lambda ruling: ruling.act.number)
        return merged

    def _of(self, path: str, digest: str) -> dict[str, Ruling]:
        said = self._images.get(path)
        if not said:
            return {}
        if digest:
            said = [ruling for ruling in said if ruling.decision.digest in ("", digest)]
        return self._in_effect(said)

    def _in_effect(self, said: list[Ruling]) -> dict[str, Ruling]:
        """The last answer to each check."""
        return {ruling.decision.check: ruling for ruling in said if ruling.act.number not in self._out_of_effect}


def _last(said: dict[str, Ruling]) -> Ruling:
    return max(said.values(), key=lambda ruling: ruling.act.number)


def in_a_ring(label: str, merges: dict[str, Ruling]) -> bool:
    """Say whether a class's merges lead back to it."""
    at = label
    for _ in range(len(merges)):
        if at not in merges:
            return False
        at = merges[at].decision.to
        if at == label:
            return True
    return False


def final_class(label: str, merges: dict[str, Ruling]) -> str:
    """Follow merged classes to where their images end; a ring, which two hands could close, ends where it began."""
    at = label
    for _ in range(len(merges)):
        if at not in merges:
            return at
        at = merges[at].decision.to
    return at if at not in merges else label
