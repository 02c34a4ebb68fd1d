"""Tables that name files: which rows count, under which label, and what is told of the rest."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from images import place
from index.indexed import PICTURES, again, aside, contents, rows, sets

from linne.index.columns import Columns
from linne.index.photos import read_photos
from linne.records.errors import DataError


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Where a table may stand, with twelve pictures 0.png ... 11.png in ``t`` beside it."""
    for number, picture in enumerate(PICTURES):
        place(tmp_path / "t" / f"{number}.png", picture)
    return tmp_path / "photos.csv"


def test_paths_are_below_the_tables_folder_or_absolute(table: Path) -> None:
    elsewhere = place(table.parent.parent / f"{table.parent.name}-other" / "x.png", PICTURES[11])
    inside = table.parent / "t" / "2.png"
    table.write_text(f"path,label\nt/0.png,cat\n./t/../t/1.png,dog\n{elsewhere},cat\n{inside},dog\n")
    index = again(read_photos(table), table.parent)
    assert rows(index) == [
        ("t/0.png", "cat", "none"),
        ("t/1.png", "dog", "none"),
        (str(elsewhere), "cat", "none"),
        ("t/2.png", "dog", "none"),
    ]
    assert index.root == str(table.parent.resolve())
    assert contents(index) == [PICTURES[0], PICTURES[1], PICTURES[11], PICTURES[2]]


@pytest.mark.parametrize(
    ("header", "ends"),
    [
        ("path,label", ","),
        ("File Name,Class", ","),
        ("\ufeffIMAGE_PATH; category", ";"),
        ("filename\ttarget", "\t"),
        ("img|tag", "|"),
        ('"image","labels"', ","),
    ],
)
def test_columns_and_delimiters_are_found(table: Path, header: str, ends: str) -> None:
    table.write_text(f"{header}\nt/0.png{ends}cat\nt/1.png{ends}dog\n", encoding="utf-8")
    assert rows(read_photos(table)) == [("t/0.png", "cat", "none"), ("t/1.png", "dog", "none")]


def test_columns_are_taken_as_asked(table: Path) -> None:
    table.write_text(
        "path,label,where,what,when\nno,no,t/0.png,cat,train\nno,no,t/1.png,dog,val\nno,no,t/2.png,dog,train"
    )
    index = read_photos(table, Columns("where", "what", "when"))
    assert rows(index) == [("t/0.png", "cat", "train"), ("t/1.png", "dog", "validation"), ("t/2.png", "dog", "train")]


@pytest.mark.parametrize(
    "columns", [Columns(path="x"), Columns(label="x"), Columns(split="x"), Columns(label=("a", "x"))]
)
def test_a_column_that_is_not_there_is_told_with_those_that_are(table: Path, columns: Columns) -> None:
    table.write_text("path,a,label\nt/0.png,1,cat\n")
    with pytest.raises(DataError) as caught:
        read_photos(table, columns)
    assert caught.value.file == str(table)
    assert caught.value.value == "path, a, label"


@pytest.mark.parametrize("header", ["where,label", "path,what", "path,label,label", "t/0.png,cat", ""])
def test_columns_that_cannot_be_found(table: Path, header: str) -> None:
    table.write_text(f"{header}\nt/0.png,cat,dog\n" if header else "")
    with pytest.raises(DataError) as caught:
        read_photos(table)
    assert caught.value.file == str(table)


def test_labels_are_text_as_it_stands(table: Path) -> None:
    table.write_text('path,label\nt/0.png,01\nt/1.png,NA\nt/2.png,1\nt/3.png,null\nt/4.png,"a,\nb ""c"""\n')
    assert read_photos(table).labels == ("01", "1", 'a,\nb "c"', "NA", "null")


