"""What linne raises: one family, each naming the file, the value and the remedy."""

from __future__ import annotations

from os import PathLike


class LinneError(Exception):
    """Something that a person can put right.

    Parameters
    ----------
    problem : str
        What is wrong, in a few words.
    file : path, optional
        The file or folder that it is about.
    value : object, optional
        The value that was found.
    remedy : str, optional
        What to do about it.
    """

    def __init__(
        self,
        problem: str,
        *,
        file: str | PathLike[str] | None = None,
        value: object | None = None,
        remedy: str | None = None,
    ) -> None:
        self.problem = problem
        self.file = None if file is None else str(file)
        self.value = value
        self.remedy = remedy
        super().__init__(problem)

    def __str__(self) -> str:
        """One printable line, whatever the file's name or the value holds."""
        text = self.problem
        if self.value is not None:
            text = f"{text} ({self.value})"
        if self.remedy is not None:
            text = f"{text}; {self.remedy}"
        text = printable(" ".join(text.split()))
        return text if self.file is None else f"{printable(self.file)}: {text}"


class DataError(LinneError):
    """The images, their folders or their labels cannot be used as they are."""


class ImageError(DataError):
    """One file cannot be decoded."""


class WeightsError(LinneError):
    """A weights file does not fit the network, or cannot be read."""


class RunError(LinneError):
    """A run folder is gone, damaged, or of another schema."""


class BundleError(LinneError):
    """A bundle is damaged, incomplete, or of another schema."""


class BudgetError(LinneError):
    """The budget is too short for the least that there is to do."""


class ParityError(LinneError):
    """An exported model disagrees with its network."""


class WriteError(LinneError):
    """A file could not be written; what stood there before still stands."""


class InstallError(LinneError):
    """A package that this step needs is missing, or does not fit another one."""


class LostError(LinneError):
    """Another process of a run has ended, or does not answer; `explained` where it has said why itself."""

    def __init__(self, problem: str, *, remedy: str, explained: bool) -> None:
        self.explained = explained
        super().__init__(problem, remedy=remedy)


class DivergedError(LinneError):
    """The training's loss is no number."""


class Stopped(Exception):  # noqa: N818 - no error: what was asked for has been done
    """The process was told to end by a signal, and what is needed to go on has been written.

    How it goes on is for who asked: a run by `linne.resume`, a race or a search by the same call.

    Attributes
    ----------
    signal : int
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"told to end by signal {number}")
        self.signal = number


def needs(what: str, missing: ModuleNotFoundError) -> InstallError:
    """Say which package a step lacks; a module of linne's own that is missing is a fault, and raised again."""
    if (missing.name or "linne").split(".")[0] == "linne":
        raise missing
    return InstallError(f"{what} needs {missing.name}, which is not installed", remedy='pip install "linne[train]"')


def printable(name: str) -> str:
    r"""Give a file's name as one line of printable text; bytes that are not UTF-8 become ``\xNN``."""
    return "".join(c if c.isprintable() else _escape(c) for c in name)


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else repr(character)[1:-1]
