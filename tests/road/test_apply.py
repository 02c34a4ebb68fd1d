"""From decisions to a new index, to a run, and to CSV; nothing of the user's is touched."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from audited_photos import COPIES, DOUBT, LEAK, TEST_DOUBT, write_audit, write_photos
from images import encode, place, scene
from walked import state_of

import linne
from linne.index.photos import read_photos
from linne.records.audited import Audited
from linne.records.corrections import OnTestImage
from linne.records.decision_log import DecisionLog
from linne.records.decisions import Decision
from linne.records.errors import DataError, LinneError, RunError, WriteError
from linne.records.findings import Finding, Findings
from linne.records.index import Index
from linne.records.run import Run
from linne.review.desk import Desk
from linne.review.rules import Answer, decide
from linne.road.findings_csv import COLUMNS, export_csv

Say = Callable[..., None]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return write_photos(tmp_path / "photos")


@pytest.fixture
def folder(photos: Path, tmp_path: Path) -> Path:
    return write_audit(tmp_path / "audit", read_photos(photos))


@pytest.fixture
def say(folder: Path) -> Say:
    def answer(case: int, *answers: Answer, why: str = "") -> None:
        desk = Desk(folder, "anna")
        decide(desk, case, list(answers), why, desk.catch_up(), "")
        desk.close()

    return answer


def labels(index: Index) -> dict[str, str]:
    return {index.path(row): index.label_of(row) for row in range(len(index))}


def test_decisions_make_a_new_index_and_touch_nothing(folder: Path, photos: Path, say: Say) -> None:
    say(COPIES, Answer("keep", 1), Answer("drop", 0), Answer("drop", 2))
    say(DOUBT, Answer("relabel", 0, "10"), why="a ten")
    say(DOUBT, Answer("merge", label="owl", to="2"))
    say(TEST_DOUBT, Answer("relabel", 0, "cat", test=True), why="surely")
    untouched = ("index.parquet", "findings.parquet", "digests.parquet")
    before, kept = state_of(photos), [(folder / name).read_bytes() for name in untouched]
    index = linne.apply(folder)

    assert state_of(photos) == before
    assert [(folder / name).read_bytes() for name in untouched] == kept
    old = Index.read(folder / "index.parquet")
    assert index.labels == ("2", "10", "cat", "dog")  # frozen anew, in natural order
    now = labels(index)
    assert len(now) == len(old) - 2
    assert "train/cat/0.jpg" not in now
    assert (now["train/cat/3.jpg"], now["test/dog/1.jpg"], now["test/owl/0.jpg"]) == ("10", "cat", "2")
    assert now.items() - labels(old).items() == {
        item for item in now.items() if item[1] in ("2", "10") or item[0] == "test/dog/1.jpg"
    }
    made = index.corrections
    assert made is not None
    assert (made.kept, made.relabelled, made.dropped) == (1, 2, 2)
    assert (made.merged, made.added, made.removed) == ((("owl", "2"),), ("2", "10"), ("owl",))
    assert made.source == old.fingerprint != index.fingerprint
    (test,) = made.test
    told = ("test/dog/1.jpg", "relabel", "dog", "cat", "label doubt", "anna", "", "surely")
    assert replace(test, when="") == OnTestImage(*told)
    assert read_photos(folder / "corrected.parquet").fingerprint == index.fingerprint
    assert read_photos(folder / "corrected.parquet").corrections == made
    assert linne.apply(folder).fingerprint == index.fingerprint  # its own file is replaced


def test_decisions_survive_another_audit_of_the_same_data(digits: Path, tmp_path: Path) -> None:
    shutil.copytree(digits, tmp_path / "photos")
    where = {"cache": tmp_path / "cache", "out": tmp_path / "audit"}
    linne.audit(tmp_path / "photos", **where)
    paths = [labels(Index.read(tmp_path / "audit/index.parquet")).keys()]
    some = sorted(paths[0])[:4]
    with DecisionLog(tmp_path / "audit/decisions.sqlite") as log:
        digest = Desk(tmp_path / "audit", "a").digest
        rows = [Index.read(tmp_path / "audit/index.parquet").row_of(path) for path in some]
        for path, row in zip(some, rows, strict=True):
            assert row is not None
            log.decide([Decision("drop", "dark", path, "0", digest=digest(row))], who="a", index="")
    (tmp_path / "photos" / some[0]).unlink()
    place(tmp_path / "photos" / some[1], encode(scene(9, 9), "PNG"))
    linne.audit(tmp_path / "photos", **where)
    place(tmp_path / "photos" / some[2], encode(scene(9, 9, 1), "PNG"))  # after the audit: told as well
    made = linne.apply(tmp_path / "audit").corrections
    assert made is not None
    assert made.dropped == 1
    assert [subject for subject, _ in made.not_applied] == some[:3]


def test_a_corrected_index_is_fitted_and_audited_and_the_run_says_so(digits: Path, store: Path, tmp_path: Path) -> None:
    shutil.copytree(digits, tmp_path / "photos")
    audited = tmp_path / "audit"
    linne.audit(tmp_path / "photos", cache=store, out=audited)
    path = "3/" + sorted(file.name for file in (tmp_path / "photos/3").iterdir())[0]
    with DecisionLog(audited / "decisions.sqlite") as log:
        log.decide([Decision("drop", "dark", path, "3"), Decision("merge", "x", label="9", to="4")], who="a", index="")
    corrected = linne.apply(audited, out=tmp_path / "better.parquet")
    run = linne.fit(tmp_path / "better.parquet", budget=60, cache=store, out=tmp_path / "runs", network="lenet5")
    again = Run.open(run.folder)
    assert again.facts["corrections"]["dropped"] == 1
    assert again.facts["corrections"]["merged"] == [["9", "4"]]
    index = Index.read(run.index)
    assert index.labels == tuple("012345678")
    assert index.corrections == corrected.corrections
    assert linne.audit(tmp_path / "better.parquet", cache=store).index == corrected.fingerprint

    # A run is reviewed like an audit: its own test images are known, and it remembers.
    desk = Desk(run.folder, "ben")
    test_row = int(desk.test.nonzero()[0][0])
    desk.log.decide(
        [Decision("drop", "dark", desk.index.path(test_row), "", "", desk.digest(test_row), True)], who="ben", index=""
    )
    desk.close()
    linne.apply(run.folder)
    (review,) = Run.open(run.folder).facts["reviews"]
    assert (review["dropped"], review["test"][0]["who"]) == (1, "ben")
    assert linne.evaluate(run.folder).images > 0  # what was fitted is still what it was


def test_what_cannot_be_applied(folder: Path, photos: Path, say: Say, tmp_path: Path) -> None:
    with pytest.raises(RunError):  # no decisions yet
        linne.apply(folder)
    say(DOUBT, Answer("merge", label="owl", to="dog"))
    say(DOUBT, Answer("merge", label="cat", to="dog"))
    with pytest.raises(DataError) as caught:  # one class is left
        linne.apply(folder)
    assert caught.value.value == "dog"
    with DecisionLog(folder / "decisions.sqlite") as log:
        log.undo(2, who="a", index="")
    photo = photos / "train/cat/4.jpg"
    for place_of_theirs in (photo, tmp_path, folder / "index.parquet", Path()):
        before = state_of(photos)
        with pytest.raises(WriteError):
            linne.apply(folder, out=place_of_theirs)
        assert state_of(photos) == before
    linne.apply(folder)
    shutil.move(photos, tmp_path / "elsewhere")
    for step in (lambda: linne.apply(folder), lambda: linne.fit(folder / "corrected.parquet")):
        with pytest.raises(DataError) as caught:
            step()
        assert str(photos) in (caught.value.file, caught.value.value)


def test_a_class_that_only_test_images_would_have_is_refused(folder: Path, say: Say) -> None:
    say(TEST_DOUBT, Answer("relabel", 0, "fox", test=True))
    with pytest.raises(DataError) as caught:
        linne.apply(folder)
    assert caught.value.value == "fox"


def test_an_audit_is_not_written_over_something_else(
    folder: Path, photos: Path, digits: Path, walked: Path, store: Path
) -> None:
    for wrong in (photos, walked, photos / "train/cat/0.jpg"):
        with pytest.raises(WriteError):
            linne.audit(digits, cache=store, out=wrong)
    linne.audit(digits, cache=store, out=folder)  # an older audit, of other images, that nobody decided on
    with DecisionLog(folder / "decisions.sqlite") as log:
        log.decide([Decision("drop", "dark", "x")], who="a", index="")
    with pytest.raises(WriteError) as caught:
        linne.audit(photos, cache=store, out=folder)
    assert caught.value.value == str(digits)


def test_csv_for_those_who_work_elsewhere(folder: Path, say: Say, tmp_path: Path) -> None:
    index = Index.read(folder / "index.parquet")
    found = list(Findings.read(folder / "findings.parquet").rows)
    found.append(Finding("dark", "=HYPERLINK(1).jpg", 0.1, "@sum", label="-cat", suggestion="+1"))
    signs = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
    found += [Finding("dark", f"{sign}1.jpg", 0.1, f"{sign}1;2,3\0", label=sign) for sign in signs]
    Findings.of(found, index.fingerprint).write(Audited(folder).findings)
    say(DOUBT, Answer("relabel", 0, "dog"), why="=1+1")
    say(LEAK, Answer("keep", 0, test=True))
    file = tmp_path / "findings.csv"
    assert export_csv(folder, file) == len(found)
    with file.open(encoding="utf-8-sig", newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert tuple(rows[0]) == COLUMNS
    doubt = next(row for row in rows if row["path"] == "train/cat/3.jpg" and row["check"] == "label doubt")
    assert (doubt["decision"], doubt["new_label"], doubt["who"], doubt["why"]) == ("relabel", "dog", "anna", "'=1+1")
    assert not any(cell.startswith(signs) or "\0" in cell for row in rows for cell in row.values())
    assert "'=1;2,3\\x00" in [row["reason"] for row in rows]
    assert file.read_text("utf-8-sig").startswith('"path","other"')
    assert [row["test"] for row in rows if row["path"].startswith("test/")] == ["yes"]
    before = file.read_bytes()
    with pytest.raises(WriteError):
        export_csv(folder, file)
    assert file.read_bytes() == before


def test_columns_are_for_tables_only(folder: Path, say: Say) -> None:
    say(DOUBT, Answer("relabel", 0, "dog"))
    linne.apply(folder)
    with pytest.raises(LinneError):
        read_photos(folder / "corrected.parquet", linne.Columns(path="path"))
