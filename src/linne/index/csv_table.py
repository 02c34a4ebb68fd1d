"""A CSV as a table of text: a class "01", "NA" or "None" stays what it is."""

from __future__ import annotations

import csv
from codecs import getincrementaldecoder
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pc

from linne.records.errors import DataError
from linne.records.set_aside import SetAside

DELIMITERS = (",", ";", "\t", "|")
BLOCK = 1 << 23
"""Bytes read at a time; no row may be longer."""

REMEDY = "save it as CSV in UTF-8, with the names of the columns in the first line"


def header_of(path: Path) -> tuple[list[str], str]:
    """Give the names of the columns, and the delimiter that divides the first line into most.

    Raises
    ------
    DataError
        It cannot be read, is no UTF-8, or is empty.
    """
    try:
        with path.open("rb") as raw:
            decoder = getincrementaldecoder("utf-8")()
            while block := raw.read(BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        with path.open(encoding="utf-8-sig", newline="") as file:
            headers = []
            for delimiter in ("\t",) if path.suffix.lower() == ".tsv" else DELIMITERS:
                file.seek(0)
                header = next((row for row in csv.reader(file, delimiter=delimiter) if row), None)
                headers.append((header or [], delimiter))
    except OSError as error:
        raise DataError("cannot be read", file=path, value=error.strerror, remedy="check the path") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError("is no CSV that can be read", file=path, value=error, remedy=REMEDY) from error
    header, delimiter = max(headers, key=lambda found: len(found[0]))
    if not header:
        raise DataError("is empty", file=path, remedy=REMEDY)
    return header, delimiter


def read_csv(path: Path, wanted: list[str], delimiter: str, aside: list[SetAside]) -> pa.Table:
    """Read some columns as text; rows with too many or too few fields are set aside.

    Raises
    ------
    DataError
        It is damaged, or no UTF-8.
    """

    def odd(row: pc.InvalidRow) -> str:
        reason = f"has {row.actual_columns} fields where the first line has {row.expected_columns}"
        aside.append(SetAside(f"{path.name}, row {row.number}", reason))
        return "skip"

    try:
        return pc.read_csv(
            path,
            read_options=pc.ReadOptions(use_threads=False, block_size=BLOCK),  # threads know no row numbers
            parse_options=pc.ParseOptions(delimiter=delimiter, newlines_in_values=True, invalid_row_handler=odd),
            convert_options=pc.ConvertOptions(
                include_columns=wanted,
                column_types=dict.fromkeys(wanted, pa.large_string()),
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
    except (pa.ArrowException, OSError, KeyError) as error:
        raise DataError("is no CSV that can be read", file=path, value=error, remedy=REMEDY) from error
