"""Does a run's report say that its labels were corrected by hand?"""

from __future__ import annotations

from pathlib import Path

import pytest
from report.test_report import page_of, write_run
from report_page import HOSTILE

from linne.records.corrections import Corrections, OnTestImage

FIRST = Corrections("aa", "d", 9, 0, 1200, 2, merged=((HOSTILE, "cat"),))
ON_TEST = OnTestImage("1/2.png", "relabel", HOSTILE, HOSTILE, "label doubt", HOSTILE, "", HOSTILE)


@pytest.mark.parametrize(
    ("corrections", "told"),
    [
        (Corrections("bb", "d", 1, 4, 0, 2), ": 2 dropped. "),
        (Corrections("bb", "d", 1, 4, 0, 0), ": nothing changed. "),
        (
            Corrections("bb", "d", 3, 0, 5, 0, test=(ON_TEST, ON_TEST)).after(FIRST),
            ": 1,205 relabelled, 2 dropped, 1 class merged into others; 1 test image decided on by hand. ",
        ),
    ],
)
def test_labels_that_were_corrected_are_told_of(tmp_path: Path, corrections: Corrections, told: str) -> None:
    page = page_of(write_run(tmp_path / "run", facts={"name": "a", "corrections": corrections.to_json()}))
    assert f"Trained on labels that were corrected by hand{told}" in page.words
    assert not page.all("script")


@pytest.mark.parametrize("facts", [{}, {"corrections": None}])
def test_of_labels_as_they_were_nothing_is_told(tmp_path: Path, facts: dict[str, None]) -> None:
    assert "corrected by hand" not in page_of(write_run(tmp_path / "run", facts=dict(facts))).words
