"""Images in the rows of Parquet and Arrow files: as Hugging Face's `datasets` writes them, and as others do."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from images import place
from index.indexed import PICTURES, again, aside, contents, rows, sets

from linne.index.columns import Columns
from linne.index.photos import read_photos
from linne.records.errors import DataError

ANIMALS = ["zebra", "ant", "bee"]
CLASSES = {"names": ANIMALS, "_type": "ClassLabel"}
IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def table(numbers: range, labels: pa.Array | None = None, feature: object = CLASSES) -> pa.Table:
    """Rows as the hub has them: structs of bytes and path, and numbers of classes whose names are in the metadata."""
    images = pa.array([{"bytes": PICTURES[i], "path": f"from/{i}.png"} for i in numbers], IMAGE)
    given = pa.array([i % 3 for i in numbers]) if labels is None else labels
    about = {"info": {"features": {"image": {"_type": "Image"}, "label": feature}}}
    return pa.table({"image": images, "label": given}).replace_schema_metadata({"huggingface": json.dumps(about)})


def write_saved(folder: Path, parts: list[pa.Table]) -> Path:
    """A data set as `save_to_disk` writes it."""
    folder.mkdir(parents=True)
    names = [f"data-{i:05d}-of-{len(parts):05d}.arrow" for i in range(len(parts))]
    for name, part in zip(names, parts, strict=True):
        with pa.OSFile(str(folder / name), "wb") as sink, pa.ipc.new_stream(sink, part.schema) as writer:
            writer.write_table(part, max_chunksize=2)
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": name} for name in names]}))
    (folder / "dataset_info.json").write_text("{}")
    return folder


def named(numbers: range) -> list[str]:
    return [ANIMALS[i % 3] for i in numbers]


def test_one_parquet_file_of_several_row_groups(tmp_path: Path) -> None:
    pq.write_table(table(range(8)), tmp_path / "p.parquet", row_group_size=3)
    index = again(read_photos(tmp_path / "p.parquet"), tmp_path)
    assert [label for _, label, _ in rows(index)] == named(range(8))
    assert index.labels == ("ant", "bee", "zebra")
    assert index.path(7) == "7/7.png"
    assert contents(index) == PICTURES[:8]
    assert index.name == "p"
    assert (index.size == -1).all()  # would take reading all of it


def test_files_as_on_the_hub(tmp_path: Path) -> None:
    (tmp_path / "hub" / "data").mkdir(parents=True)
    (tmp_path / "hub" / "README.md").write_text("about")
    for name, numbers in (
        ("train-00000-of-00002", range(4)),
        ("train-00001-of-00002", range(4, 7)),
        ("test-0", range(7, 9)),
    ):
        pq.write_table(table(numbers), tmp_path / "hub" / "data" / f"{name}.parquet")
    index = again(read_photos(tmp_path / "hub"), tmp_path)
    assert index.subset.tolist() == [3, 3, 1, 1, 1, 1, 1, 1, 1]
    assert contents(index) == PICTURES[7:9] + PICTURES[:7]
    assert index.path(0) == "data/test-0.parquet/0/7.png"
    assert index.content(0).name == f"{(tmp_path / 'hub').resolve()}/data/test-0.parquet/0/7.png"


def test_other_tables_with_bytes(tmp_path: Path) -> None:
    columns = {
        "data": pa.array(PICTURES[:3], pa.large_binary()),
        "kind": ["a", "b", "a"],
        "split": ["train", "", "val"],
    }
    pq.write_table(pa.table(columns), tmp_path / "p.parquet")
    index = read_photos(tmp_path / "p.parquet", Columns(label="kind"))
    assert rows(index) == [("0", "a", "train"), ("1", "b", "none"), ("2", "a", "validation")]
    assert contents(index) == PICTURES[:3]


def test_a_saved_data_set(tmp_path: Path) -> None:
    folder = write_saved(tmp_path / "saved", [table(range(5)), table(range(5, 8))])
    index = again(read_photos(folder), tmp_path)
    assert [label for _, label, _ in rows(index)] == named(range(8))
    assert index.size.tolist() == [len(picture) for picture in PICTURES[:8]]
    assert contents(index) == PICTURES[:8]
    assert index.path(5) == "data-00001-of-00002.arrow/0/5.png"


def test_saved_splits(tmp_path: Path) -> None:
    write_saved(tmp_path / "d" / "train", [table(range(6))])
    write_saved(tmp_path / "d" / "validation", [table(range(6, 9))])
    (tmp_path / "d" / "dataset_dict.json").write_text('{"splits": ["train", "validation"]}')
    index = read_photos(tmp_path / "d")
    assert index.subset.tolist() == [1] * 6 + [2] * 3
    assert contents(index) == PICTURES[:9]
    for splits in ('{"splits": ["train", "../train"]}', '{"splits": []}', "[]", "{", '{"splits": ["train", "gone"]}'):
        (tmp_path / "d" / "dataset_dict.json").write_text(splits)
        with pytest.raises(DataError):
            read_photos(tmp_path / "d")


@pytest.mark.parametrize(
    "state",
    ["{}", "[]", "{", '{"_data_files": []}', '{"_data_files": [{"filename": "../x.arrow"}]}', '{"_data_files": [1]}'],
)
def test_a_damaged_saved_data_set(tmp_path: Path, state: str) -> None:
    folder = write_saved(tmp_path / "saved", [table(range(3))])
    (folder / "state.json").write_text(state)
    with pytest.raises(DataError):
        read_photos(folder)


def test_a_row_without_bytes_is_the_file_that_it_names(tmp_path: Path) -> None:
    place(tmp_path / "saved" / "own" / "a.png", PICTURES[4])
    absolute = place(tmp_path / "b.png", PICTURES[5])
    images = pa.array(
        [
            {"bytes": PICTURES[0], "path": None},
            {"bytes": None, "path": "own/a.png"},
            {"bytes": None, "path": str(absolute)},
            {"bytes": None, "path": "gone.png"},
            {"bytes": None, "path": None},
            None,
            {"bytes": b"", "path": None},
        ],
        IMAGE,
    )
    made = pa.table({"image": images, "label": list("abababa")})
    write_saved(tmp_path / "other", [made])
    for file in (tmp_path / "other").iterdir():
        file.rename(tmp_path / "saved" / file.name)
    index = again(read_photos(tmp_path / "saved"), tmp_path)
    assert contents(index) == [PICTURES[0], PICTURES[4], PICTURES[5]]
    assert [path for path, *_ in rows(index)] == ["data-00000-of-00001.arrow/0", "own/a.png", str(absolute)]
    assert len(aside(index)) == 4
    for file in (tmp_path / "saved").glob("*.*"):
        file.unlink()
    pq.write_table(made, tmp_path / "saved" / "p.parquet", row_group_size=2)
    index = again(read_photos(tmp_path / "saved"), tmp_path)
    assert [path for path, *_ in rows(index)] == ["p.parquet/0", "own/a.png", str(absolute), "p.parquet/6"]
    assert [index.content(row).read() for row in range(3)] == [PICTURES[0], PICTURES[4], PICTURES[5]]


def test_labels_that_are_not_given(tmp_path: Path) -> None:
    pq.write_table(table(range(6), pa.array([0, -1, 1, None, 99, 2])), tmp_path / "p.parquet")
    index = read_photos(tmp_path / "p.parquet")
    assert [label for _, label, _ in rows(index)] == ["zebra", "ant", "bee"]
    assert aside(index) == ["1/1.png", "3/3.png", "4/4.png"]


@pytest.mark.parametrize(
    "feature", [{"_type": "List", "feature": CLASSES}, {"_type": "Sequence", "feature": CLASSES}, [CLASSES]]
)
def test_lists_of_labels(tmp_path: Path, feature: object) -> None:
    pq.write_table(table(range(4), pa.array([[0, 1], [2], [], None]), feature), tmp_path / "p.parquet")
    index = again(read_photos(tmp_path / "p.parquet"), tmp_path)
    assert sets(index) == [{"zebra", "ant"}, {"bee"}, set()]
    assert index.label.tolist() == [0, 1, -1]
    assert index.counts().tolist() == [1, 1, 1]
    assert aside(index) == ["3/3.png"]


def test_a_label_known_only_by_its_classes(tmp_path: Path) -> None:
    fine = table(range(6)).rename_columns(["image", "fine"])
    about = {"info": {"features": {"fine": CLASSES}}}
    pq.write_table(fine.replace_schema_metadata({"huggingface": json.dumps(about)}), tmp_path / "p.parquet")
    assert read_photos(tmp_path / "p.parquet").labels == ("ant", "bee", "zebra")


@pytest.mark.parametrize("metadata", ["", "[]", "{", '{"info": 3}', '{"info": {"features": []}}'])
def test_metadata_that_says_nothing(tmp_path: Path, metadata: str) -> None:
    pq.write_table(table(range(6)).replace_schema_metadata({"huggingface": metadata}), tmp_path / "p.parquet")
    assert read_photos(tmp_path / "p.parquet").labels == ("0", "1", "2")


def test_files_of_different_schemas(tmp_path: Path) -> None:
    pq.write_table(table(range(3)), tmp_path / "a.parquet")
    for other in (pa.table({"label": [1]}), pa.table({"image": PICTURES[:1]}), table(range(3), pa.array(list("abc")))):
        pq.write_table(other, tmp_path / "b.parquet")
        with pytest.raises(DataError):
            read_photos(tmp_path)
    (tmp_path / "b.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError) as caught:
        read_photos(tmp_path)
    assert caught.value.file == str(tmp_path.resolve() / "b.parquet")


def test_a_torn_arrow_file(tmp_path: Path) -> None:
    folder = write_saved(tmp_path / "saved", [table(range(6))])
    file = folder / "data-00000-of-00001.arrow"
    file.write_bytes(file.read_bytes()[:700])
    with pytest.raises(DataError) as caught:
        read_photos(folder)
    assert caught.value.file == str(file.resolve())


def test_what_datasets_saves_and_uploads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=ANIMALS)})
    paths = [str(place(tmp_path / "files" / f"{i}.png", picture)) for i, picture in enumerate(PICTURES)]

    def made(numbers: range) -> object:
        return datasets.Dataset.from_dict(
            {"image": [paths[i] for i in numbers], "label": [i % 3 for i in numbers]}, features=features
        )

    made(range(8)).save_to_disk(str(tmp_path / "saved"), num_shards=2)
    datasets.DatasetDict({"train": made(range(6)), "test": made(range(6, 9))}).save_to_disk(str(tmp_path / "splits"))
    made(range(8)).select([3, 1, 2, 5]).save_to_disk(str(tmp_path / "chosen"))
    made(range(8)).to_parquet(str(tmp_path / "hub.parquet"))
    for name, numbers in (
        ("saved", range(8)),
        ("splits", range(9)),
        ("chosen", [3, 1, 2, 5]),
        ("hub.parquet", range(8)),
    ):
        index = read_photos(tmp_path / name)
        assert contents(index) == [PICTURES[i] for i in numbers]
        assert [label for _, label, _ in rows(index)] == [ANIMALS[i % 3] for i in numbers]
    assert read_photos(tmp_path / "splits").subset.tolist() == [1] * 6 + [3] * 3
