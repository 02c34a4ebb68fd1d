"""Tensors out of a file, and into a safetensors file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from linne.nets.catalogue import entry
from linne.nets.shapes import on_meta
from linne.nets.weights.torch_file import read_torch_file
from linne.records.atomic import replacing
from linne.records.errors import LinneError, WeightsError
from linne.records.pixel_spec import PixelSpec

NETWORK = "linne.network"
PIXELS = "linne.pixels"
"""Keys in the file's metadata."""

REMEDY = "give a file of a network that `linne nets` lists, in linne's, torchvision's or timm's naming"


@dataclass(frozen=True, slots=True)
class Held:
    """What a file holds: tensors, and where linne wrote it, which network they are for and its preprocessing."""

    state: dict[str, Tensor]
    network: str | None = None
    pixels: PixelSpec | None = None


def read_tensors(path: Path) -> Held:
    """Read a state dict. Files of ``torch.save`` are read without unpickling them.

    Raises
    ------
    WeightsError
        The file is gone, damaged, or holds no dictionary of tensors.
    """
    if not path.is_file():
        raise WeightsError("no such weights file", file=path, remedy=REMEDY)
    try:
        with path.open("rb") as file:
            begins = file.read(9)
    except OSError as error:
        raise WeightsError("cannot be read", file=path, value=error.strerror, remedy=REMEDY) from error
    # By its first bytes, for `best.pth.tar` and `weights.th` are torch's too; safetensors have JSON after a number.
    pickled = begins.startswith((b"PK", b"\x80")) and begins[8:] != b"{"
    if pickled or path.suffix.lower() in (".pth", ".pt"):
        return Held(read_torch_file(path))
    try:
        with safe_open(path, "pt") as file:
            said = file.metadata() or {}
            pixels = PixelSpec.from_json(json.loads(said[PIXELS])) if PIXELS in said else None
            state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - no mapping
            return Held(state, said.get(NETWORK), pixels)
    except (SafetensorError, OSError, ValueError, TypeError, RecursionError, LinneError) as error:
        raise WeightsError("is no safetensors file, or damaged", file=path, value=error, remedy=REMEDY) from error


def write_weights(path: Path, network: nn.Module, name: str, pixels: PixelSpec) -> None:
    """Write a network's state in our naming, with its catalogue name and its preprocessing, atomically.

    `WeightsError` if the network is no longer what `name` builds, its branches folded, say: such a file fits nothing.
    """
    row = entry(name)
    built = on_meta(row, row.classes, pixels.channels).state_dict().keys() | {"classifier.weight", "classifier.bias"}
    stray = next((key for key in network.state_dict() if key not in built), None)
    if stray is not None:
        raise WeightsError(f"the network is not {name}", file=path, value=stray, remedy="write it before folding it")
    state = {key: value.detach().cpu().contiguous() for key, value in network.state_dict().items()}
    said = {NETWORK: name, PIXELS: json.dumps(pixels.to_json())}
    with replacing(path) as part:
        part.write_bytes(save(state, metadata=said))  # `save_file` raises no OSError
