"""The gate: does the exported model say what its network says, on real images?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from linne.records.bundle import Parity
from linne.records.errors import ParityError

MAX_PROBABILITY_ERROR = 1e-4
"""Float32 in another order of summation stays below this by a factor of ten and more."""

TIE = 1e-3
"""Two classes closer than this in probability may swap places without being a disagreement."""


def check_parity(
    network: nn.Module,
    inputs: NDArray[np.float32],
    exported: NDArray[np.float32],
    temperature: float,
    model: Path,
    thresholds: NDArray[np.float64] | None = None,
) -> Parity:
    """Compare the exported model's logits with the network's.

    Parameters
    ----------
    network : torch.nn.Module
        In evaluation mode.
    inputs : (n, channels, height, width) float32 array
        Prepared validation images.
    exported : (n, classes) float32 array
        What the exported model gave for them.
    temperature : float
        Logits are divided by it: the probabilities that are served are compared.
    model : Path
        To name in the error.
    thresholds : (classes,) array, optional
        Of several labels an image: their probabilities are those of the logistic function.

    Raises
    ------
    ParityError
        A probability differs by more than 1e-4, or the top class, or a label, by more than a tie.
    """
    with torch.inference_mode():
        expected = network(torch.from_numpy(inputs)).numpy()
    scaled = [torch.from_numpy(a).double() / temperature for a in (expected, exported)]
    if thresholds is None:
        ours, theirs = (a.softmax(dim=1).numpy() for a in scaled)
        top = np.sort(ours, axis=1)
        clear = top[:, -1] - top[:, -2] > TIE
        agree = ours.argmax(axis=1) == theirs.argmax(axis=1)
    else:
        ours, theirs = (a.sigmoid().numpy() for a in scaled)
        clear = (np.abs(ours - thresholds) > TIE).all(axis=1)
        agree = ((ours >= thresholds) == (theirs >= thresholds)).all(axis=1)
    parity = Parity(
        images=len(inputs),
        largest_logit_error=float(np.abs(expected - exported).max()),
        largest_probability_error=float(np.abs(ours - theirs).max()),
        top1_agreement=float(agree.mean()),
    )
    if not parity.largest_probability_error <= MAX_PROBABILITY_ERROR or not agree[clear].all():
        raise ParityError(
            "the exported model disagrees with its network",
            file=model,
            value=f"largest probability error {parity.largest_probability_error:.2g} on {parity.images} images, "
            f"top-1 agreement {parity.top1_agreement:.4f}",
            remedy="nothing was shipped; report it with the versions in run.json",
        )
    return parity
