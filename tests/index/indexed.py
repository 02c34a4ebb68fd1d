"""What tests ask of an index, whatever it was made from."""

from __future__ import annotations

from pathlib import Path

from images import encode, noise

from linne.records.index import SUBSETS, Index

PICTURES = [encode(noise(8, 8, seed=seed), "PNG") for seed in range(12)]


def rows(index: Index) -> list[tuple[str, str, str]]:
    """Path, class and subset of each row."""
    return [(index.path(row), index.labels[index.label[row]], SUBSETS[index.subset[row]]) for row in range(len(index))]


def sets(index: Index) -> list[set[str]]:
    """All classes of each row, of an index with several."""
    assert index.labels_of is not None
    return [{index.labels[label] for label in row} for row in index.labels_of.to_pylist()]


def aside(index: Index) -> list[str]:
    """Paths that were set aside."""
    return [item.path for item in index.set_aside]


def contents(index: Index) -> list[bytes]:
    """Bytes of every row, as read by an index that was written and read again, and of the size that it says."""
    read = [index.content(row).read() for row in range(len(index))]
    assert all(size in (-1, len(content)) for size, content in zip(index.size.tolist(), read, strict=True))
    return read


def again(index: Index, folder: Path) -> Index:
    """The index after a round trip over the disk; both say the same."""
    index.write(folder / "index.parquet")
    read = Index.read(folder / "index.parquet")
    assert read.fingerprint == index.fingerprint
    assert read.set_aside == index.set_aside
    assert read.labels_of == index.labels_of
    return read
