"""What a person decided on findings, by whom, when and why: acts in the order in which they were done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from linne.records.errors import LinneError

Action = Literal["keep", "relabel", "drop", "merge"]
ACTIONS: tuple[Action, ...] = ("keep", "relabel", "drop", "merge")

Kind = Literal["decide", "undo", "redo"]

LONGEST_NAME = 200
"""Characters of a new class's name: it may become the name of a folder."""

LONGEST_NOTE = 2000


@dataclass(frozen=True, slots=True)
class Decision:
    """One answer to one question: what a check asked of an image, or of a class.

    Attributes
    ----------
    action : {'keep', 'relabel', 'drop', 'merge'}
        An image is kept as it is, relabelled or dropped; a class is kept as it is, or merged into another.
    check : str
        The check that asked.
    path : str
        The image, below the index's root; empty where the answer is about a class.
    label : str
        The class that the image was filed under, or the class that the answer is about.
    to : str
        The class after a relabelling or merging; empty otherwise.
    digest : str
        Hex digest of the image's bytes when it was looked at; an image that was replaced since is another one.
    test : bool
        Whether it was a test image.
    """

    action: Action
    check: str
    path: str = ""
    label: str = ""
    to: str = ""
    digest: str = ""
    test: bool = False


@dataclass(frozen=True, slots=True)
class Act:
    """What was done at one moment: decisions that stand or fall together, or an undoing, or a doing again.

    Attributes
    ----------
    number : int
        1, 2, ... in the order of the log.
    kind : {'decide', 'undo', 'redo'}
    of : int
        The act that is undone, or done again; 0 for decisions.
    who : str
    when : str
        UTC, ISO 8601.
    why : str
        A note; may be empty.
    index : str
        Fingerprint of the index that was looked at.
    decisions : tuple of Decision
    """

    number: int
    kind: Kind
    of: int
    who: str
    when: str
    why: str
    index: str
    decisions: tuple[Decision, ...] = ()

    @property
    def count(self) -> int:
        """Of how many images or classes it is."""
        return len({decision.path or decision.label for decision in self.decisions})


class DecidedMeanwhileError(LinneError):
    """Somebody else, or another tab, decided on the same since it was looked at."""


def as_class_name(text: object) -> str:
    """Check the name of a class, which need not exist yet.

    Raises
    ------
    LinneError
        It is no text, empty, longer than `LONGEST_NAME`, or holds what cannot be printed.
    """
    name = text.strip() if isinstance(text, str) else ""
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise LinneError(
            "is no name of a class", value=repr(text)[:80], remedy=f"give 1 to {LONGEST_NAME} printable characters"
        )
    return name


def as_note(text: object) -> str:
    """Check a note: any text that can be kept as UTF-8."""
    if isinstance(text, str) and len(text) <= LONGEST_NOTE:
        try:
            text.encode()
        except UnicodeEncodeError:
            pass
        else:
            return text.strip()
    raise LinneError("is no note", value=repr(text)[:80], remedy=f"give at most {LONGEST_NOTE} characters")
