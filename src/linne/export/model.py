"""A trained network to ``model.onnx``."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from linne.nets.to_onnx import to_onnx
from linne.records import fingerprint
from linne.records.pixel_spec import PixelSpec


def export_model(network: nn.Module, pixels: PixelSpec, path: Path) -> str:
    """Write a network as ONNX, images to logits, and give the hex digest of the file."""
    example = torch.zeros(1, pixels.channels, pixels.height, pixels.width)
    to_onnx(network.cpu().eval(), example, path, ["logits"])
    return fingerprint.of_bytes(path.read_bytes()).hex()
