"""How each peer is started, and what of it is kept and judged afterwards; see `peers.py`.

A recipe is a list of parts joined by ``+``, in any order: each is a flag or some, as a person would try them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
JUDGED_AT = {"160": 192, "128": 160}
"""Networks are best at more pixels than they were trained at (Touvron et al., NeurIPS 2019)."""

TIMM = (
    *("--model", "mobilenetv2_100", "--pretrained", "--device", "cpu", "--channels-last", "--workers", "2"),
    *("--mean", "0.5", "0.5", "0.5", "--std", "0.5", "0.5", "0.5", "--batch-size", "32", "--scale", "0.35", "1"),
    *("--opt", "adamw", "--weight-decay", "0.05", "--lr", "1e-3", "--smoothing", "0.1"),
    *("--sched", "cosine", "--sched-on-updates", "--checkpoint-hist", "1000", "--log-interval", "20"),
)
TIMM_PARTS = {
    "plain": (),
    "half": ("--amp", "--amp-dtype", "bfloat16"),
    "compile": ("--torchcompile",),
    "160": ("--img-size", "192", "--train-img-sizes", "160"),
    "128": ("--img-size", "160", "--train-img-sizes", "128"),
    "ema": ("--model-ema", "--model-ema-decay", "0.99", "--model-ema-warmup"),
    "low": ("--lr", "3e-4"),
    "high": ("--lr", "2e-3"),
    "sgd": ("--opt", "sgd", "--lr", "0.02", "--weight-decay", "1e-4"),
    "head": ("--head-init-scale", "0.01"),
    "decay": ("--layer-decay", "0.75"),
    "frozen": ("--layer-decay", "0.6", "--layer-decay-no-opt-scale", "0.1"),
    "mixup": ("--mixup", "0.2"),
    "cutmix": ("--cutmix", "1.0", "--mixup-prob", "0.5"),
    "norms": ("--bn-momentum", "0.01"),
    "no-warm-up": ("--warmup-epochs", "0"),
    "whole": ("--crop-pct", "1.0"),
}
FASTAI_PARTS = {
    "plain": (),
    "half": ("--half",),
    "compile": ("--compile",),
    "160": ("--side", "160"),
    "128": ("--side", "128"),
    "batch-views": ("--batch-views",),
    "low": ("--rate", "1e-3"),
    "high": ("--rate", "1e-2"),
    "small-batch": ("--batch", "32"),
}
PARTS = {"timm": TIMM_PARTS, "fastai": FASTAI_PARTS}


class PeerError(Exception):
    """A process that should have trained did not."""


Keeper = Callable[[Path], Any]


@dataclass(frozen=True)
class Asked:
    """Where things are: photos in subset folders of class folders, ImageNet weights, timm's train.py or None."""

    photos: Path
    weights: Path
    timm_train: Path | None


@dataclass(frozen=True)
class Kept:
    """Weights after an epoch, and seconds from the start of the process until they were on the disk."""

    file: Path
    seconds: float


def flags(peer: str, recipe: str) -> list[str]:
    return [flag for part in recipe.split("+") for flag in PARTS[peer][part]]


def side(recipe: str) -> int:
    """Pixels at which validation and test images are judged."""
    return next((JUDGED_AT[part] for part in recipe.split("+") if part in JUDGED_AT), 224)


def ran(peer: str, recipe: str, epochs: int, seed: int, asked: Asked, folder: Path) -> list[Kept]:
    """Train in a process of its own, with nothing compiled before."""
    command = (timm_command if peer == "timm" else fastai_command)(recipe, epochs, seed, asked, folder)
    start = time.time()
    _quiet(command, folder)
    pattern = "checkpoint-*.pth.tar" if peer == "timm" else "epoch-*.safetensors"
    files = sorted((folder / "out").glob(pattern), key=lambda file: int(file.name.partition(".")[0].split("-")[1]))
    return [Kept(file, round(file.stat().st_mtime - start, 2)) for file in files]


def timm_command(recipe: str, epochs: int, seed: int, asked: Asked, folder: Path) -> list[str]:
    if asked.timm_train is None:
        raise SystemExit("--timm-train: the path of timm's train.py is needed")
    held = sum(1 for _ in (asked.photos / "validation").glob("*/*"))
    classes = sum(1 for _ in (asked.photos / "train").iterdir())
    # Batches of one size: a last one that is smaller would be compiled for once more.
    judged = next((size for size in range(64, 15, -1) if held % size == 0), 64)
    return [
        *(sys.executable, str(asked.timm_train), "--data-dir", str(asked.photos), *TIMM),
        *("--warmup-epochs", str(int(epochs > 2)), *flags("timm", recipe)),
        *("--num-classes", str(classes), "--pretrained-path", str(_for_timm(asked.weights, folder))),
        *("--validation-batch-size", str(judged), "--epochs", str(epochs)),
        *("--seed", str(seed), "--output", str(folder), "--experiment", "out"),
    ]


