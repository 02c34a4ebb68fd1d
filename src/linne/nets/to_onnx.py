"""A network to ONNX, with a batch of any size."""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from linne.nets.blocks.branches import fold
from linne.records.atomic import replacing

INPUT = "images"
OPSET = 18


def to_onnx(module: nn.Module, example: Tensor, path: Path, outputs: Sequence[str]) -> None:
    """Write `module` as ONNX, atomically.

    Parameters
    ----------
    module : torch.nn.Module
        Gives one tensor an output name. It is left as it is: in a copy, branches that can be folded (FastViT's) are.
    example : (batch, channels, height, width) float32 Tensor
        The size of the input is fixed by it, the batch is not.
    path : Path
    outputs : sequence of str
        Names of the outputs.
    """
    module = copy.deepcopy(module).eval()
    fold(module)
    axes = {name: {0: "batch"} for name in (INPUT, *outputs)}
    with replacing(path) as part, warnings.catch_warnings(), torch.inference_mode():
        # The graph-capturing exporter takes 12 s for MobileNetV2 where this one takes 1 s, out of a budget that
        # may be 60 s; both give the same graph to ONNX Runtime. Its deprecation is all that it warns of here.
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        torch.onnx.export(
            module,
            (example,),
            str(part),
            input_names=[INPUT],
            output_names=list(outputs),
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )
