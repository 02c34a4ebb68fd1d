"""Folders of tables whose rows hold images: as Hugging Face's `datasets` saves them, and as they lie on the hub."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from linne.index.columns import Columns
from linne.index.image_rows import TableFile, index_image_rows
from linne.index.labelled import refuse_half_a_split
from linne.index.names import SUBSET_NAMES, subset_in_name
from linne.records.errors import DataError
from linne.records.index import NONE, SUBSETS, Index

STATE, SPLITS, INFO = "state.json", "dataset_dict.json", "dataset_info.json"
MAX_JSON = 1 << 26


def is_saved_dataset(folder: Path) -> bool:
    """Whether a folder was written by `save_to_disk`."""
    return (folder / STATE).is_file() or (folder / SPLITS).is_file()


def read_saved_dataset(folder: Path, columns: Columns) -> Index:
    """Index a `Dataset` or a `DatasetDict` that was saved to disk.

    Raises
    ------
    DataError
        A part is missing or damaged, splits are named unlike subsets, or what `index_image_rows` raises.
    """
    if not (folder / SPLITS).is_file():
        return index_image_rows(folder, _saved(folder, "", NONE), columns)
    splits = _json(folder / SPLITS).get("splits")
    if not isinstance(splits, list) or not splits or not all(_is_plain(name) for name in splits):
        raise DataError("names no splits", file=folder / SPLITS, remedy="save the data set again")
    subsets = subsets_of(folder, splits, {name: SUBSET_NAMES.get(name.lower()) for name in splits})
    files = [file for name, subset in zip(splits, subsets, strict=True) for file in _saved(folder, name, subset)]
    return index_image_rows(folder, files, columns)


def read_parquet_files(folder: Path, names: Sequence[str], columns: Columns) -> Index:
    """Index Parquet files below a folder; their names, or those of their folders, may speak of subsets."""
    subsets = subsets_of(folder, names, {name: subset_in_name(name) for name in names})
    files = [TableFile(name, "parquet", subset) for name, subset in zip(names, subsets, strict=True)]
    return index_image_rows(folder, files, columns)


def subsets_of(source: Path, names: Sequence[str], meaning: dict[str, str | None]) -> list[int]:
    """Subset of each file, where every one's name speaks of one and train is among them; else none.

    Raises
    ------
    DataError
        Two subsets are named, but no train, or there are others besides.
    """
    others = [name for name in names if meaning[name] is None]
    spoken = {what for what in meaning.values() if what is not None}
    if "train" in spoken and not others:
        return [SUBSETS.index(meaning[name] or SUBSETS[NONE]) for name in names]
    if len(spoken) > 1:
        refuse_half_a_split(source, [name for name in names if meaning[name] is not None], others)
    return [NONE] * len(names)


def _saved(root: Path, below: str, subset: int) -> list[TableFile]:
    folder = root / below
    state = _json(folder / STATE)
    info = _json(folder / INFO) if (folder / INFO).is_file() else {}
    if state.get("_indices_files") or state.get("_indices_data_files"):
        raise DataError("has its rows in another order than its files", file=folder, remedy="save the data set again")
    files = state.get("_data_files")
    if not isinstance(files, list):
        raise DataError("names no files", file=folder / STATE, remedy="save the data set again")
    names = [file.get("filename") if isinstance(file, dict) else None for file in files]
    if not names or not all(_is_plain(name) for name in names):
        raise DataError("names no files in this folder", file=folder / STATE, remedy="save the data set again")
    prefix = f"{below}/" if below else ""
    return [TableFile(f"{prefix}{name}", "arrow", subset, info) for name in names]


def _is_plain(name: object) -> bool:
    """Whether a name stays within its folder."""
    return isinstance(name, str) and name not in ("", ".", "..") and not set(name) & set("/\\\0")


def _json(file: Path) -> dict[str, Any]:
    try:
        if file.stat().st_size > MAX_JSON:
            raise DataError(f"more than {MAX_JSON} bytes", file=file, remedy="save the data set again")
        value = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError("cannot be read", file=file, value=error, remedy="bring the whole data set") from error
    if not isinstance(value, dict):
        raise DataError("is no JSON object", file=file, remedy="save the data set again")
    return value
