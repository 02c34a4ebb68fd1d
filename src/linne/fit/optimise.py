"""One training step: loss, precision, optimiser, schedule."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from linne.embed.backends import full_precision
from linne.fit.adamw import AdamW
from linne.fit.groups import Group
from linne.fit.inputs import Normaliser
from linne.fit.mixing import Mix, mixed_loss
from linne.fit.schedule import factor
from linne.records.pixel_spec import PixelSpec
from linne.records.plan import Precision

WARM_UP = 0.1
"""Share of all steps over which the learning rate rises."""

MAX_NORM = 5.0


@dataclass(frozen=True)
class Settings:
    """What a step needs to know; see `linne.records.plan.Plan`."""

    learning_rate: float
    weight_decay: float
    label_smoothing: float
    precision: Precision
    pretrained: bool


class Trainer:
    """A module with its optimiser.

    Parameters
    ----------
    module : torch.nn.Module
        Inputs to logits. With pretrained weights its batch norms keep their statistics: those of a small data set
        are worse.
    settings : Settings
    device : torch.device
    pixels : PixelSpec
        Normalises inputs that are uint8.
    """

    def __init__(self, module: nn.Module, settings: Settings, device: torch.device, pixels: PixelSpec) -> None:
        self.module = module.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.settings, self.device = settings, device
        trained = [p for p in self.module.parameters() if p.requires_grad]
        matrices = [p for p in trained if p.ndim > 1]
        vectors = [p for p in trained if p.ndim <= 1]  # norms and biases are not decayed
        self._normalised = Normaliser(pixels, device)
        self.optimiser = AdamW([Group(tuple(matrices), settings.weight_decay), Group(tuple(vectors), 0.0)])

    def step(self, inputs: Tensor, labels: Tensor, progress: float, mix: Mix | None = None) -> float:
        """Train on one batch, mixed or not, at `progress` (0 to 1) of the schedule; gives the loss."""
        self.mode(training=True)
        images, labels, smoothing = self._on_device(inputs), labels.to(self.device), self.settings.label_smoothing
        if mix is None:
            loss = F.cross_entropy(self._logits(images), labels, label_smoothing=smoothing)
        else:
            images, share = mix.images(images)
            loss = mixed_loss(self._logits(images), labels, share, smoothing)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.module.parameters(), MAX_NORM)
        self.optimiser.step(self.settings.learning_rate * factor("cosine", progress, WARM_UP))
        return float(loss.detach())

    @torch.inference_mode()
    def predict(self, inputs: Tensor) -> Tensor:
        """Logits on the CPU, in evaluation mode and full precision."""
        self.mode(training=False)
        with full_precision():
            return self.module(self._on_device(inputs)).float().cpu()  # type: ignore[no-any-return]

    def mode(self, training: bool) -> None:
        """Switch dropout and batch norm."""
        self.module.train(training)
        if training and self.settings.pretrained:
            for part in self.module.modules():
                if isinstance(part, nn.BatchNorm2d):
                    part.eval()

    def _logits(self, images: Tensor) -> Tensor:
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.settings.precision == "bfloat16"):
            logits: Tensor = self.module(images)
        return logits.float()

    def _on_device(self, inputs: Tensor) -> Tensor:
        if inputs.dtype == torch.uint8:
            return self._normalised(inputs)
        return inputs.to(self.device, memory_format=torch.channels_last)
