"""What the pickle in a file of ``torch.save`` describes, without unpickling it.

A pickle is a program that can call any function. It is not run here: `pickletools` parses it into instructions, and
only those that describe dictionaries, lists, text, numbers and tensors are understood. No name in it is looked up or
imported: an object of any other class, such as the options of a training script, is `Unknown`, and stays so.
"""

from __future__ import annotations

import pickletools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, BinaryIO

import torch

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


class Refused(Exception):  # noqa: N818 - it never leaves the reading of a file
    """The file says something that is no state dict."""


@dataclass(frozen=True)
class _Name:
    """A function or class that the file names; it is only compared, never looked up."""

    text: str


@dataclass(frozen=True)
class Storage:
    """The numbers of one or more tensors, one behind the other."""

    key: str
    dtype: torch.dtype
    elements: int


@dataclass(frozen=True)
class View:
    """A tensor: where in which storage."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


@dataclass(frozen=True)
class Unknown:
    """What a call of something else would give. The call is not made, and what is put into its result is dropped."""

    maker: str

    def update(self, items: Any) -> None:
        """Take items as a dictionary does."""

    def append(self, item: Any) -> None:
        """Take an item as a list does."""

    def extend(self, items: Any) -> None:
        """Take items as a list does."""


LARGEST_PICKLE = 16 * 2**20
"""Bytes of instructions, without the tensors: more are no state dict."""

KEYS = (str, int, float, bool, type(None))
"""What a dictionary may have as keys. Others are left out: a nested one takes longer to hash than anybody waits."""


def interpret(file: BinaryIO) -> tuple[Any, dict[str, Storage]]:
    """Follow the instructions of one pickle; nothing that they name is called.

    Returns
    -------
    object
        What it describes.
    dict of str to Storage
        The storages of all tensors in it, `Unknown` objects' too, by their keys.
    """
    stack: list[Any] = []
    marks: list[int] = []
    storages: dict[str, Storage] = {}
    memo: dict[int, Any] = {}

    def since_mark() -> list[Any]:
        at = marks.pop()
        items = stack[at:]
        del stack[at:]
        return items

    argument: Any
    for instruction, argument, place in pickletools.genops(file):
        if (place or 0) > LARGEST_PICKLE:
            raise Refused("too long")
        match instruction.name:
            case "PROTO" | "FRAME":
                pass
            case "STOP":
                return stack.pop(), storages
            case "MARK":
                marks.append(len(stack))
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
                stack[-1].update(_with_plain_keys([(key, item)]))
            case "SETITEMS":
                pairs = since_mark()
                stack[-1].update(_with_plain_keys(zip(pairs[::2], pairs[1::2], strict=True)))
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
                if not isinstance(module, str) or not isinstance(name, str):
                    raise Refused("a name that is no text")
                stack.append(_Name(f"{module}.{name}"))
            case "BINPERSID":
                storage = _storage(stack.pop())
                storages[storage.key] = storage
                stack.append(storage)
            case "REDUCE" | "NEWOBJ":
                arguments, function = stack.pop(), stack.pop()
                stack.append(_described(function, arguments))
            case "BUILD":
                stack.pop()  # attributes, such as the versions of a state dict's modules
                if not isinstance(stack[-1], dict | Unknown):
                    raise Refused("attributes of something that has none")
            case "POP":
                stack.pop()
            case other:
                raise Refused(f"instruction {other}")
    raise Refused("no end")


def _storage(said: Any) -> Storage:
    kind, name, key, _device, elements = said[:5]
    if kind != "storage" or not isinstance(name, _Name) or not isinstance(elements, int) or elements < 0:
        raise Refused("a reference to something outside")
    if not isinstance(key, str | int):
        raise Refused("a storage without a name")
    dtype = DTYPES.get(name.text.removeprefix("torch."))
    if dtype is None:
        raise Refused(f"tensors of {name.text}")
    return Storage(str(key), dtype, elements)


def _described(function: Any, arguments: tuple[Any, ...]) -> Any:
    """Give what a call would, for the few that describe a state dict."""
    match function:
        case _Name("collections.OrderedDict"):
            return _with_plain_keys(*arguments)
        case _Name("torch._utils._rebuild_tensor_v2"):
            storage, offset, shape, stride = arguments[:4]
            if not isinstance(storage, Storage):
                raise Refused("a tensor without storage")
            return View(storage, offset, tuple(shape), tuple(stride))
        case _Name("torch._utils._rebuild_parameter"):
            return arguments[0]
        case _Name(text):
            return Unknown(text)
    raise Refused("a call of something without a name")


def _with_plain_keys(pairs: Iterable[tuple[Any, Any]] = ()) -> dict[Any, Any]:
    return {key: item for key, item in pairs if isinstance(key, KEYS)}
