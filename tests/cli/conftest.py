"""The command line called as the console script calls it, without a new interpreter: torch takes seconds to import."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from linne.cli import main

Call = Callable[..., CompletedProcess[str]]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """``call("fit", "photos", folder=tmp_path)``: as `walked.linne`, in this interpreter."""

    def run(*arguments: object, folder: Path) -> CompletedProcess[str]:
        monkeypatch.chdir(folder)
        monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        monkeypatch.setenv("COLUMNS", "200")
        monkeypatch.setattr("linne.cli.fit.STARTED", time.monotonic())
        given = [str(argument) for argument in arguments]
        monkeypatch.setattr(sys, "argv", ["linne", *given])
        with pytest.raises(SystemExit) as end:
            main()
        said = capsys.readouterr()
        return CompletedProcess(given, int(end.value.code or 0), said.out, said.err)

    return run
