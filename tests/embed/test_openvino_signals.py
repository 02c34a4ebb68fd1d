"""Is Ctrl-C still heard after OpenVINO has run?"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from linne.embed.backends import has_openvino

RAISED_AFTERWARDS = """
import gc, signal
from concurrent.futures import ThreadPoolExecutor
import numpy as np
from linne.embed.backbone import Features
from linne.embed.backends import Builder
from linne.embed.way import Way
from small_networks import gray_backbone

frozen = gray_backbone()
builder = Builder(Features(frozen.network), frozen.pixels)
held = [builder.build(Way("openvino", "float32", 2, 1))]
with ThreadPoolExecutor(1) as pool:
    side = frozen.pixels.height
    (features,) = pool.submit(held[0], np.zeros((2, 1, side, side), np.float32)).result()
    pool.submit(held.clear).result()  # let go of in another thread
gc.collect()
heard = []
signal.signal(signal.SIGINT, lambda number, frame: heard.append(number))
signal.raise_signal(signal.SIGINT)
assert heard == [signal.SIGINT]
"""


@pytest.mark.skipif(not has_openvino(), reason="OpenVINO is not installed")
def test_a_signal_is_no_segmentation_fault() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])}
    done = subprocess.run([sys.executable, "-c", RAISED_AFTERWARDS], env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
