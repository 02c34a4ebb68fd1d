"""Tensors from a file of ``torch.save``, without unpickling it.

Both forms are read: the zip archive (since torch 1.6) and the older sequence of pickles. What their pickles say is in
`described`; here are the bytes.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from linne.nets.weights.described import Refused, Storage, View, interpret, storages_in
from linne.records.errors import WeightsError

MAGIC = 0x1950A86A20F9469CFC6C
"""First pickle of the older form."""

LARGEST_PICKLE = 64 * 2**20
"""Bytes of instructions, without the tensors: more are no state dict."""

DAMAGE = (
    OSError,
    EOFError,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    RuntimeError,
    zipfile.BadZipFile,
)
"""What following instructions on the wrong things raises: there is no other way to say that a pickle makes no sense."""


def read_torch_file(path: Path) -> dict[str, Tensor]:
    """Read a state dict that ``torch.save`` wrote.

    Parameters
    ----------
    path : Path

    Returns
    -------
    dict of str to Tensor
        The tensors of the dictionary, or of its 'state_dict', 'model' or 'model_state_dict' where it has one.

    Raises
    ------
    WeightsError
        It is no such file, damaged, or holds anything but text, numbers, containers and tensors.
    """
    try:
        with path.open("rb") as file:
            if zipfile.is_zipfile(file):
                value, storages = _archive(file)
            else:
                value, storages = _sequence(file)
        return _tensors(value, storages)
    except (Refused, *DAMAGE) as error:
        raise WeightsError(
            "is no state dict of torch, or damaged", file=path, value=error, remedy="convert it to safetensors"
        ) from error


def _archive(file: BinaryIO) -> tuple[Any, Callable[[Storage], Tensor]]:
    archive = zipfile.ZipFile(file)
    names = archive.namelist()
    program = next((name for name in names if name.endswith("/data.pkl")), None)
    if program is None or archive.getinfo(program).file_size > LARGEST_PICKLE:
        raise Refused("no data.pkl of a sensible size")
    root = program.removesuffix("data.pkl")
    if f"{root}byteorder" in names and archive.read(f"{root}byteorder") != b"little":
        raise Refused("written on a big-endian machine")
    value = interpret(io.BytesIO(archive.read(program)))
    held: dict[str, Tensor] = {}

    def load(storage: Storage) -> Tensor:
        if storage.key not in held:
            info = archive.getinfo(f"{root}data/{storage.key}")
            if info.compress_type != zipfile.ZIP_STORED or info.file_size != storage.elements * storage.dtype.itemsize:
                raise Refused(f"storage {storage.key} has {info.file_size} bytes, or is compressed")
            held[storage.key] = _values(archive.read(info), storage)
        return held[storage.key]

    keys = storages_in(value)
    return value, {storage: load(storage) for storage in keys}.__getitem__


def _sequence(file: BinaryIO) -> tuple[Any, Callable[[Storage], Tensor]]:
    file.seek(0)
    magic, _protocol, _system, value, keys = (interpret(file) for _ in range(5))
    if magic != MAGIC or not isinstance(keys, list):
        raise Refused("not written by torch.save")
    storages = {storage.key: storage for storage in storages_in(value)}
    held: dict[Storage, Tensor] = {}
    for key in keys:
        storage = storages[key]
        elements = int.from_bytes(file.read(8), "little")
        if elements != storage.elements:
            raise Refused(f"storage {key} has {elements} elements")
        held[storage] = _values(file.read(elements * storage.dtype.itemsize), storage)
    return value, held.__getitem__


def _values(data: bytes, storage: Storage) -> Tensor:
    if len(data) != storage.elements * storage.dtype.itemsize:
        raise Refused(f"storage {storage.key} ends early")
    return torch.frombuffer(bytearray(data), dtype=storage.dtype) if data else torch.empty(0, dtype=storage.dtype)


def _tensors(value: Any, values: Callable[[Storage], Tensor]) -> dict[str, Tensor]:
    for inner in ("state_dict", "model", "model_state_dict"):
        if isinstance(value, dict) and isinstance(value.get(inner), dict):
            value = value[inner]
    if not isinstance(value, dict) or not value:
        raise Refused("no dictionary of tensors")
    state = {}
    for key, view in value.items():
        if not isinstance(key, str) or not isinstance(view, View):
            raise Refused(f"{key!r} is no tensor")
        state[key] = _placed(values(view.storage), view)
    return state


def _placed(values: Tensor, view: View) -> Tensor:
    sides = (*view.shape, *view.stride, view.offset)
    if len(view.shape) != len(view.stride) or not all(isinstance(n, int) and n >= 0 for n in sides):
        raise Refused("a tensor with an impossible shape")
    last = view.offset + sum((side - 1) * step for side, step in zip(view.shape, view.stride, strict=True))
    if prod(view.shape) and last >= len(values):
        raise Refused("a tensor that reaches beyond its storage")
    if prod(view.shape) > len(values):  # a stride of 0 would make gigabytes of nothing
        raise Refused("a tensor that is larger than its storage")
    return values.as_strided(view.shape, view.stride, view.offset).clone()
