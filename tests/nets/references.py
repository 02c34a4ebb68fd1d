"""The same networks as torchvision and timm build them, with random weights as if they had been trained."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import timm
import torch
import torch.nn.functional as F
import torchvision
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from linne.nets.build import build
from linne.nets.catalogue import CATALOGUE, entry
from linne.nets.translate.rules import translate

SLOW = 9_000_000
"""Parameters above which only `make test-all` compares gradients."""

ARGUMENTS: dict[tuple[str, str], dict[str, Any]] = {
    ("torchvision", "mobilenet_v2_035"): {"width_mult": 0.35},
    ("torchvision", "mobilenet_v2_050"): {"width_mult": 0.5},
    ("torchvision", "mobilenet_v2_075"): {"width_mult": 0.75},
    ("torchvision", "mobilenet_v2_140"): {"width_mult": 1.4},
    ("torchvision", "googlenet"): {"aux_logits": False, "transform_input": False},
    ("torchvision", "googlenet_aux"): {"aux_logits": True, "transform_input": False},
    ("torchvision", "inception_v3"): {"aux_logits": False, "transform_input": False},
    ("torchvision", "inception_v3_aux"): {"aux_logits": True, "transform_input": False},
}
"""What torchvision is told beside the network's name."""

FOR_ANY_SIZE: dict[tuple[str, str], dict[str, Any]] = {
    ("timm", "vit"): {"dynamic_img_size": True},
    ("timm", "swin"): {"strict_img_size": False},
    ("timm", "swin_v2"): {"strict_img_size": False},
    ("timm", "deit"): {"dynamic_img_size": True},
    ("timm", "vit_hybrid"): {"dynamic_img_size": True},
}
"""By project and family: what makes theirs take images of other sizes than the published one."""

REFERENCE_GAINS = {"vgg": 2**0.5}
"""By family: how much larger weights are drawn, where each ReLU halves the signal's power and no norm restores it."""


@dataclass(frozen=True)
class Reference:
    """One network elsewhere.

    Attributes
    ----------
    name : str
        Ours.
    project : {'torchvision', 'timm'}
    theirs : str
        Its name there.
    """

    name: str
    project: str
    theirs: str

    def build(self, **more: Any) -> nn.Module:
        """Build theirs in evaluation mode, with lively weights from a fixed seed."""
        torch.manual_seed(0)
        if self.project == "timm":
            row = entry(self.name)
            # Where timm has weights for another data set only, it builds the network without a classifier by default.
            more = {"num_classes": row.classes, **FOR_ANY_SIZE.get(("timm", row.family), {}), **more}
            network = timm.create_model(self.theirs, **more)
        else:
            given = ARGUMENTS.get((self.project, self.name), {})
            if "aux_logits" in given:
                more = {"init_weights": False, **more}
            network = torchvision.models.get_model(self.theirs, weights=None, **given, **more)
        revive(network, REFERENCE_GAINS.get(entry(self.name).family, 1.0))
        return network.eval()

    def ours(self, theirs: nn.Module, **more: Any) -> nn.Module:
        """Build ours with their weights."""
        found = entry(self.name)
        state, left = translate(theirs.state_dict(), found.family, self.project)
        assert not left, "keys without a rule"
        with torch.device("meta"):
            network = build(found, found.classes, found.pixels.channels, **more)
        network.load_state_dict(state, strict=True, assign=True)
        return network.eval()


def references() -> list[Reference]:
    """Every variant and each project that has it."""
    return [
        Reference(name, project, theirs)
        for name, row in CATALOGUE.items()
        for project, theirs in (("torchvision", row.torchvision), ("timm", row.timm))
        if theirs
    ]


@torch.no_grad()
def revive(network: nn.Module, gain: float = 1.0) -> None:
    """Draw every weight and statistic anew, none of them zero, one or tiny, and so that signals keep their size.

    Fresh networks hide mistakes: batch norms do nothing, layer scales of 1e-6 silence whole branches, and biases and
    relative positions are zero.
    """
    for name, tensor in [*network.named_parameters(), *network.named_buffers()]:
        if not tensor.is_floating_point():
            continue
        last = name.rsplit(".", 1)[-1]
        if last == "running_var":
            tensor.uniform_(0.5, 1.5)
        elif last == "running_mean":
            tensor.normal_(0, 0.1)
        elif not isinstance(tensor, nn.Parameter):
            continue  # a table that the network computes
        elif tensor.ndim == 4 and last == "weight":
            tensor.normal_(0, gain * math.sqrt(1 / tensor[0].numel()))  # convolutions, depthwise ones too
        elif tensor.ndim >= 2 and min(tensor.shape[:2]) > 1 and "bias_table" not in name and "pos_embed" not in name:
            tensor.normal_(0, gain * math.sqrt(1 / tensor[0].numel()))
        elif last in ("weight", "gamma", "scale", "layer_scale"):
            tensor.uniform_(0.5, 1.0)  # norms and scales of branches
        else:
            tensor.normal_(0, 0.1)  # biases, tokens, positions


@torch.no_grad()
def settle(network: nn.Module, images: Tensor) -> None:
    """Set each batch norm's statistics near those of a batch, as training would: images differ to the last layer.

    Drawn at random, every norm and activation shrinks what depends on the image, and behind many of them remain the
    biases.
    """
    norms = [module for module in network.modules() if isinstance(module, _BatchNorm)]
    if not norms:
        return
    for norm in norms:
        norm.train()
        norm.momentum = 1.0
    network(images)
    network.eval()
    for norm in norms:
        norm.running_mean += 0.1 * norm.running_var.sqrt() * torch.randn_like(norm.running_mean)
        norm.running_var *= torch.empty_like(norm.running_var).uniform_(0.7, 1.4)


def head_of(network: nn.Module) -> nn.Module:
    """Give the last linear layer: what enters it is the vector before the classifier."""
    return [module for module in network.modules() if isinstance(module, nn.Linear)][-1]


def noise(*shape: int, seed: int = 1) -> Tensor:
    """Images of noise, mean 0 and standard deviation 1."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def scenes(*shape: int, seed: int = 1) -> Tensor:
    """Noise over coarse patches of colour: places differ, where attention to noise alone is the same everywhere."""
    batch, channels, height, width = shape
    patches = noise(batch, channels, 7, 7, seed=seed + 100)
    return noise(*shape, seed=seed) + 2 * F.interpolate(patches, size=(height, width))