def test_what_is_left_out_is_told(table: Path) -> None:
    place(table.parent / "t" / "empty.png", b"")
    (table.parent / "t" / "folder.png").mkdir()
    table.write_text(
        "path,label\nt/0.png,cat\nt/1.png,dog\nt/2.png,\nt/3.png,  \ngone.png,cat\nt/empty.png,cat\nt/folder.png,cat\n"
        "t\0.png,cat\n,cat\nt/4.png\nt/5.png,cat,more\n"
    )
    index = read_photos(table)
    assert [path for path, *_ in rows(index)] == ["t/0.png", "t/1.png"]
    left = aside(index)
    assert {"t/2.png", "t/3.png", "gone.png", "t/empty.png", "t/folder.png"} <= set(left)
    assert len(left) == 9
    assert len({item.reason for item in index.set_aside if item.path.startswith("photos.csv")}) == 3


def test_a_file_that_is_named_again(table: Path) -> None:
    table.write_text(
        "path,label,split\nt/0.png,cat,train\nt/1.png,dog,train\nt/0.png,cat,train\nt/2.png,cat,train\nt/2.png,dog,train\n"
        "./t/1.png,dog,test\nt/3.png,dog,train\n"
    )
    index = read_photos(table)
    assert rows(index) == [("t/0.png", "cat", "train"), ("t/1.png", "dog", "train"), ("t/3.png", "dog", "train")]
    assert aside(index) == ["t/0.png", "t/1.png", "t/2.png", "t/2.png"]
    assert len({item.reason for item in index.set_aside}) == 3  # again, in another subset, under two labels


def test_a_split_column(table: Path) -> None:
    table.write_text(
        "path,label,Split\nt/0.png,a,Train\nt/1.png,b,training\nt/2.png,a,VAL\nt/3.png,b,test\nt/4.png,a,\n"
    )
    index = read_photos(table)
    assert index.subset.tolist() == [1, 1, 2, 3, 0]
    table.write_text("path,label,set\nt/0.png,a,lego\nt/1.png,b,duplo\n")
    assert not read_photos(table).supplied_split  # a set of something else
    for columns, values in ((Columns(split="set"), ("lego", "lego")), (Columns(), ("train", "trial"))):
        table.write_text("path,label,set\nt/0.png,a,{}\nt/1.png,b,{}\n".format(*values))
        with pytest.raises(DataError) as caught:
            read_photos(table, columns)
        assert values[1] in str(caught.value.value)


def test_paths_that_were_written_on_windows(table: Path) -> None:
    table.write_text("path,label\nt\\0.png,cat\nt\\1.png,dog\n")
    assert [path for path, *_ in rows(read_photos(table))] == ["t/0.png", "t/1.png"]


@pytest.mark.parametrize("content", [b"path,label\nt/\xe9.png,a\n", b"\xff\xfep\0a\0t\0h\0", b"path,label\n", b"\n\n"])
def test_what_is_no_table(table: Path, content: bytes) -> None:
    table.write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_photos(table)
    assert caught.value.file == str(table)


def test_one_class_and_no_file_that_is_there(table: Path) -> None:
    for text in ("t/0.png,cat\nt/1.png,cat", "gone.png,cat\naway.png,dog"):
        table.write_text(f"path,label\n{text}\n")
        with pytest.raises(DataError):
            read_photos(table)


NAME = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=12).filter(
    lambda name: name not in (".", "..") and len(name.encode()) < 200
)
LABEL = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8).filter(
    lambda text: text == text.strip()
)


