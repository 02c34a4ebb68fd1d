"""An error is one printable line, and carries what it is about."""

from __future__ import annotations

import os
import pickle

from hypothesis import given
from hypothesis import strategies as st

from linne.records.errors import BundleError, DataError, ImageError, LinneError, printable

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))  # lone surrogates too


@given(problem=ANY_TEXT, file=st.none() | ANY_TEXT, value=st.none() | ANY_TEXT, remedy=st.none() | ANY_TEXT)
def test_any_text_gives_one_line_that_any_terminal_takes(
    problem: str, file: str | None, value: str | None, remedy: str | None
) -> None:
    error = LinneError(problem, file=file, value=value, remedy=remedy)
    line = str(error)
    assert len(line.splitlines()) <= 1
    assert line.isprintable()
    line.encode("utf-8")
    assert (error.problem, error.file, error.value, error.remedy) == (problem, file, value, remedy)


def test_a_line_names_file_value_and_remedy() -> None:
    line = str(DataError("is odd", file="a  b.jpg", value=7, remedy="mend it"))
    for part in ("a  b.jpg", "is odd", "7", "mend it"):  # two blanks in a name stay two
        assert part in line


def test_a_value_of_zero_is_told() -> None:
    assert "0" in str(LinneError("too small", value=0))


@given(st.text())
def test_printable_keeps_what_is_printable(name: str) -> None:
    if name.isprintable():
        assert printable(name) == name


def test_names_are_escaped_so_that_they_can_be_told_apart() -> None:
    assert printable(os.fsdecode(b"caf\xe9.jpg")) == "caf\\xe9.jpg"
    assert printable("two\nlines") == "two\\nlines"
    assert printable("\x1b[31mred") == "\\x1b[31mred"
    assert printable("gpj.\u202etac") == "gpj.\\u202etac"  # right-to-left override: a name that reads backwards


def test_one_family() -> None:
    assert issubclass(ImageError, DataError)
    assert issubclass(BundleError, LinneError)


def test_an_error_crosses_processes_whole() -> None:
    error = ImageError("is damaged", file="a.jpg", value="x", remedy="y")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.file) == (ImageError, str(error), "a.jpg")
