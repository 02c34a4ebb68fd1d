"""What is written is what is read; what is not ours, or damaged, is refused."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from some_records import in_containers, index

from linne.records.content import FileContent
from linne.records.errors import RunError
from linne.records.evaluation import ClassScore, Evaluation, HardCase, Measure
from linne.records.findings import Finding, Findings
from linne.records.first_steps import FirstStep
from linne.records.index import Index, large_strings
from linne.records.label_noise import LabelNoise, NoisyPair
from linne.records.members import TarMember
from linne.records.parquet import write_table
from linne.records.rows import RowContent
from linne.records.run import Run
from linne.records.set_aside import SetAside
from linne.records.split import Split
from linne.records.survey import Histogram, Survey

NASTY = ["🐈‍⬛", "שלום", "two\nlines", 'quo"te', "tab\t", "a\\b", "é", "", " ", "\u2028", "%2F", "nul\0l"]
TEXT = st.text(max_size=20) | st.sampled_from(NASTY)
SHARE = st.floats(0, 1)
MEASURE = st.builds(Measure, SHARE, SHARE, SHARE)
COUNT = st.integers(0, 2**53)


def same_index(one: Index, two: Index) -> bool:
    columns = all(
        getattr(one, name).dtype == getattr(two, name).dtype and np.array_equal(getattr(one, name), getattr(two, name))
        for name in ("label", "subset", "size")
    )
    facts = (one.root, one.labels, one.set_aside) == (two.root, two.labels, two.set_aside)
    return columns and facts and one.paths.equals(two.paths)


@given(data=st.data(), paths=st.lists(TEXT, max_size=8), labels=st.lists(TEXT, min_size=2, max_size=4, unique=True))
def test_index(tmp_path: Path, data: st.DataObject, paths: list[str], labels: list[str]) -> None:
    aside = tuple(SetAside(*pair) for pair in data.draw(st.lists(st.tuples(TEXT, TEXT), max_size=3)))
    subset = data.draw(st.lists(st.integers(0, 3), min_size=len(paths), max_size=len(paths)))
    wrote = index(paths, tuple(labels), subset=subset, root=data.draw(TEXT), set_aside=aside)
    wrote.write(tmp_path / "index.parquet")
    read = Index.read(tmp_path / "index.parquet")
    assert same_index(wrote, read)
    assert read.fingerprint == wrote.fingerprint
    assert [read.path(row) for row in range(len(read))] == paths


def test_an_index_of_containers_and_of_several_labels(tmp_path: Path) -> None:
    paths = ["a.tar/1.png", "b.parquet/0", "own.png"]
    wrote = index(paths, label=[0, -1, 1], labels_of=[[0, 1], [], [1]], contained=in_containers([0, 1, -1]))
    wrote.write(tmp_path / "index.parquet")
    read = Index.read(tmp_path / "index.parquet")
    assert same_index(read, wrote)
    assert read.labels_of == wrote.labels_of
    assert read.contained is not None
    assert wrote.contained is not None
    assert read.contained.containers == wrote.contained.containers
    for name in ("container", "offset", "stored"):
        one, two = getattr(read.contained, name), getattr(wrote.contained, name)
        assert one.dtype == two.dtype
        assert np.array_equal(one, two)
    assert [type(read.content(row)) for row in range(3)] == [TarMember, RowContent, FileContent]
    assert [read.content(row).name for row in range(3)] == [f"/photos/{path}" for path in paths]
    assert read.counts().tolist() == [1, 2]
    assert read.counts(np.array([0])).tolist() == [1, 1]
    assert read.fingerprint == wrote.fingerprint


def test_whether_the_files_of_rows_are_there(tmp_path: Path) -> None:
    held = index(["a.tar/1.png", "b.parquet/0", "own.png"], root=str(tmp_path), contained=in_containers([0, 1, -1]))
    plain = index(["own.png", "other.png"], root=str(tmp_path))
    assert not held.any_is_there(np.arange(3))
    (tmp_path / "b.parquet").touch()
    assert [held.any_is_there(np.array([row])) for row in range(3)] == [False, True, False]
    (tmp_path / "own.png").touch()
    assert held.any_is_there(np.array([0, 2]))
    assert [plain.any_is_there(np.array([row])) for row in range(2)] == [True, False]


def test_an_index_below_a_folder_whose_name_is_not_utf8(tmp_path: Path) -> None:
    wrote = index(["a.png", "b.png"], root=os.fsdecode(b"/photos/caf\xe9"))
    wrote.write(tmp_path / "index.parquet")
    assert Index.read(tmp_path / "index.parquet").root == wrote.root


def test_a_run_folder_named_like_a_partition_adds_no_column(tmp_path: Path) -> None:
    place = tmp_path / "seed=1" / "index.parquet"
    index(["a.png", "b.png"]).write(place)
    assert same_index(Index.read(place), index(["a.png", "b.png"]))


PAIRS = st.lists(st.builds(NoisyPair, TEXT, TEXT, SHARE, SHARE, SHARE), max_size=3).map(tuple)
NOISE = st.none() | st.builds(LabelNoise, st.integers(0, 9), SHARE, SHARE, SHARE, PAIRS)
FINDING = st.builds(Finding, TEXT, TEXT, SHARE, TEXT, TEXT, TEXT, images=COUNT)
COUNTS = st.lists(COUNT, max_size=3).map(tuple)
KINDS = st.lists(st.tuples(TEXT, COUNT), max_size=2).map(tuple)
HISTOGRAM = st.builds(Histogram, st.integers(-10, 10), st.integers(1, 5), COUNTS)
SURVEY = st.builds(
    Survey, COUNT, COUNT, HISTOGRAM, HISTOGRAM, KINDS, KINDS, COUNT, COUNT, st.lists(TEXT, max_size=2).map(tuple)
)
STEP = st.builds(FirstStep, TEXT, COUNT, SHARE, TEXT, TEXT)


@given(
    rows=st.lists(FINDING, max_size=8),
    notes=st.lists(TEXT, max_size=3),
    survey=st.none() | SURVEY,
    first=st.lists(STEP, max_size=2),
    noise=NOISE,
)
def test_findings(
    tmp_path: Path,
    rows: list[Finding],
    notes: list[str],
    survey: Survey | None,
    first: list[FirstStep],
    noise: LabelNoise | None,
) -> None:
    wrote = Findings.of(rows, "0" * 32, notes, noise, survey, first)
    wrote.write(tmp_path / "findings.parquet")
    assert Findings.read(tmp_path / "findings.parquet") == wrote
    assert sum(wrote.counts().values()) == len(rows)
    assert sorted(map(repr, wrote.rows)) == sorted(map(repr, rows))


def test_the_surest_findings_come_first_within_a_check() -> None:
    rows = [Finding("b", "1", 0.1, ""), Finding("a", "2", 0.2, ""), Finding("b", "3", 0.9, "")]
    assert [row.path for row in Findings.of(rows, "").rows] == ["3", "1", "2"]


@given(data=st.data(), rows=st.integers(0, 10), supplied=st.booleans())
def test_split(tmp_path: Path, data: st.DataObject, rows: int, supplied: bool) -> None:
    subset = np.array(data.draw(st.lists(st.integers(0, 3), min_size=rows, max_size=rows)), np.int8)
    wrote = Split(subset, np.arange(rows, dtype=np.int64), supplied, "0" * 32)
    paths = data.draw(st.lists(TEXT, min_size=rows, max_size=rows))
    digest = np.arange(16 * len(paths), dtype=np.uint8).reshape(-1, 16)
    wrote.write(tmp_path / "split.parquet", large_strings(paths), digest)
    assert (Split.read_digests(tmp_path / "split.parquet") == digest).all()
    read = Split.read(tmp_path / "split.parquet")
    assert np.array_equal(read.subset, wrote.subset)
    assert read.subset.dtype == np.int8
    assert np.array_equal(read.group, wrote.group)
    assert (read.supplied, read.index, read.fingerprint) == (supplied, "0" * 32, wrote.fingerprint)


EVALUATION = st.builds(
    Evaluation,
    subset=st.sampled_from(["validation", "test"]),
    images=COUNT,
    measures=st.dictionaries(TEXT, MEASURE, max_size=3),
    classes=st.lists(st.builds(ClassScore, TEXT, COUNT, MEASURE, MEASURE, MEASURE), max_size=3).map(tuple),
    confusion=st.lists(st.tuples(COUNT, COUNT, COUNT), max_size=3).map(tuple),
    hardest=st.lists(st.builds(HardCase, TEXT, TEXT, TEXT, SHARE, SHARE), max_size=3).map(tuple),
    reliability=st.lists(st.tuples(SHARE, SHARE, COUNT), max_size=3).map(tuple),
    bundle=TEXT,
    split=TEXT,
    notes=st.lists(TEXT, max_size=2).map(tuple),
)


@given(wrote=EVALUATION)
def test_evaluation(tmp_path: Path, wrote: Evaluation) -> None:
    wrote.write(tmp_path / "evaluation.json")
    assert Evaluation.read(tmp_path / "evaluation.json") == wrote


def test_an_incomplete_evaluation_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "evaluation.json"
    for content in ('{"schema": 1}', '{"schema": 2}', '{"schema": 1, "measures": []}', "[]", ""):
        path.write_text(content)
        with pytest.raises(RunError):
            Evaluation.read(path)


@pytest.mark.parametrize("read", [Index.read, Findings.read, Split.read])
def test_another_artefact_another_schema_and_no_artefact_are_refused(tmp_path: Path, read: object) -> None:
    path = tmp_path / "table.parquet"
    assert callable(read)
    with pytest.raises(RunError):
        read(path)
    for artefact, schema in (("weather", 1), ("index", 99), ("findings", 99), ("split", 99)):
        write_table(path, artefact, schema, {"x": [1]}, {})
        with pytest.raises(RunError) as caught:
            read(path)
        assert caught.value.file == str(path)
    for content in (b"", b"PAR1", b"no table at all"):
        path.write_bytes(content)
        with pytest.raises(RunError):
            read(path)


def test_a_damaged_table_is_refused_or_reads_the_same(tmp_path: Path) -> None:
    path = tmp_path / "index.parquet"
    wrote = index([f"cat/{number:05d}.png" for number in range(500)])
    wrote.write(path)
    whole = path.read_bytes()
    data = range(4, whole.rindex(b"linne") // 2, 97)  # the pages; the footer has no checksum
    refused = 0
    for place in data:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << (place % 8)
        path.write_bytes(damaged)
        try:
            assert same_index(Index.read(path), wrote)
        except RunError:
            refused += 1
    assert refused > len(data) // 2


def test_runs_are_numbered_and_keep_their_diary(tmp_path: Path) -> None:
    first, second = Run.create(tmp_path / "runs", "flowers"), Run.create(tmp_path / "runs", "flowers")
    assert (first.folder.name, second.folder.name) == ("flowers-1", "flowers-2")
    first.facts["asked"] = {"root": "🐈"}
    first.write()
    again = Run.open(first.folder)
    assert again.facts["asked"] == {"root": "🐈"}


def test_where_no_run_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    for parent in ("file", "nowhere", "file/below"):
        with pytest.raises(RunError):
            Run.create(tmp_path / parent, "flowers")
    for folder in (tmp_path, tmp_path / "gone", tmp_path / "file"):
        with pytest.raises(RunError):
            Run.open(folder)
