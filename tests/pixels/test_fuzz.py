"""Many damaged files of every format: each gives a picture or an `ImageError`, soon and in little memory.

They are decoded in a process of their own, whose death by a signal is no death of the tests. To try one file, or
others than the tests do: ``PYTHONPATH=tests python tests/pixels/test_fuzz.py FIRST COUNT PROGRESS``.
"""

from __future__ import annotations

import ctypes
import faulthandler
import io
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
from mutated import KINDS, mutated, seeds
from PIL import Image

from linne.pixels.decode import FORMATS, MAX_PIXELS, decode
from linne.pixels.shrunk import Undecoded
from linne.records.errors import ImageError

T = TypeVar("T")

MIB = 1 << 20
ADDRESSES = 8192 * MIB
"""No file may take the machine down."""

HANGS = 120
"""After so many seconds of the processor a file is given up, with the process."""


def seconds_allowed(pixels: int) -> float:
    """One, of the processor; but a file may truly have as many pixels as it claims, and these take their time."""
    return 1 + pixels / 10e6


def memory_allowed(pixels: int) -> int:
    """Bytes, likewise: little, and what the pixels need in a few copies."""
    return 128 * MIB + 24 * pixels


KEPT = 128 * MIB
"""How much the process may grow in all."""

give_back = getattr(ctypes.CDLL(None), "malloc_trim", id)
"""What was freed, to the system; where there is no such function, the allocator does so by itself."""


def claimed_by(content: bytes) -> int:
    """How many pixels the header speaks of."""
    starts = [0, max(0, content.find(b"\x89PNG"))]  # an icon is decoded when it is opened: what it holds says it
    for start in starts:
        try:
            width, height = Image.open(io.BytesIO(content[start:]), formats=FORMATS).size
        except Exception:  # noqa: BLE001 - whatever it is, no pixels are spoken of
            continue
        return min(width * height, MAX_PIXELS)
    return 0


def tried(decoding: Callable[[], T]) -> T | None:
    try:
        return decoding()
    except ImageError:
        return None


def look_at(content: bytes, chance: random.Random) -> bool:
    """Decode a file in both ways; say whether it is a picture."""
    channels, shrink = chance.choice((1, 3)), chance.choice((1, 2, 4, 8))
    exact = tried(lambda: decode(content, channels, "some.file"))
    if exact is not None:
        assert exact.mode == {1: "L", 3: "RGB"}[channels]
        assert 0 < exact.width * exact.height <= MAX_PIXELS
        assert np.asarray(exact).size == exact.width * exact.height * channels
    found = tried(lambda: Undecoded(content, channels, "some.file"))
    pixels = None if found is None else tried(lambda: found.pixels(shrink))
    assert (exact is None) == (pixels is None), "one decodes it, the other does not"
    if exact is not None and found is not None and pixels is not None:
        assert (found.width, found.height) == exact.size
        assert pixels.shape == (-(-found.height // shrink), -(-found.width // shrink), channels)
        assert pixels.dtype == np.uint8
    return exact is not None


class Gauges:
    """How much of the processor and of memory files take."""

    def __init__(self) -> None:
        self.slowest, self.largest = (0.0, -1), (0.0, -1)
        self._start = self._level = self._peak()

    def look_at(self, content: bytes, number: int) -> bool:
        """Decode a file within what is allowed."""
        start = time.process_time()
        is_picture = look_at(content, random.Random(number))
        seconds, grown = time.process_time() - start, self._peak() - self._level
        if seconds > seconds_allowed(0) or grown > memory_allowed(0):
            pixels = claimed_by(content)
            assert seconds <= seconds_allowed(pixels), f"{seconds:.1f} s for {pixels} pixels"
            assert grown <= memory_allowed(pixels), f"{grown / MIB:.0f} MiB for {pixels} pixels"
        if grown > 16 * MIB:
            give_back(0)
            Path("/proc/self/clear_refs").write_text("5")  # forget the peak, to see the next
            self._level = self._peak()
            assert self._level - self._start < KEPT, "memory is lost"
        self.slowest, self.largest = max(self.slowest, (seconds, number)), max(self.largest, (grown / MIB, number))
        return is_picture

    def _peak(self) -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def decode_all(first: int, count: int, progress: Path) -> dict[str, Any]:
    """Decode so many files; the number of the one at hand stands in `progress`."""
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
    faulthandler.register(signal.SIGPROF, chain=True)
    counts = {kind: {"decoded": 0, "refused": 0} for kind in KINDS}
    with progress.open("wb", buffering=0) as file:
        for content in [content for kind in KINDS for content in seeds(kind)]:
            assert look_at(content, random.Random(0)), "a file that is whole"
        gauges = Gauges()
        for number in range(first, first + count):
            os.pwrite(file.fileno(), b"%12d" % number, 0)
            signal.setitimer(signal.ITIMER_PROF, HANGS)
            kind, content = mutated(number)
            counts[kind]["decoded" if gauges.look_at(content, number) else "refused"] += 1
    return {"counts": counts, "slowest, in seconds": gauges.slowest, "largest, in MiB": gauges.largest}


@pytest.mark.skipif(sys.platform != "linux", reason="no limit on memory elsewhere")
@pytest.mark.parametrize("count", [1_500, pytest.param(50_000, marks=pytest.mark.slow)])
def test_damaged_files_give_pictures_or_errors(count: int, tmp_path: Path) -> None:
    paths = [str(Path(__file__).parents[1]), *sys.path]
    command = [sys.executable, __file__, "0", str(count), str(tmp_path / "progress")]
    environment = {"PYTHONPATH": ":".join(paths), "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, env=environment, timeout=3600, check=False)
    what_it_said = done.stderr[-5000:].decode(errors="replace")
    assert done.returncode == 0, f"file {(tmp_path / 'progress').read_text()}: {done.returncode}\n{what_it_said}"
    counts = json.loads(done.stdout)["counts"]
    assert sum(sum(of_kind.values()) for of_kind in counts.values()) == count
    for kind, of_kind in counts.items():
        assert min(of_kind.values()) > count / len(KINDS) / 20, (kind, of_kind)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(decode_all(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))))
