"""A real bundle, small enough to be made in milliseconds and without torch."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from linne.records import fingerprint
from linne.records.bundle import MODEL, Bundle, Parity
from linne.records.pixel_spec import PixelSpec

LABELS = ("ash", "birch", "1", "0", '<b>"élm"</b>')
SIDE = 8
SPEC = PixelSpec(SIDE, SIDE, 3, "stretch", SIDE, "bilinear", (0.5, 0.4, 0.3), (0.25, 0.2, 0.3))
TEMPERATURE = 1.7


@dataclass(frozen=True)
class Made:
    folder: Path
    weight: NDArray[np.float32]
    bias: NDArray[np.float32]


def make_bundle(folder: Path, spec: PixelSpec = SPEC, thresholds: tuple[float, ...] = ()) -> Made:
    """A linear classifier of 8 x 8 RGB images; a `spec` of another size makes the bundle inconsistent.

    With thresholds it is one of several labels an image.
    """
    rng = np.random.default_rng(7)
    weight = rng.normal(0, 0.15, (3 * SIDE * SIDE, len(LABELS))).astype(np.float32)
    bias = rng.normal(0, 0.5, len(LABELS)).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["images"], ["flat"], axis=1),
            helper.make_node("Gemm", ["flat", "weight", "bias"], ["logits"]),
        ],
        "linear",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", len(LABELS)])],
        [numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(bias, "bias")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    folder.mkdir(parents=True)
    onnx.save(model, folder / MODEL)
    digest = fingerprint.of_bytes((folder / MODEL).read_bytes()).hex()
    parity = Parity(4, 0.001, 0.0005, 1.0)
    task = "multi" if thresholds else "single"
    bundle = Bundle(LABELS, spec, TEMPERATURE, "linear", digest, parity, {"seed": 7}, "none", task, thresholds)
    bundle.write(folder)
    return Made(folder, weight, bias)


def picture(seed: int = 0, width: int = 30, height: int = 20) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (4, 5, 3), np.uint8)
    return Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC)


def encoded(image: Image.Image, fmt: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, fmt, **options)
    return buffer.getvalue()


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_bundle(tmp_path_factory.mktemp("bundles") / "linear")


@pytest.fixture
def fresh(tmp_path: Path) -> Callable[..., Made]:
    """Make bundles that a test may damage."""
    return lambda spec=SPEC: make_bundle(tmp_path / "bundle", spec)
