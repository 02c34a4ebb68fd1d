"""Tensors out of a file, and into a safetensors file."""

from __future__ import annotations

import json
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from linne.nets.weights.torch_file import read_torch_file
from linne.records.atomic import replacing
from linne.records.errors import LinneError, WeightsError
from linne.records.pixel_spec import PixelSpec

PIXELS = "linne.pixels"
"""Key of the preprocessing in the file's metadata."""

REMEDY = "give a file of a network that `linne nets` lists, in linne's, torchvision's or timm's naming"


def read_tensors(path: Path) -> tuple[dict[str, Tensor], PixelSpec | None]:
    """Read a state dict, and the preprocessing where the file says it: those that linne wrote do.

    Files of ``torch.save`` are read without unpickling them.

    Raises
    ------
    WeightsError
        The file is gone, damaged, or a pickle of anything but tensors.
    """
    if not path.is_file():
        raise WeightsError("no such weights file", file=path, remedy=REMEDY)
    if path.suffix.lower() in (".pth", ".pt", ".bin", ".pkl", ".ckpt"):
        return read_torch_file(path), None
    try:
        with safe_open(path, "pt") as file:
            said = (file.metadata() or {}).get(PIXELS)
            pixels = PixelSpec.from_json(json.loads(said)) if said else None
            return {key: file.get_tensor(key) for key in file.keys()}, pixels  # noqa: SIM118 - no mapping
    except (SafetensorError, OSError, ValueError, TypeError, RecursionError, LinneError) as error:
        raise WeightsError("is no safetensors file, or damaged", file=path, value=error, remedy=REMEDY) from error


def write_weights(path: Path, network: nn.Module, pixels: PixelSpec) -> None:
    """Write a network's state in our naming with its preprocessing, atomically."""
    state = {key: value.detach().cpu().contiguous() for key, value in network.state_dict().items()}
    with replacing(path) as part:
        part.write_bytes(save(state, metadata={PIXELS: json.dumps(pixels.to_json())}))  # `save_file` raises no OSError
