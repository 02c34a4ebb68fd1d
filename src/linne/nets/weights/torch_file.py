"""Tensors from a file of ``torch.save``, without unpickling it.

Such a file is a pickle, a program that can call any function. It is not run here: `pickletools` parses it into
instructions, and only those that describe dictionaries, lists, text, numbers and tensors are understood. No name in
the file is looked up or imported; everything else is refused.

Both forms are read: the zip archive (since torch 1.6) and the older sequence of pickles.
"""

from __future__ import annotations

import io
import pickletools
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from linne.records.errors import WeightsError

DTYPES = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}
MAGIC = 0x1950A86A20F9469CFC6C
"""First pickle of the older form."""

LARGEST_PICKLE = 64 * 2**20
"""Bytes of instructions, without the tensors: more are no state dict."""


class _Refused(Exception):  # noqa: N818 - it never leaves this file
    """The file says something that is no state dict."""


@dataclass(frozen=True)
class _Name:
    """A function or class that the file names; it is only compared, never looked up."""

    text: str


@dataclass(frozen=True)
class _Storage:
    key: str
    dtype: torch.dtype
    elements: int


@dataclass(frozen=True)
class _View:
    """A tensor: where in which storage."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


_MARK = object()

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
    except (_Refused, *DAMAGE) as error:
        raise WeightsError(
            "is no state dict of torch, or damaged", file=path, value=error, remedy="convert it to safetensors"
        ) from error


def _archive(file: BinaryIO) -> tuple[Any, Callable[[_Storage], Tensor]]:
    archive = zipfile.ZipFile(file)
    names = archive.namelist()
    program = next((name for name in names if name.endswith("/data.pkl")), None)
    if program is None or archive.getinfo(program).file_size > LARGEST_PICKLE:
        raise _Refused("no data.pkl of a sensible size")
    root = program.removesuffix("data.pkl")
    if f"{root}byteorder" in names and archive.read(f"{root}byteorder") != b"little":
        raise _Refused("written on a big-endian machine")
    value = _interpret(io.BytesIO(archive.read(program)))
    held: dict[str, Tensor] = {}

    def load(storage: _Storage) -> Tensor:
        if storage.key not in held:
            info = archive.getinfo(f"{root}data/{storage.key}")
            if info.compress_type != zipfile.ZIP_STORED or info.file_size != storage.elements * storage.dtype.itemsize:
                raise _Refused(f"storage {storage.key} has {info.file_size} bytes, or is compressed")
            held[storage.key] = _values(archive.read(info), storage)
        return held[storage.key]

    keys = _storages_in(value)
    return value, {storage: load(storage) for storage in keys}.__getitem__


def _sequence(file: BinaryIO) -> tuple[Any, Callable[[_Storage], Tensor]]:
    file.seek(0)
    magic, _protocol, _system, value, keys = (_interpret(file) for _ in range(5))
    if magic != MAGIC or not isinstance(keys, list):
        raise _Refused("not written by torch.save")
    storages = {storage.key: storage for storage in _storages_in(value)}
    held: dict[_Storage, Tensor] = {}
    for key in keys:
        storage = storages[key]
        elements = int.from_bytes(file.read(8), "little")
        if elements != storage.elements:
            raise _Refused(f"storage {key} has {elements} elements")
        held[storage] = _values(file.read(elements * storage.dtype.itemsize), storage)
    return value, held.__getitem__


def _values(data: bytes, storage: _Storage) -> Tensor:
    if len(data) != storage.elements * storage.dtype.itemsize:
        raise _Refused(f"storage {storage.key} ends early")
    return torch.frombuffer(bytearray(data), dtype=storage.dtype) if data else torch.empty(0, dtype=storage.dtype)


def _tensors(value: Any, values: Callable[[_Storage], Tensor]) -> dict[str, Tensor]:
    for inner in ("state_dict", "model", "model_state_dict"):
        if isinstance(value, dict) and isinstance(value.get(inner), dict):
            value = value[inner]
    if not isinstance(value, dict) or not value:
        raise _Refused("no dictionary of tensors")
    state = {}
    for key, view in value.items():
        if not isinstance(key, str) or not isinstance(view, _View):
            raise _Refused(f"{key!r} is no tensor")
        state[key] = _placed(values(view.storage), view)
    return state


def _placed(values: Tensor, view: _View) -> Tensor:
    sides = (*view.shape, *view.stride, view.offset)
    if len(view.shape) != len(view.stride) or not all(isinstance(n, int) and n >= 0 for n in sides):
        raise _Refused("a tensor with an impossible shape")
    last = view.offset + sum((side - 1) * step for side, step in zip(view.shape, view.stride, strict=True))
    if prod(view.shape) and last >= len(values):
        raise _Refused("a tensor that reaches beyond its storage")
    return values.as_strided(view.shape, view.stride, view.offset).clone()


def _storages_in(value: Any) -> list[_Storage]:
    if isinstance(value, dict):
        return [storage for item in value.values() for storage in _storages_in(item)]
    return [value.storage] if isinstance(value, _View) else []


def _interpret(file: BinaryIO) -> Any:
    """Follow the instructions of one pickle; nothing that they name is called."""
    stack: list[Any] = []
    memo: dict[int, Any] = {}

    def since_mark() -> list[Any]:
        at = max(i for i, item in enumerate(stack) if item is _MARK)
        items = stack[at + 1 :]
        del stack[at:]
        return items

    argument: Any
    for instruction, argument, _ in pickletools.genops(file):
        match instruction.name:
            case "PROTO" | "FRAME":
                pass
            case "STOP":
                return stack.pop()
            case "MARK":
                stack.append(_MARK)
            case "NONE" | "NEWTRUE" | "NEWFALSE":
                stack.append({"NONE": None, "NEWTRUE": True, "NEWFALSE": False}[instruction.name])
            case ("BININT" | "BININT1" | "BININT2" | "INT" | "LONG" | "LONG1" | "LONG4" | "FLOAT" | "BINFLOAT"
                  | "UNICODE" | "BINUNICODE" | "SHORT_BINUNICODE" | "BINUNICODE8" | "STRING" | "BINSTRING"
                  | "SHORT_BINSTRING"):  # fmt: skip
                stack.append(argument)
            case "EMPTY_DICT" | "EMPTY_LIST" | "EMPTY_TUPLE":
                stack.append({"EMPTY_DICT": {}, "EMPTY_LIST": [], "EMPTY_TUPLE": ()}[instruction.name])
            case "TUPLE":
                stack.append(tuple(since_mark()))
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                count = int(instruction.name[-1])
                items = tuple(stack[-count:])
                del stack[-count:]
                stack.append(items)
            case "APPEND":
                item = stack.pop()
                stack[-1].append(item)
            case "APPENDS":
                items_of_list = since_mark()
                stack[-1].extend(items_of_list)
            case "SETITEM":
                item, key = stack.pop(), stack.pop()
                stack[-1][key] = item
            case "SETITEMS":
                pairs = since_mark()
                stack[-1].update(zip(pairs[::2], pairs[1::2], strict=True))
            case "BINPUT" | "LONG_BINPUT" | "PUT":
                memo[argument] = stack[-1]
            case "MEMOIZE":
                memo[len(memo)] = stack[-1]
            case "BINGET" | "LONG_BINGET" | "GET":
                stack.append(memo[argument])
            case "GLOBAL":
                stack.append(_Name(argument.replace(" ", ".")))
            case "STACK_GLOBAL":
                name, module = stack.pop(), stack.pop()
                stack.append(_Name(f"{module}.{name}"))
            case "BINPERSID":
                stack.append(_storage(stack.pop()))
            case "REDUCE":
                arguments, function = stack.pop(), stack.pop()
                stack.append(_described(function, arguments))
            case "BUILD":
                stack.pop()  # attributes of the dictionary, such as the versions of its modules
                if not isinstance(stack[-1], dict):
                    raise _Refused("attributes of something that is no dictionary")
            case "POP":
                stack.pop()
            case other:
                raise _Refused(f"instruction {other}")
    raise _Refused("no end")


def _storage(said: Any) -> _Storage:
    kind, name, key, _device, elements = said[:5]
    if kind != "storage" or not isinstance(name, _Name) or not isinstance(elements, int) or elements < 0:
        raise _Refused("a reference to something outside")
    dtype = DTYPES.get(name.text.removeprefix("torch."))
    if dtype is None:
        raise _Refused(f"tensors of {name.text}")
    return _Storage(str(key), dtype, elements)


def _described(function: Any, arguments: tuple[Any, ...]) -> Any:
    """Give what a call would, for the few that describe a state dict."""
    match function:
        case _Name("collections.OrderedDict"):
            return OrderedDict(*arguments)
        case _Name("torch._utils._rebuild_tensor_v2"):
            storage, offset, shape, stride = arguments[:4]
            if not isinstance(storage, _Storage):
                raise _Refused("a tensor without storage")
            return _View(storage, offset, tuple(shape), tuple(stride))
        case _Name("torch._utils._rebuild_parameter"):
            return arguments[0]
    raise _Refused(f"a call of {function.text if isinstance(function, _Name) else function!r}")
