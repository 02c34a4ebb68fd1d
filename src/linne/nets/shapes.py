"""Networks of shapes only: no memory and no time, to compare and to count."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from linne.nets.build import build
from linne.nets.catalogue import Entry


def on_meta(row: Entry, classes: int, in_channels: int) -> nn.Module:
    """Build the network of one row on the meta device, in evaluation mode."""
    with torch.device("meta"), _NothingDrawn():
        return build(row, classes, in_channels).eval()


class _NothingDrawn(TorchFunctionMode):
    """Leaves out random initialisation: on meta tensors it imports torch's compiler, for seconds."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Call `func`, unless it would initialise a tensor."""
        kwargs = kwargs or {}
        if func in (Tensor.normal_, Tensor.uniform_) or getattr(func, "__module__", "") == "torch.nn.init":
            return args[0] if args else kwargs["tensor"]
        return func(*args, **kwargs)
