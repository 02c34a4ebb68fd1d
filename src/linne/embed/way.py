"""A way to run a network over many images: by what, in which precision, how many at a time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, cast, get_args

BackendName = Literal["eager", "onnx", "openvino", "compiled"]
Precision = Literal["float32", "bfloat16"]


@dataclass(frozen=True, slots=True)
class Way:
    """A backend and its settings.

    Attributes
    ----------
    backend : {'eager', 'onnx', 'openvino', 'compiled'}
    precision : {'float32', 'bfloat16'}
        Of products; what comes out is float32.
    batch : int
        Images a batch, the last one padded: graphs keep their shape, and an image's result does not depend on how many
        came with it.
    callers : int
        Threads that run a batch each at the same time. One uses all cores; as many as there are cores use one each, and
        never wait for each other.
    """

    backend: BackendName
    precision: Precision
    batch: int
    callers: int

    @property
    def name(self) -> str:
        """As in ``onnx float32 8x2``: batches of 8, two at a time."""
        return f"{self.backend} {self.precision} {self.batch}x{self.callers}"

    @classmethod
    def of(cls, name: str) -> Way:
        """Read a name; `ValueError` for another text."""
        match = re.fullmatch(r"([a-z]+) ([a-z]+[0-9]+) ([1-9][0-9]{0,3})x([1-9][0-9]{0,3})", name)
        if match is None or match[1] not in get_args(BackendName) or match[2] not in get_args(Precision):
            raise ValueError(name)
        return cls(cast(BackendName, match[1]), cast(Precision, match[2]), int(match[3]), int(match[4]))
