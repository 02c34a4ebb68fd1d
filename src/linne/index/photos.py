"""What kind of data set is this? One way in for all of them."""

from __future__ import annotations

from pathlib import Path

from linne.index.class_folders import Scanned
from linne.index.columns import Columns
from linne.index.image_rows import TableFile, index_image_rows
from linne.index.labelled import LAYOUT
from linne.index.own_index import only_labelled, read_own_index
from linne.index.parquet_table import read_parquet
from linne.index.table import read_csv_table
from linne.index.table_folders import is_saved_dataset, read_parquet_files, read_saved_dataset
from linne.index.tar_shards import read_tars
from linne.index.zip_archive import read_zip
from linne.records.errors import DataError
from linne.records.index import Index
from linne.records.parquet import artefact_of

KINDS = "give a folder, or a .csv, .tsv, .parquet, .arrow, .zip or .tar file"
COMPRESSED = (".gz", ".tgz", ".bz2", ".xz", ".zst")


def read_photos(source: Path, columns: Columns | None = None) -> Index:
    """Index a data set of any kind.

    Parameters
    ----------
    source : Path
        A folder of class folders, of tar shards, of Parquet files, or one that Hugging Face's `save_to_disk` wrote;
        a table (CSV, TSV, Parquet) that names files or holds images; a zip or a tar; an index that linne wrote, as it
        does when decisions of a review are applied.
    columns : Columns, optional
        Of a table.

    Raises
    ------
    DataError
        There is no such file or folder, it is of no such kind, or what is in it cannot be used.
    """
    columns = columns or Columns()
    if not source.exists():
        raise DataError("no such file or folder", file=source, remedy=LAYOUT)
    if source.is_dir():
        return _read_folder(source.resolve(), columns)
    suffix = source.suffix.lower()
    if suffix in (".csv", ".tsv"):
        return read_csv_table(source, columns)
    if suffix == ".parquet":
        return only_labelled(source, _own_index(source, columns)) if _is_own(source) else read_parquet(source, columns)
    if suffix == ".arrow":
        return index_image_rows(source, [TableFile("", "arrow")], columns)
    if suffix == ".tar":
        return read_tars(source, [""], columns)
    if suffix == ".zip":
        _refuse_columns(source, columns)
        return read_zip(source)
    if suffix in COMPRESSED:
        raise DataError(
            "is compressed as a whole, so no image in it can be read alone", file=source, remedy="unpack it"
        )
    raise DataError("is no kind of data set that is known", file=source, value=suffix or None, remedy=KINDS)


def read_photos_or_images(source: Path, columns: Columns | None = None) -> Index:
    """As `read_photos`; but what has no classes, or one, gives an index without labels: a folder, linne's own index.

    Raises
    ------
    DataError
        As `read_photos`.
    """
    if source.is_dir() and not is_saved_dataset(source):
        found = Scanned(source.resolve())
        if any(found.counts) and found.classes() < 2 and not _others(found):
            _refuse_columns(source, columns or Columns())
            return found.everything().without_labels()
    if _is_own(source):
        index = _own_index(source, columns or Columns())
        return only_labelled(source, index) if len(index.labels) >= 2 else index.without_labels()
    return read_photos(source, columns)


def read_images(source: Path, columns: Columns | None = None) -> Index:
    """Index a data set whose labels do not matter: in a folder, images outside of class folders count too.

    Raises
    ------
    DataError
        As `read_photos`, or there are no images.
    """
    if source.is_dir() and not is_saved_dataset(source):
        found = Scanned(source.resolve())
        if any(found.counts):
            _refuse_columns(source, columns or Columns())
            return found.everything()
    if _is_own(source):
        return _own_index(source, columns or Columns())
    return read_photos(source, columns)


def _read_folder(root: Path, columns: Columns) -> Index:
    if is_saved_dataset(root):
        return read_saved_dataset(root, columns)
    found = Scanned(root)
    if (others := _others(found)) and found.classes() < 2:  # a few pictures beside them are an example in a README
        read = read_tars if others[0].lower().endswith(".tar") else read_parquet_files
        return read(root, others, columns)
    _refuse_columns(root, columns)
    return found.as_index()


def _others(found: Scanned) -> list[str]:
    """Tars that lie in a folder, or else Parquet files."""
    return sorted(found.others(".tar")) or sorted(found.others(".parquet"))


def _is_own(source: Path) -> bool:
    return source.suffix.lower() == ".parquet" and artefact_of(source) == "index"


def _own_index(source: Path, columns: Columns) -> Index:
    _refuse_columns(source, columns)
    return read_own_index(source)


def _refuse_columns(source: Path, columns: Columns) -> None:
    if columns != Columns():
        raise DataError(
            "is no table: it has no columns", file=source, remedy="give the table, or leave out the options"
        )