def fastai_command(recipe: str, epochs: int, seed: int, asked: Asked, folder: Path) -> list[str]:
    (folder / "out").mkdir()
    where = map(str, (HERE / "peer_fastai.py", asked.photos, asked.weights, folder / "out"))
    return [sys.executable, *where, *flags("fastai", recipe), "--epochs", str(epochs), "--seed", str(seed)]


def judge(peer: str, recipe: str, asked: Asked, paths: list[Path]) -> tuple[Any, Keeper, Iterable[Any]]:
    """A network, what gives it the weights of a file, and batches of these images as the peer validates them."""
    if peer == "timm":
        return _timm_judge(recipe, asked, paths)
    from peer_fastai import judging, parser
    from safetensors.torch import load_file

    options = [*flags(peer, recipe), "--side", str(side(recipe))]  # the last one counts
    given = parser().parse_args([str(asked.photos), str(asked.weights), ".", *options])
    network, batches = judging(given, paths)
    return network, lambda file: network.load_state_dict(load_file(file)), batches


def fitted(budget: int, seed: int, asked: Asked, folder: Path, unsealed: bool) -> list[dict[str, Any]]:
    """Run `linne fit` with an empty store: its one result, at its end; none where the budget is too short for it."""
    fit = ("fit", asked.photos, "--weights", asked.weights, "--budget", f"{budget}s", "--seed", seed)
    start = time.perf_counter()
    said = linne(*fit, "--cache", folder / "store", "--out", folder / "runs", folder=folder)
    seconds = round(time.perf_counter() - start, 2)
    if "error" in said:
        if said["error"]["problem"] == "the budget is too short":
            return []
        raise PeerError(f"linne fit: {said['error']}")
    validation = said["validation"]["measures"]["accuracy"]["value"]
    test = _opened(said["run"], folder) if unsealed else None
    return [{"seconds": seconds, "validation": validation, "test": test}]


def linne(*arguments: object, folder: Path) -> dict[str, Any]:
    """What a command says, its error included."""
    command = [sys.executable, "-m", "linne", *map(str, arguments), "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if not done.stdout.startswith("{"):
        raise PeerError(f"{' '.join(command)}\n{done.stderr[-3000:]}")
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def _opened(run: str, folder: Path) -> str:
    import pyarrow.parquet as pq

    linne("evaluate", run, folder=folder)
    rows = pq.read_table(folder / run / "predictions.parquet").to_pylist()
    return "".join(str(int(row["label"] == row["predicted"])) for row in sorted(rows, key=lambda row: row["path"]))


def _quiet(command: list[str], folder: Path) -> None:
    environment = {**os.environ, "TORCHINDUCTOR_CACHE_DIR": str(folder / "compiled")}
    with tempfile.TemporaryFile("w+") as log:
        done = subprocess.run(command, cwd=folder, env=environment, stdout=log, stderr=log)
        if done.returncode:
            log.seek(0)
            raise PeerError(f"{' '.join(command)}\n{log.read()[-3000:]}")


def _for_timm(weights: Path, folder: Path) -> Path:
    """Torchvision's names of the weights to timm's, by way of ours."""
    import timm
    from safetensors.torch import load_file, save_file

    from linne.nets.translate.rules import translate

    ours, _ = translate(load_file(weights), "mobilenet_v2", "torchvision")
    theirs = timm.create_model("mobilenetv2_100").state_dict()
    names = {key: next(iter(translate({key: value}, "mobilenet_v2", "timm")[0])) for key, value in theirs.items()}
    file = folder / "weights.safetensors"
    save_file({key: ours[name].reshape(theirs[key].shape).contiguous() for key, name in names.items()}, file)
    return file


def _timm_judge(recipe: str, asked: Asked, paths: list[Path]) -> tuple[Any, Keeper, Iterable[Any]]:
    import timm
    import torch
    from PIL import Image
    from timm.data import create_transform
    from timm.models import load_checkpoint

    shown = 1.0 if "whole" in recipe.split("+") else 0.875
    size, half = (3, side(recipe), side(recipe)), (0.5, 0.5, 0.5)
    view = create_transform(size, mean=half, std=half, crop_pct=shown, interpolation="bicubic")
    classes = sum(1 for _ in (asked.photos / "train").iterdir())
    network = timm.create_model("mobilenetv2_100", num_classes=classes)
    batches = (
        torch.stack([view(Image.open(path).convert("RGB")) for path in paths[i : i + 64]])
        for i in range(0, len(paths), 64)
    )
    return network, lambda file: load_checkpoint(network, str(file), use_ema="ema" in recipe.split("+")), batches
