"""What the schema of a Parquet or Arrow file says: where images lie, and what class numbers mean."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from linne.index.columns import IMAGES, LABELS, Columns, find_column, find_labels

KEY = b"huggingface"


def image_column(source: Path, schema: pa.Schema, asked: str | None) -> tuple[str, str] | None:
    """Give the column that holds images, and the field of its structs that has the bytes.

    None where there is none: the table may name files instead.
    """
    held = {
        name: where
        for name, kind in zip(schema.names, schema.types, strict=True)
        if (where := _bytes_in(kind)) is not None
    }
    if asked is not None:
        name = find_column(source, schema.names, asked, ())
    else:
        name = find_column(source, list(held), None, IMAGES) or (next(iter(held)) if len(held) == 1 else None)
    return None if name is None or name not in held else (name, held[name])


def _bytes_in(kind: pa.DataType) -> str | None:
    """Field of a struct that holds bytes; empty for bytes themselves, None for neither."""
    if _is_binary(kind):
        return ""
    if pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0 and _is_binary(kind.field("bytes").type):
        return "bytes"
    return None


def _is_binary(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def features_of(schema: pa.Schema, info: dict[str, Any] | None = None) -> dict[str, Any]:
    """Give the Hugging Face features that a schema's metadata, or ``dataset_info.json``, describes."""
    try:
        about = json.loads((schema.metadata or {}).get(KEY, b"{}"))
        features = (about.get("info") or {}).get("features") or (info or {}).get("features") or {}
    except (ValueError, AttributeError):
        return {}
    return features if isinstance(features, dict) else {}


def class_names(feature: Any) -> list[str]:
    """Give the names that numbers in a column stand for, also within lists; none where numbers are names."""
    if isinstance(feature, list) and len(feature) == 1:  # how lists were written once
        return class_names(feature[0])
    if not isinstance(feature, dict):
        return []
    names = feature.get("names")
    if feature.get("_type") == "ClassLabel" and isinstance(names, list):
        return [str(name) for name in names]
    return class_names(feature.get("feature"))


def label_columns(source: Path, schema: pa.Schema, features: dict[str, Any], columns: Columns) -> list[str]:
    """Give the label columns: asked for, known by name, or the only one whose numbers have names."""
    known = find_column(source, schema.names, None, LABELS)
    classed = [name for name in schema.names if class_names(features.get(name))]
    if not columns.labels and known is None and len(classed) == 1:
        return classed
    return find_labels(source, schema.names, columns)


def names_of_classes(features: dict[str, Any], labels: Sequence[str]) -> list[str]:
    """Give the names of the classes of one label column."""
    return class_names(features.get(labels[0])) if len(labels) == 1 else []
