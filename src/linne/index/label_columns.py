"""Columns of a table to labels: text, whole numbers, lists, joined text, or a column of 0 and 1 a class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from linne.index.labelled import NO_LABEL, Labels
from linne.records.errors import DataError

SEPARATORS = ("|", ";")
_TEXT = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
_NAMEABLE = (*_TEXT, pa.types.is_integer, pa.types.is_boolean, pa.types.is_null)
YES, NO = ("1", "1.0", "true"), ("0", "0.0", "false")


@dataclass(frozen=True)
class LabelColumn:
    """Labels of every row of a table.

    Attributes
    ----------
    labels : Labels
        Of the rows that have any; take `row` of it.
    missing : (n,) bool array
        Rows without a label.
    reason : str
        Why these have none.
    """

    labels: Labels
    missing: NDArray[np.bool_]
    reason: str = NO_LABEL


def label_column(
    source: Path,
    columns: Sequence[pa.ChunkedArray],
    names: Sequence[str],
    separator: str | None,
    classes: Sequence[str],
) -> LabelColumn:
    """Read labels.

    Parameters
    ----------
    source : Path
        What errors name.
    columns : sequence of pyarrow.ChunkedArray
        One, or several of 0 and 1.
    names : sequence of str
        Of the columns.
    separator : str, optional
        See `Columns`.
    classes : sequence of str
        Names of the classes where numbers stand for them; empty where numbers are names.

    Raises
    ------
    DataError
        The column holds what can be no class.
    """
    if len(columns) > 1:
        return _single_if_it_is(*_of_zeros_and_ones(columns, names), "labels are not all 0 or 1")
    column = columns[0]
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type) or pa.types.is_fixed_size_list(column.type):
        return _of_lists(source, names[0], column.combine_chunks(), classes)
    text = _text(source, names[0], column, classes)
    cut = _found_separator(text) if separator is None else separator
    if cut:
        return _of_lists(source, names[0], pc.split_pattern(text, cut), ())
    labels = _coded(text)
    return LabelColumn(labels, labels.codes < 0)


def _text(source: Path, name: str, column: pa.ChunkedArray | pa.Array, classes: Sequence[str]) -> pa.Array:
    """Labels as text, null where there is none."""
    values = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    kind = values.type
    if pa.types.is_floating(kind):  # whole numbers among which one is missing, as pandas writes them
        values = pc.if_else(pc.is_finite(values), values, None)
        if not pc.all(pc.equal(values, pc.trunc(values))).as_py() and len(values) > values.null_count:
            raise DataError(
                f"column {name!r} holds fractions, which are no classes", file=source, remedy="give another"
            )
        values = values.cast(pa.int64())
    if pa.types.is_integer(values.type) and classes:
        numbers = values.cast(pa.int64())
        known = pc.and_(pc.greater_equal(numbers, 0), pc.less(numbers, len(classes)))
        return pa.array(classes, pa.large_string()).take(pc.if_else(known, numbers, None))
    if not any(is_kind(values.type) for is_kind in _NAMEABLE):
        raise DataError(f"column {name!r} holds no labels", file=source, value=kind, remedy="give another column")
    text = pc.utf8_trim_whitespace(values.cast(pa.large_string()))
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.large_string()), text)


def _coded(text: pa.Array) -> Labels:
    encoded = text.dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
    return Labels(encoded.dictionary.to_pylist(), codes)


def _of_lists(source: Path, name: str, lists: pa.Array, classes: Sequence[str]) -> LabelColumn:
    """Lists of labels: an empty one says that there are none, and a null that nothing is known."""
    missing = lists.is_null().to_numpy(zero_copy_only=False)
    parents = pc.list_parent_indices(lists).to_numpy(zero_copy_only=False)
    labels = _coded(_text(source, name, lists.flatten(), classes))
    there = labels.codes >= 0
    counts = np.bincount(parents[there], minlength=len(lists))
    ends = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    return _single_if_it_is(Labels(labels.names, labels.codes[there], ends), missing, NO_LABEL)


def _of_zeros_and_ones(columns: Sequence[pa.ChunkedArray], names: Sequence[str]) -> tuple[Labels, NDArray[np.bool_]]:
    """A column a class; a row in which one is neither 0 nor 1 has no labels."""
    on = np.empty((len(columns[0]), len(columns)), np.bool_)
    missing = np.zeros(len(columns[0]), np.bool_)
    for place, column in enumerate(columns):
        text = pc.utf8_lower(pc.utf8_trim_whitespace(column.cast(pa.large_string()).combine_chunks()))
        yes, no = (pc.is_in(text, pa.array(words, pa.large_string())) for words in (YES, NO))
        on[:, place] = yes.to_numpy(zero_copy_only=False)
        missing |= ~pc.or_(yes, no).to_numpy(zero_copy_only=False)
    rows, codes = np.nonzero(on)
    ends = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(on)))]).astype(np.int32)
    return Labels(names, codes.astype(np.int32), ends), missing


def _single_if_it_is(labels: Labels, missing: NDArray[np.bool_], reason: str) -> LabelColumn:
    """Where every row that has labels has exactly one, it is the row's class."""
    assert labels.ends is not None  # noqa: S101 - made by the callers above
    counts = np.diff(labels.ends)
    if not len(counts) or (counts[~missing] != 1).any():
        return LabelColumn(labels, missing, reason)
    codes = np.full(len(counts), -1, np.int32)
    codes[~missing] = labels.codes[np.repeat(~missing, counts)]
    return LabelColumn(Labels(labels.names, codes), missing, reason)


def _found_separator(text: pa.Array) -> str:
    """Give the separator that joins labels of which one occurs elsewhere too; empty for none."""
    distinct = pc.unique(text.drop_null())
    for cut in SEPARATORS:
        joined = distinct.filter(pc.match_substring(distinct, cut))
        if not len(joined):
            continue
        parts = pc.list_flatten(pc.split_pattern(distinct, cut))
        if len(pc.unique(pc.utf8_trim_whitespace(parts))) < len(parts):
            return cut
    return ""
