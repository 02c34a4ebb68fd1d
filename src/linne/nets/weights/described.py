"""What the pickle in a file of ``torch.save`` describes, without unpickling it.

A pickle is a program that can call any function. It is not run here: `pickletools` parses it into instructions, and
only those that describe dictionaries, lists, text, numbers and tensors are understood. No name in it is looked up or
imported; everything else is refused.
"""

from __future__ import annotations

import pickletools
from collections import OrderedDict
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


_MARK = object()


def interpret(file: BinaryIO) -> Any:
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
                    raise Refused("attributes of something that is no dictionary")
            case "POP":
                stack.pop()
            case other:
                raise Refused(f"instruction {other}")
    raise Refused("no end")


def storages_in(value: Any) -> list[Storage]:
    """Give the storages of all tensors in a value, and in the dictionaries in it."""
    if isinstance(value, dict):
        return [storage for item in value.values() for storage in storages_in(item)]
    return [value.storage] if isinstance(value, View) else []


def _storage(said: Any) -> Storage:
    kind, name, key, _device, elements = said[:5]
    if kind != "storage" or not isinstance(name, _Name) or not isinstance(elements, int) or elements < 0:
        raise Refused("a reference to something outside")
    dtype = DTYPES.get(name.text.removeprefix("torch."))
    if dtype is None:
        raise Refused(f"tensors of {name.text}")
    return Storage(str(key), dtype, elements)


def _described(function: Any, arguments: tuple[Any, ...]) -> Any:
    """Give what a call would, for the few that describe a state dict."""
    match function:
        case _Name("collections.OrderedDict"):
            return OrderedDict(*arguments)
        case _Name("torch._utils._rebuild_tensor_v2"):
            storage, offset, shape, stride = arguments[:4]
            if not isinstance(storage, Storage):
                raise Refused("a tensor without storage")
            return View(storage, offset, tuple(shape), tuple(stride))
        case _Name("torch._utils._rebuild_parameter"):
            return arguments[0]
    raise Refused(f"a call of {function.text if isinstance(function, _Name) else function!r}")
