"""Run the benchmarks that need nothing but this checkout, and those on real photos where these are at hand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
SHARED = HERE.parent.parent / "shared"
PHOTOS, WEIGHTS = SHARED / "data" / "clothing", SHARED / "weights" / "mobilenet_v2_imagenet.safetensors"


def run(script: str, *arguments: object) -> None:
    print(f"\n== {script} {' '.join(map(str, arguments))}", flush=True)
    subprocess.run([sys.executable, str(HERE / script), *map(str, arguments)], check=True)


def main() -> None:
    run("start.py")
    run("near_duplicates.py")
    run("blocks.py")
    run("large_photos.py")
    run("networks.py")
    if PHOTOS.is_dir() and WEIGHTS.is_file():
        run("road.py", PHOTOS, WEIGHTS)
        run("one_pass.py", PHOTOS / "train")
        run("batches.py", PHOTOS / "train")
        run("tails.py", PHOTOS, WEIGHTS)


if __name__ == "__main__":
    main()