@given(st.dictionaries(NAME, LABEL, min_size=2, max_size=6), st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]))
def test_odd_names_and_labels_survive_quoting(
    tmp_path_factory: pytest.TempPathFactory, named: dict, quoting: int
) -> None:
    folder = tmp_path_factory.mktemp("odd")
    with (folder / "t.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=quoting)
        writer.writerow(["path", "label"])
        for name, label in named.items():
            place(folder / "t" / name, b"x")
            writer.writerow([f"t/{name}", label])
    if len(set(named.values())) < 2:
        with pytest.raises(DataError):
            read_photos(folder / "t.csv", Columns(separator=""))
        return
    index = read_photos(folder / "t.csv", Columns(separator=""))
    assert {path.removeprefix("t/"): label for path, label, _ in rows(index)} == named
    assert not index.set_aside


@given(st.binary(max_size=200))
def test_any_bytes_are_a_table_or_an_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "t.csv").write_bytes(b"path,label\n" + content)
    with pytest.raises(DataError):
        read_photos(tmp_path / "t.csv")


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (pa.array(["b", "a", None, "b"]), "ba b"),
        (pa.array(["b", "a", None, "b"]).dictionary_encode(), "ba b"),
        (pa.array([2, 1, None, 2], pa.uint8()), "21 2"),
        (pa.array([2.0, 1.0, float("nan"), 2.0]), "21 2"),
        (pa.array([["b"], ["a"], None, ["b"]]), "ba b"),
    ],
)
def test_a_parquet_table(table: Path, labels: pa.Array, expected: str) -> None:
    path = table.with_suffix(".parquet")
    paths = pa.array([f"t/{number}.png" for number in range(4)], pa.large_string())
    pq.write_table(pa.table({"image": paths, "label": labels}), path)
    index = read_photos(path)
    assert index.labels_of is None
    assert [(name, label) for name, label, _ in rows(index)] == [
        (f"t/{number}.png", label) for number, label in enumerate(expected) if label != " "
    ]
    assert aside(index) == ["t/2.png"]


@pytest.mark.parametrize(
    "columns",
    [
        {"path": ["t/0.png"], "score": [0.5]},
        {"path": ["t/0.png", "t/1.png"], "label": [0.5, 1.5]},
        {"path": [1, 2], "label": ["a", "b"]},
        {"path": ["t/0.png", "t/1.png"], "label": [{"a": 1}, {"a": 2}]},
        {"label": ["a", "b"]},
    ],
)
def test_a_parquet_table_of_another_schema(table: Path, columns: dict[str, list[object]]) -> None:
    path = table.with_suffix(".parquet")
    pq.write_table(pa.table(columns), path)
    with pytest.raises(DataError) as caught:
        read_photos(path)
    assert caught.value.file == str(path)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DataError):
        read_photos(path)


@pytest.mark.parametrize("joined", ["cat|dog", "cat;dog", "cat | dog"])
def test_several_labels_in_one_text(table: Path, joined: str) -> None:
    table.write_text(f"path,label\nt/0.png,{joined}\nt/1.png,dog\nt/2.png,cat\n")
    index = again(read_photos(table), table.parent)
    assert sets(index) == [{"cat", "dog"}, {"dog"}, {"cat"}]
    assert index.label.tolist() == [0, 1, 0]
    assert index.counts().tolist() == [2, 2]
    assert read_photos(table, Columns(separator="")).labels == tuple(sorted(("cat", joined, "dog")))


def test_a_separator_that_joins_nothing_known_is_part_of_a_name(table: Path) -> None:
    table.write_text("path,label\nt/0.png,salt;pepper\nt/1.png,oil|vinegar\nt/2.png,a/b\nt/3.png,b\n")
    assert read_photos(table).labels == ("a/b", "b", "oil|vinegar", "salt;pepper")
    assert sets(read_photos(table, Columns(separator="/"))) == [{"salt;pepper"}, {"oil|vinegar"}, {"a", "b"}, {"b"}]


def test_columns_of_zeros_and_ones(table: Path) -> None:
    table.write_text("path,cat,dog,owl\nt/0.png,1,1,0\nt/1.png,0,1.0,0\nt/2.png,0,0,0\nt/3.png,2,0,1\nt/4.png,0,,1\n")
    index = again(read_photos(table, Columns(label=("cat", "dog", "owl"))), table.parent)
    assert index.labels == ("cat", "dog")  # none that counts shows an owl
    assert sets(index) == [{"cat", "dog"}, {"dog"}, set()]
    assert index.label.tolist() == [0, 1, -1]
    assert aside(index) == ["t/3.png", "t/4.png"]
    table.write_text("path,cat,dog\nt/0.png,1,0\nt/1.png,0,1\n")
    one_hot = read_photos(table, Columns(label=("cat", "dog")))
    assert one_hot.labels_of is None
    assert one_hot.label.tolist() == [0, 1]
