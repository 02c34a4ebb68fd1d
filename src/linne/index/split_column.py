"""A column of a table that says which images train, validate and test."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from linne.index.columns import LISTED
from linne.index.names import SUBSET_NAMES
from linne.records.errors import DataError, printable
from linne.records.index import NONE, SUBSETS


def subset_column(source: Path, table: pa.Table, name: str | None, asked: bool) -> NDArray[np.int8]:
    """Give the subset of each row; an empty value says nothing.

    A column that was not asked for, and in which no value is a subset's name, is taken for something else.

    Raises
    ------
    DataError
        A value is none of train, validation (val, valid) and test.
    """
    if name is None:
        return np.full(table.num_rows, NONE, np.int8)
    text = pc.utf8_lower(pc.utf8_trim_whitespace(table[name].cast(pa.large_string()).combine_chunks()))
    encoded = text.dictionary_encode()
    words = encoded.dictionary.to_pylist()
    unknown = [word for word in words if word and word not in SUBSET_NAMES]
    if unknown and (asked or any(word in SUBSET_NAMES for word in words)):
        raise DataError(
            f"column {name!r} says neither train, validation nor test",
            file=source,
            value=", ".join(map(printable, unknown[:LISTED])),
            remedy="rename these, or give --split-column if another one is meant",
        )
    meaning = np.array([*(SUBSETS.index(SUBSET_NAMES.get(word, SUBSETS[NONE])) for word in words), NONE], np.int8)
    return np.asarray(meaning[encoded.indices.fill_null(len(words)).to_numpy(zero_copy_only=False)])
