"""fastai as its users run it: ``vision_learner`` and ``fine_tune``, in a process of its own, weights kept after epochs.

It starts from the given weights instead of torchvision's, which would be downloaded, and with their normalisation.
fastai 2.8 asks CUDA for bfloat16 even where it trains on a CPU; `Half` asks the CPU.

Usage: peer_fastai.py PHOTOS WEIGHTS OUT [--epochs 5] [--rate 3e-3] [--side 224] [--batch-views] [--half] [--compile]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

MEAN, DEVIATION = [0.5] * 3, [0.5] * 3
RESIZED = 256 / 224


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("photos", "weights", "out"):
        made.add_argument(name, type=Path)
    made.add_argument("--epochs", type=int, default=5, help="after one with all but the head frozen")
    made.add_argument("--rate", type=float, default=3e-3)
    made.add_argument("--side", type=int, default=224)
    made.add_argument("--batch", type=int, default=64)
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--batch-views", action="store_true", help="views are made of batches, by aug_transforms")
    made.add_argument("--half", action="store_true", help="bfloat16")
    made.add_argument("--compile", action="store_true")
    return made


def learner(given: argparse.Namespace) -> Any:
    """A `Learner` with the given weights below a fresh head."""
    from fastai.vision import all as fast
    from torchvision.models import mobilenet_v2

    class Half(fast.MixedPrecision):  # type: ignore[misc]
        def before_fit(self) -> None:
            super().before_fit()
            self.autocast = torch.autocast("cpu", torch.bfloat16)

    fast.set_seed(given.seed)
    normalise = fast.Normalize.from_stats(MEAN, DEVIATION, cuda=False)
    if given.batch_views:
        items: list[Any] = [fast.Resize(round(given.side * RESIZED))]
        batches = [*fast.aug_transforms(size=given.side, min_scale=0.35), normalise]
    else:
        crop = fast.RandomResizedCrop(given.side, min_scale=0.35, val_xtra=RESIZED - 1)
        items, batches = [crop, fast.FlipItem()], [normalise]
    loaders = fast.ImageDataLoaders.from_folder(
        given.photos, train="train", valid="validation", item_tfms=items, batch_tfms=batches,
        bs=given.batch, num_workers=2, device=torch.device("cpu"),
    )  # fmt: skip
    fast.model_meta[mobilenet_v2] = {
        "cut": -1,
        "split": fast.default_split,
    }  # it looks for a pooling layer; here is none
    made = fast.vision_learner(loaders, mobilenet_v2, pretrained=False, normalize=False, metrics=fast.accuracy)
    state = load_file(given.weights)
    body = {key.removeprefix("features."): value for key, value in state.items() if key.startswith("features.")}
    made.model[0][0].load_state_dict(body)
    made.add_cb(fast.ChannelsLast())
    if given.half:
        made.add_cb(Half(fast.AMPMode.BF16))
    return made


def trained(given: argparse.Namespace) -> None:
    from fastai.vision import all as fast

    kept = []

    class Kept(fast.Callback):  # type: ignore[misc]
        order = 70  # after what reckons the validation score, which is within an epoch's time

        def after_epoch(self) -> None:
            kept.append(given.out / f"epoch-{len(kept) + 1}.safetensors")
            save_file({key: value.contiguous() for key, value in self.model.state_dict().items()}, kept[-1])

    made = learner(given)
    if given.compile:
        made.model.compile()
    made.fine_tune(given.epochs, given.rate, cbs=Kept())


def judging(given: argparse.Namespace, paths: list[Path]) -> tuple[nn.Module, Iterable[Tensor]]:
    """The network without its trained weights, and what it is given of images as fastai would validate them."""
    made = learner(given)
    return made.model, (batch[0].as_subclass(Tensor) for batch in made.dls.test_dl(paths))


if __name__ == "__main__":
    trained(parser().parse_args())
