"""The whole road on real handwritten digits, with faults planted to see whether they are found.

Writes scikit-learn's 1,797 scans as image files, spoils some on purpose (wrong labels, copies, broken files), then
walks the road as a user would: audit, fit, evaluate, and a prediction over HTTP.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

OUT = Path(__file__).parent / "out"
PHOTOS = OUT / "digits"
CACHE = OUT / "cache"
LINNE = (sys.executable, "-m", "linne")

WRONG_LABELS = 0.03
COPIES = 20
BROKEN = 3
SIDE = 32


@dataclass(frozen=True)
class Planted:
    """What was done to the data, by path below `PHOTOS`."""

    wrong: frozenset[str]
    copies: frozenset[frozenset[str]]
    broken: frozenset[str]
    truth: dict[str, int]


def plant(seed: int = 0) -> Planted:
    """Write the digits as files and spoil some of them."""
    rng = np.random.default_rng(seed)
    digits = load_digits()
    labels = digits.target.copy()
    wrong = rng.choice(len(labels), round(WRONG_LABELS * len(labels)), replace=False)
    labels[wrong] = (labels[wrong] + rng.integers(1, 10, len(wrong))) % 10

    paths, truth = [], {}
    for number, (scan, label) in enumerate(zip(digits.images, labels, strict=True)):
        path = PHOTOS / str(label) / f"{number:04d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture(scan).save(path)
        paths.append(path)
        truth[name(path)] = int(digits.target[number])

    right = np.setdiff1d(np.arange(len(labels)), wrong)
    copies = set()
    for i, number in enumerate(rng.choice(right, COPIES, replace=False)):
        original = paths[number]
        if i % 2:
            copy = original.with_name(f"{original.stem}_copy.png")
            shutil.copyfile(original, copy)
        else:  # recompressed, and brighter by a tenth
            copy = original.with_name(f"{original.stem}_again.jpg")
            Image.open(original).point(lambda value: min(round(value * 1.1), 255)).save(copy, quality=70)
        copies.add(frozenset({name(original), name(copy)}))
        truth[name(copy)] = truth[name(original)]

    broken = [PHOTOS / str(digit) / "broken.png" for digit in range(BROKEN)]
    broken[0].write_bytes(paths[0].read_bytes()[:60])
    broken[1].write_text("<!doctype html><title>404</title>")
    broken[2].write_bytes(b"")
    return Planted(frozenset(name(paths[i]) for i in wrong), frozenset(copies), frozenset(map(name, broken)), truth)


def picture(scan: np.ndarray) -> Image.Image:
    """An 8 x 8 scan of 17 gray levels as a 32 x 32 image, dark on light as on paper."""
    gray = np.rint(255 - scan * (255 / 16)).astype(np.uint8)
    return Image.fromarray(gray).resize((SIDE, SIDE), Image.Resampling.BICUBIC)


def name(path: Path) -> str:
    """A path as the findings give it."""
    return path.relative_to(PHOTOS).as_posix()


def linne(*arguments: str) -> dict[str, object]:
    """Run a command as a user would, and read what it says."""
    shown = " ".join(arguments).replace(str(OUT), "demo/out")
    print(f"\n$ linne {shown}", flush=True)
    done = subprocess.run([*LINNE, *arguments, "--json"], check=False, stdout=subprocess.PIPE)
    if done.returncode != 0:
        sys.exit(done.returncode)
    value: dict[str, object] = json.loads(done.stdout)
    return value


def told(found: int, planted: int, what: str, least: float) -> bool:
    """Print a share and whether it suffices."""
    good = found >= least * planted
    print(f"  {what:<22}{found:>3} of {planted} found{'' if good else f'   FEWER THAN {least:.0%}'}")
    return good


def check_audit(planted: Planted) -> bool:
    """Audit, and compare with what was planted."""
    rows = linne("audit", str(PHOTOS), "--cache", str(CACHE), "--out", str(OUT / "audit"))["findings"]
    doubted = {row["path"] for row in rows if row["check"] == "label doubt"}
    pairs = {frozenset({row["path"], row["other"]}) for row in rows if "duplicate" in row["check"]}
    unreadable = {row["path"] for row in rows if row["check"] == "unreadable"}
    print(f"  {len(rows)} findings; of the planted faults:")
    good = [
        told(len(planted.wrong & doubted), len(planted.wrong), "wrong labels", 0.85),
        told(len(planted.copies & pairs), len(planted.copies), "copies", 1),
        told(len(planted.broken & unreadable), len(planted.broken), "unreadable files", 1),
    ]
    extra = len(doubted - planted.wrong), len(pairs - planted.copies)
    print(f"  besides: {extra[0]} other labels doubted, {extra[1]} other copies")
    return all(good)


def true_accuracy(run: Path, truth: dict[str, int]) -> tuple[float, int]:
    """Accuracy on the test images against the true labels, planted faults undone."""
    import pyarrow.parquet as pq

    rows = pq.read_table(run / "predictions.parquet").to_pylist()
    right = [int(row["predicted"]) == truth[row["path"]] for row in rows]
    return float(np.mean(right)), len(right)


def serve_and_ask(bundle: Path, image: Path) -> dict[str, object]:
    """Start the server, send it one image as any client would, and stop it."""
    print(f"\n$ linne serve demo/out/{bundle.relative_to(OUT)} &", flush=True)
    server = subprocess.Popen([*LINNE, "serve", str(bundle), "--port", "0"], stdout=subprocess.PIPE, text=True)
    try:
        url = next(word for word in server.stdout.readline().split() if word.startswith("http"))
        print(f"$ curl --data-binary @{image.relative_to(OUT)} {url}/predict")
        request = urllib.request.Request(f"{url.rstrip('/')}/predict", image.read_bytes(), method="POST")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)
    finally:
        server.terminate()
        server.wait()


def main() -> None:
    """Walk the road; exit with 1 where it leads elsewhere than promised."""
    started = time.monotonic()
    if OUT.exists():
        shutil.rmtree(OUT)
    planted = plant()
    print(f"{len(planted.truth)} images of handwritten digits in demo/out/digits, faults planted")
    good = check_audit(planted)

    fitted = linne("fit", str(PHOTOS), "--budget", "60s", "--cache", str(CACHE), "--out", str(OUT / "runs"))
    run = Path(str(fitted["run"]))
    linne("evaluate", str(run))
    accuracy, images = true_accuracy(run, planted.truth)
    good &= accuracy >= 0.97
    print(f"  {fitted['plan']['network']}: {accuracy:.4f} of {images} test images right, by their true labels")

    image = next(path for path in sorted((PHOTOS / "7").glob("*.png")) if planted.truth[name(path)] == 7)
    answer = serve_and_ask(run / "bundle", image)
    good &= answer["label"] == "7"
    print(f"  a 7 is answered with {answer['label']}, probability {answer['probability']:.3f}")
    print(f"\nreport: demo/out/runs/{run.name}/report.html   ({time.monotonic() - started:.0f} s)")
    sys.exit(not good)


if __name__ == "__main__":
    main()
