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

from linne.nets.weights.described import LARGEST_PICKLE, Refused, Storage, Unknown, View, interpret
from linne.records.errors import WeightsError

MAGIC = 0x1950A86A20F9469CFC6C
"""First pickle of the older form."""

INNER = ("state_dict", "model", "model_state_dict", "model_ema", "state_dict_ema", "net", "params", "weights")
"""What training scripts call the state dict in their checkpoints, in this order."""

PLAIN = (str, int, float, bool, type(None))
"""What may lie between tensors and is passed over: an epoch, a score."""

SHARED = 2
"""How often the tensors may use each number: tied weights lie twice in a state dict, and no more."""

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
        The tensors of the dictionary, or of one in it that has a name of `INNER`.

    Raises
    ------
    WeightsError
        It is no such file, damaged, or holds no dictionary of tensors.
    """
    try:
        with path.open("rb") as file:
            begins_as_zip, whole = file.read(2) == b"PK", zipfile.is_zipfile(file)
            if begins_as_zip and not whole:
                raise Refused("it ends early")
            if whole:
                return _tensors(*_archive(file))
            return _tensors(*_sequence(file))
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
    if f"{root}byteorder" in names:
        with archive.open(f"{root}byteorder") as order:
            if order.read(len(b"little")) != b"little":
                raise Refused("written on a big-endian machine")
    value, _ = interpret(io.BytesIO(archive.read(program)))
    held: dict[str, Tensor] = {}

    def load(storage: Storage) -> Tensor:
        if storage.key not in held:
            info = archive.getinfo(f"{root}data/{storage.key}")
            if info.compress_type != zipfile.ZIP_STORED or info.file_size != storage.elements * storage.dtype.itemsize:
                raise Refused(f"storage {storage.key} has {info.file_size} bytes, or is compressed")
            held[storage.key] = _values(archive.read(info), storage)
        return held[storage.key]

    return value, load


def _sequence(file: BinaryIO) -> tuple[Any, Callable[[Storage], Tensor]]:
    file.seek(0)
    (magic, _), _protocol, _system, (value, storages), (keys, _) = (interpret(file) for _ in range(5))
    if magic != MAGIC or not isinstance(keys, list):
        raise Refused("not written by torch.save")
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
    for inner in INNER:
        if isinstance(value, dict) and isinstance(value.get(inner), dict):
            value = value[inner]
    if isinstance(value, Unknown):
        raise Refused(f"an object of {value.maker} instead of its state dict")
    if not isinstance(value, dict) or not value:
        raise Refused("no dictionary of tensors")
    views = {key: view for key, view in value.items() if not isinstance(view, PLAIN)}
    for key, view in views.items():
        if not isinstance(key, str):
            raise Refused(f"the key {key!r} is no text")
        if not isinstance(view, View):
            what = view.maker if isinstance(view, Unknown) else f"a {type(view).__name__}"
            raise Refused(f"{key!r} is no tensor, but {what}")
    if not views:
        raise Refused("no dictionary of tensors")
    storages = {view.storage for view in views.values()}
    if sum(prod(view.shape) for view in views.values()) > SHARED * sum(storage.elements for storage in storages):
        raise Refused("tensors that are larger than what is stored")
    return {key: _placed(values(view.storage), view) for key, view in views.items()}


def _placed(values: Tensor, view: View) -> Tensor:
    sides = (*view.shape, *view.stride, view.offset)
    if len(view.shape) != len(view.stride) or not all(isinstance(n, int) and n >= 0 for n in sides):
        raise Refused("a tensor with an impossible shape")
    # Which values a shape has is `_tensors`' to bound; here each of them must be there.
    last = view.offset + sum((side - 1) * step for side, step in zip(view.shape, view.stride, strict=True))
    if prod(view.shape) and last >= len(values):
        raise Refused("a tensor that reaches beyond its storage")
    if prod(view.shape) > len(values):  # a stride of 0 would make gigabytes of nothing
        raise Refused("a tensor that is larger than its storage")
    return values.as_strided(view.shape, view.stride, view.offset).clone()
