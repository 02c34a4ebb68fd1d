"""A row of a table is read whole, or refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from linne.records import rows
from linne.records.containers import Container, Kind, stamp_of
from linne.records.errors import ImageError
from linne.records.rows import RowContent

IMAGES = [bytes([number]) * (100 + number) for number in range(40)]


def write(path: Path, kind: Kind, images: list[bytes | None]) -> list[RowContent]:
    column = pa.array(
        [None if image is None else {"bytes": image} for image in images], pa.struct([("bytes", pa.binary())])
    )
    table = pa.table({"image": column, "other": np.arange(len(images))})
    if kind == "parquet":
        pq.write_table(table, path, row_group_size=7)
    else:
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table, max_chunksize=7)
    container = Container(path.name, kind, stamp_of(path), "image", "bytes")
    return [RowContent(path, container, str(row), row, -1) for row in range(len(images))]


KINDS = pytest.mark.parametrize("kind", ["parquet", "arrow"])


@KINDS
def test_rows_are_read_by_many_threads_in_any_order(tmp_path: Path, kind: Kind) -> None:
    contents = write(tmp_path / "x", kind, list(IMAGES))
    order = np.random.default_rng(0).integers(0, len(IMAGES), 400).tolist()
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda row: contents[row].read(), order)) == [IMAGES[row] for row in order]
    assert contents[3].name == f"{tmp_path / 'x'}/3"


@KINDS
def test_a_table_that_is_gone_or_another(tmp_path: Path, kind: Kind) -> None:
    path = tmp_path / "x"
    content = write(path, kind, list(IMAGES))[5]
    assert content.read() == IMAGES[5]
    write(path, kind, list(reversed(IMAGES)))
    with pytest.raises(ImageError) as caught:
        content.read()
    assert caught.value.file == str(path)
    path.unlink()
    with pytest.raises(ImageError):
        content.read()
    write(path, kind, list(IMAGES))
    assert content.read() == IMAGES[5]


@KINDS
def test_rows_that_hold_nothing_are_not_there_or_are_of_another_size(tmp_path: Path, kind: Kind) -> None:
    contents = write(tmp_path / "x", kind, [*IMAGES[:3], None])
    others = [contents[3], replace(contents[0], row=9), replace(contents[0], size=7)]
    others.append(replace(contents[0], container=replace(contents[0].container, column="gone")))
    for content in others:
        with pytest.raises(ImageError):
            content.read()
    assert replace(contents[0], size=100).read() == IMAGES[0]


def test_a_damaged_row_group_is_told_each_time(tmp_path: Path) -> None:
    path = tmp_path / "x"
    contents = write(path, "parquet", list(IMAGES))
    damaged = path.read_bytes()
    path.write_bytes(damaged[:8] + b"\xff" * 300 + damaged[308:])
    container = replace(contents[0].container, stamp=stamp_of(path))
    for _ in range(2):
        with pytest.raises(ImageError):
            replace(contents[0], container=container).read()


def test_row_groups_are_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "KEPT_BYTES", 1000)
    groups = rows._Groups()
    path = tmp_path / "x"
    write(path, "parquet", list(IMAGES))
    with path.open("rb") as file:
        state = rows.refuse_if_changed(path, file, stamp_of(path))
    for number in (0, 1, 2, 3, 2):
        groups.get((path, state, ("image", "bytes"), number))
    held = [group for *_, group in groups._kept]
    assert held[-1] == 2
    assert len(held) < 3
