"""What was decided stays known: when an index is corrected again, when a folder is used again."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from audited_photos import write_audit, write_photos
from images import encode, scene

import linne
from linne.index.photos import read_images, read_photos, read_photos_or_images
from linne.records.audited import Audited, read_audited
from linne.records.decision_log import DecisionLog
from linne.records.decisions import Decision
from linne.records.errors import DataError, RunError, WriteError
from linne.records.fingerprint import of_arrays
from linne.records.index import Index
from linne.records.run import Run


def decide(folder: Path, decisions: Sequence[Decision], who: str = "anna", index: str = "") -> None:
    with DecisionLog(folder / "decisions.sqlite") as log:
        log.decide(decisions, who=who, index=index)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return write_photos(tmp_path / "photos")


@pytest.fixture
def folder(photos: Path, tmp_path: Path) -> Path:
    return write_audit(tmp_path / "audit", read_photos(photos))


def test_an_index_corrected_twice_tells_of_both_corrections(folder: Path, tmp_path: Path) -> None:
    decide(folder, [Decision("relabel", "label doubt", "test/dog/1.jpg", "dog", "cat", test=True)])
    decide(folder, [Decision("drop", "dark", "train/cat/3.jpg", "cat")])
    first = linne.apply(folder).corrections
    again = write_audit(tmp_path / "again", read_photos(folder / "corrected.parquet"))
    decide(again, [Decision("keep", "dark", "test/owl/0.jpg", "owl", test=True)], who="ben")
    decide(again, [Decision("drop", "dark", f"train/dog/{number}.jpg", "dog") for number in (1, 2)])
    for _ in range(2):  # applied twice, it is counted once
        second = linne.apply(again).corrections
    third = write_audit(tmp_path / "third", read_photos(again / "corrected.parquet"))
    decide(third, [Decision("drop", "dark", "train/owl/0.jpg", "owl")])
    made = linne.apply(third).corrections

    assert first is not None
    assert second is not None
    assert made is not None
    assert [(step.kept, step.relabelled, step.dropped) for step in made.steps] == [(0, 1, 1), (1, 0, 2), (0, 0, 1)]
    assert [step.source for step in made.steps[:2]] == [first.source, second.source]
    assert [(test.path, test.who) for test in made.test] == [("test/dog/1.jpg", "anna"), ("test/owl/0.jpg", "ben")]
    assert made.total("dropped") == 4


@pytest.mark.slow
def test_a_run_of_an_index_corrected_twice_tells_of_both(digits: Path, store: Path, tmp_path: Path) -> None:
    paths = [f"3/{name}" for name in sorted(file.name for file in (digits / "3").iterdir())]
    source = digits
    for number, path in enumerate(paths[:2]):
        audited = tmp_path / f"audit{number}"
        linne.audit(source, cache=store, out=audited)
        decide(audited, [Decision("drop", "dark", path, "3")])
        linne.apply(audited)
        source = audited / "corrected.parquet"
    run = linne.fit(source, budget=60, cache=store, out=tmp_path / "runs", network="lenet5")
    told = Run.open(run.folder).facts["corrections"]
    assert (told["dropped"], [step["dropped"] for step in told["earlier"]]) == (1, [1])

    # What is corrected further in the run's own folder does not hide where the run came from.
    decide(run.folder, [Decision("drop", "dark", paths[2], "3")])
    made = linne.apply(run.folder).corrections
    assert made is not None
    assert made.total("dropped") == 3


@pytest.mark.parametrize("classes", [0, 1])
def test_images_without_classes_are_corrected_and_audited_again(
    classes: int, digits: Path, store: Path, tmp_path: Path
) -> None:
    photos = shutil.copytree(digits / "3", tmp_path / "photos" / "cats"[: 4 * classes])
    audited = tmp_path / "audit"
    linne.audit(tmp_path / "photos", cache=store, out=audited)
    paths = [file.relative_to(tmp_path / "photos").as_posix() for file in sorted(photos.iterdir())]
    decide(audited, [Decision("drop", "dark", paths[0])])
    assert len(linne.apply(audited)) == len(paths) - 1
    again = linne.audit(audited / "corrected.parquet", cache=store, out=tmp_path / "again")
    assert again.counts() is not None
    assert len(linne.apply(audited)) == len(Index.read(tmp_path / "again/index.parquet"))
    with pytest.raises(DataError) as caught:
        linne.fit(audited / "corrected.parquet", cache=store, out=tmp_path / "runs")
    assert "two classes" in caught.value.problem

    # Some images are given classes: these can be fitted, and the others are set aside.
    decide(audited, [Decision("relabel", "dark", path, "", str(number % 2)) for number, path in enumerate(paths[1:9])])
    assert linne.apply(audited).labels == ("0", "1")
    for read in (read_photos, read_photos_or_images):
        index = read(audited / "corrected.parquet")
        assert (len(index), len(index.set_aside)) == (8, len(paths) - 9)
    assert len(read_images(audited / "corrected.parquet")) == len(paths) - 1
    decide(audited, [Decision("drop", "dark", path) for path in paths])
    with pytest.raises(DataError):
        linne.apply(audited)


def test_of_two_classes_one_is_not_enough(folder: Path) -> None:
    decide(folder, [Decision("merge", "x", label="owl", to="dog"), Decision("merge", "x", label="cat", to="dog")])
    with pytest.raises(DataError) as caught:
        linne.apply(folder)
    assert caught.value.value == "dog"


def test_a_class_that_a_decision_brought_may_be_merged(folder: Path) -> None:
    decide(folder, [Decision("relabel", "dark", "train/cat/3.jpg", "cat", "fresh")])
    decide(folder, [Decision("merge", "x", label="fresh", to="dog"), Decision("merge", "x", label="gone", to="dog")])
    index = linne.apply(folder)
    made = index.corrections
    assert made is not None
    assert made.merged == (("fresh", "dog"),)
    assert made.not_applied == (("gone", "is no class any more"),)


def test_decisions_stay_with_images_that_lie_elsewhere(digits: Path, store: Path, tmp_path: Path) -> None:
    photos, audited = shutil.copytree(digits, tmp_path / "photos"), tmp_path / "audit"
    linne.audit(photos, cache=store, out=audited)
    path = "3/" + sorted(file.name for file in (photos / "3").iterdir())[0]
    decide(audited, [Decision("drop", "dark", path, "3")])
    linne.apply(audited)
    moved = photos.rename(tmp_path / "moved")
    with pytest.raises(DataError) as caught:
        linne.audit(audited / "corrected.parquet", cache=store)
    assert f"--out {audited}" in str(caught.value)
    shutil.copy(moved / path, moved / "4/one more.png")
    for number, photo in enumerate(sorted((moved / "9").iterdir())):
        photo.unlink() if number < 9 else None
    linne.audit(moved, cache=store, out=audited)
    made = linne.apply(audited).corrections
    assert made is not None
    assert (made.dropped, made.not_applied) == (1, ())


def test_decisions_are_not_taken_over_by_other_images(digits: Path, store: Path, tmp_path: Path) -> None:
    audited, others = tmp_path / "audit", shutil.copytree(digits, tmp_path / "others")
    for photo in others.rglob("*.png"):  # other images of the same names
        photo.write_bytes(encode(scene(32, 32, int(photo.stem)), "PNG"))
    linne.audit(digits, cache=store, out=audited)
    decide(audited, [Decision("drop", "dark", "3/0003.png", "3"), Decision("merge", "x", label="9", to="4")])
    with pytest.raises(WriteError) as caught:
        linne.audit(others, cache=store, out=audited)
    assert caught.value.value == str(digits)
    index = audited / "index.parquet"
    content = index.read_bytes()
    for damage in (content[:200] + bytes(50) + content[250:], None):
        index.unlink() if damage is None else index.write_bytes(damage)
        for photos in (others, digits):
            with pytest.raises(WriteError) as caught:
                linne.audit(photos, cache=store, out=audited)
            assert "--out" in str(caught.value.remedy)
    linne.audit(digits, cache=store, out=tmp_path / "new")
    (audited / "decisions.sqlite").rename(tmp_path / "new/decisions.sqlite")
    linne.audit(others, cache=store, out=audited)
    made = linne.apply(tmp_path / "new").corrections
    assert made is not None
    assert (made.dropped, made.merged) == (1, (("9", "4"),))


def test_a_log_of_other_images_is_not_applied(folder: Path, photos: Path) -> None:
    merge = Decision("merge", "x", label="owl", to="dog")
    decide(folder, [Decision("drop", "dark", "elsewhere/1.png", "3"), merge], index="another")
    decide(folder, [Decision("drop", "dark", "train/cat/3.jpg", "cat", digest="00" * 16)], index="another")
    with pytest.raises(RunError) as caught:
        linne.apply(folder)
    assert caught.value.value == "elsewhere/1.png"
    assert not (folder / "corrected.parquet").exists()
    # Somebody who has seen these images decides on them: what does not fit is told of.
    fingerprint = Index.read(folder / "index.parquet").fingerprint
    decide(folder, [Decision("keep", "imbalance", label="cat")], index=fingerprint)
    made = linne.apply(folder).corrections
    assert made is not None
    assert len(made.not_applied) == 2


def test_an_empty_log_does_not_replace_a_corrected_index(folder: Path) -> None:
    decide(folder, [Decision("drop", "dark", "train/cat/3.jpg", "cat")])
    linne.apply(folder)
    corrected = (folder / "corrected.parquet").read_bytes()
    (folder / "decisions.sqlite").write_bytes(b"")
    with pytest.raises(RunError) as caught:
        linne.apply(folder)
    assert caught.value.problem == "there are no decisions"
    assert (folder / "corrected.parquet").read_bytes() == corrected


def test_a_run_notes_a_review_when_it_changed_something(walked: Path, tmp_path: Path) -> None:
    run = shutil.copytree(walked, tmp_path / "run")
    paths = Index.read(run / "index.parquet").paths.to_pylist()
    for number, path in enumerate(paths[:2], 1):
        decide(run, [Decision("drop", "dark", path)])
        for _ in range(2):
            linne.apply(run)
            reviews = Run.open(run).facts["reviews"]
            assert [review["dropped"] for review in reviews] == [1, 2][:number]


@pytest.mark.parametrize("last", ["write_digests", "Findings.write", "write_audit_report"])
def test_an_audit_that_was_cut_short_is_whole_or_refused(
    last: str, digits: Path, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos, audited = shutil.copytree(digits, tmp_path / "photos"), tmp_path / "audit"
    linne.audit(photos, cache=store, out=audited)
    for photo in (photos / "3").iterdir():  # the same names: the index's fingerprint stays
        photo.write_bytes(encode(scene(32, 32, int(photo.stem)), "PNG"))

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(f"linne.road.audit.{last}", killed)
        with pytest.raises(KeyboardInterrupt):
            linne.audit(photos, cache=store, out=audited)
    if last == "Findings.write":  # new digests beside older findings
        with pytest.raises(RunError) as caught:
            read_audited(Audited(audited))
        assert "`linne audit` again" in str(caught.value)
        (audited / "findings.parquet").unlink()
        with pytest.raises(RunError) as caught:
            read_audited(Audited(audited))
        assert "`linne audit` again" in str(caught.value)
    else:
        examined = read_audited(Audited(audited))
        assert examined.findings.digests == of_arrays(examined.digest)
    assert (audited / "report.html").exists() is (last == "write_digests")
    linne.audit(photos, cache=store, out=audited)
    read_audited(Audited(audited))


@pytest.mark.parametrize("plain", [False, True])
def test_an_audit_within_the_photos_is_no_part_of_them(plain: bool, digits: Path, store: Path, tmp_path: Path) -> None:
    photos = shutil.copytree(digits / "3" if plain else digits, tmp_path / "photos")
    indexes = []
    for _ in range(2):
        linne.audit(photos, cache=store, out=photos / "runs/photos-audit")
        indexes.append(Index.read(photos / "runs/photos-audit/index.parquet"))
    assert indexes[0].fingerprint == indexes[1].fingerprint
    assert indexes[0].set_aside == indexes[1].set_aside == ()
