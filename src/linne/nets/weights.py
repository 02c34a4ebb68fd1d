"""Weights from a local file: found out whose they are, every key used, every shape checked."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from linne.nets.catalogue import CATALOGUE, Entry
from linne.nets.translate import torchvision
from linne.records.atomic import replacing
from linne.records.errors import LinneError, WeightsError
from linne.records.pixel_spec import PixelSpec

PIXELS = "linne.pixels"
"""Key of the preprocessing in the file's metadata."""

REMEDY = "give a safetensors file of a network that `linne nets` lists, in linne's or torchvision's naming"


@dataclass(frozen=True, slots=True)
class Weights:
    """A state dict in our naming.

    Attributes
    ----------
    network : str
        Catalogue name that it fits.
    classes : int
    in_channels : int
    naming : str
        'linne' or 'torchvision': whose names the file used.
    state : dict of str to Tensor
    pixels : PixelSpec or None
        The preprocessing, where the file says it: those that linne wrote do.
    """

    network: str
    classes: int
    in_channels: int
    naming: str
    state: dict[str, Tensor]
    pixels: PixelSpec | None


def read_weights(path: Path, network: str | None = None) -> Weights:
    """Read a safetensors file and find out which network it is for.

    Parameters
    ----------
    path : Path
    network : str, optional
        The catalogue name that is wanted.

    Raises
    ------
    WeightsError
        The file is gone, a pickle, damaged, of no known network, or of another one than `network`; a weight is no
        number, or the preprocessing that it names is for other channels.
    """
    state, pixels = _read(path)
    for name, entry in CATALOGUE.items():
        for naming, ours in (("linne", state), ("torchvision", _translated(state, entry.family))):
            if ours is not None and (found := _fits(name, entry, ours, naming, pixels)):
                if network not in (None, name):
                    raise WeightsError(f"is for {name}, not for {network}", file=path, remedy=f"use --network {name}")
                _check(found, path)
                return found
    raise WeightsError("fits no network in the catalogue", file=path, value=f"{len(state)} tensors", remedy=REMEDY)


def write_weights(path: Path, network: nn.Module, pixels: PixelSpec) -> None:
    """Write a network's state in our naming with its preprocessing, atomically."""
    state = {key: value.detach().cpu().contiguous() for key, value in network.state_dict().items()}
    with replacing(path) as part:
        part.write_bytes(save(state, metadata={PIXELS: json.dumps(pixels.to_json())}))  # `save_file` raises no OSError


def _read(path: Path) -> tuple[dict[str, Tensor], PixelSpec | None]:
    if not path.is_file():
        raise WeightsError("no such weights file", file=path, remedy=REMEDY)
    if path.suffix.lower() in (".pth", ".pt", ".bin", ".pkl", ".ckpt"):
        raise WeightsError(
            "is a pickle, which can run any code when it is loaded", file=path, remedy="convert it to safetensors"
        )
    try:
        with safe_open(path, "pt") as file:
            said = (file.metadata() or {}).get(PIXELS)
            pixels = PixelSpec.from_json(json.loads(said)) if said else None
            return {key: file.get_tensor(key) for key in file.keys()}, pixels  # noqa: SIM118 - no mapping
    except (SafetensorError, OSError, ValueError, TypeError, RecursionError, LinneError) as error:
        raise WeightsError("is no safetensors file, or damaged", file=path, value=error, remedy=REMEDY) from error


def _translated(state: dict[str, Tensor], family: str) -> dict[str, Tensor] | None:
    ours = {torchvision.translate(key, family): value for key, value in state.items()}
    return None if None in ours or len(ours) != len(state) else {str(key): value for key, value in ours.items()}


def _fits(name: str, entry: Entry, state: dict[str, Tensor], naming: str, pixels: PixelSpec | None) -> Weights | None:
    """Check every key and shape against the network."""
    from linne.nets.build import build

    head = state.get("classifier.weight")
    # An empty tensor takes no bytes, and so its other sides may claim any size.
    if head is None or head.ndim != 2 or any(value.numel() == 0 for value in state.values()):
        return None
    in_channels = _in_channels(state)
    with torch.device("meta"), _NothingDrawn():  # shapes only: no memory, no time
        wanted = build(entry, classes=head.shape[0], in_channels=in_channels).state_dict()
    if wanted.keys() != state.keys() or any(wanted[key].shape != state[key].shape for key in wanted):
        return None
    return Weights(name, head.shape[0], in_channels, naming, state, pixels)


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


def _check(found: Weights, path: Path) -> None:
    """Refuse what fits a network and still cannot be right."""
    broken = next((key for key, value in found.state.items() if not torch.isfinite(value).all()), None)
    if broken is not None:
        raise WeightsError("holds a weight that is no number", file=path, value=broken, remedy="get the file again")
    if found.pixels is not None and found.pixels.channels != found.in_channels:
        raise WeightsError(
            f"reads {found.in_channels} channels, and its preprocessing gives {found.pixels.channels}",
            file=path,
            remedy="write it again with the preprocessing that it was trained with",
        )


def _in_channels(state: dict[str, Tensor]) -> int:
    """Channels that the first convolution reads."""
    for key in ("stem.conv.weight", "c1.weight"):
        if key in state and state[key].ndim == 4:
            return int(state[key].shape[1])
    return 3
