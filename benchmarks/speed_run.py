"""linne's pieces put together for seconds of training on CIFAR-10: what `cifar.py` times.

Network, first layer, views, recorded steps and test-time views are the package's. The recipe is Jordan's
(airbench94_muon, 2024): Muon on weights that keep their norm, momentum for offsets and the classifier, rates that fall
to zero in a straight line, and a first layer whose offsets learn for the first three eighths.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from cifar_data import Images
from graph import Function, captured, gradients
from shifted import ShiftedImages
from six_views import mirrored_and_shifted
from torch import Tensor, nn
from whiten import whiten_stem

from linne.nets import create
from linne.nets.catalogue import entry

SPEC = entry("cifarnet").pixels
AT_ONCE = 1000
"""Test images; each is seen six times."""

WHITENED = 5000
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
MUON_MOMENTUM, MOMENTUM = 0.6, 0.85
ORTHOGONAL_STEPS = 3


@dataclass(frozen=True)
class Setting:
    """How long and how fast. Rates are for the sum of losses over a batch of 2000, as the reference has them."""

    epochs: float = 8.0
    matrices: float = 0.24
    classifier: float = 0.67
    offsets: float = 0.053
    decay: float = 4e-3
    stem: float = 3 / 8
    """Share of the training for which the first layer's offsets learn."""

    def __str__(self) -> str:
        return f"{self.epochs:g} epochs, rates {self.matrices:g}, {self.classifier:g}, {self.offsets:g}"


class Descent:
    """Momentum of Nesterov's kind for some parameters; `decay` times a parameter is a part of its gradient."""

    def __init__(self, parameters: Sequence[nn.Parameter], decay: float) -> None:
        self.parameters, self.decay = list(parameters), decay
        self.velocity = [torch.zeros_like(parameter) for parameter in parameters]

    @torch.no_grad()
    def step(self, rate: float) -> None:
        pairs = [(p, v) for p, v in zip(self.parameters, self.velocity, strict=True) if p.grad is not None]
        moved, velocity = [p.data for p, _ in pairs], [v for _, v in pairs]
        slopes = torch._foreach_add([p.grad.float() for p, _ in pairs], moved, alpha=self.decay)
        torch._foreach_mul_(velocity, MOMENTUM)
        torch._foreach_add_(velocity, slopes)
        torch._foreach_add_(moved, torch._foreach_add(slopes, velocity, alpha=MOMENTUM), alpha=-rate)
        for parameter, _ in pairs:
            parameter.grad = None

    def forget(self) -> None:
        torch._foreach_zero_(self.velocity)


class Orthogonal:
    """Muon for convolutions before batch norms: no decay, each weight keeps the norm of a matrix of unit rows."""

    def __init__(self, parameters: Sequence[nn.Parameter]) -> None:
        alike: dict[torch.Size, list[nn.Parameter]] = {}
        for parameter in parameters:
            alike.setdefault(parameter.shape, []).append(parameter)
        self.alike = list(alike.values())
        self.velocity = [[torch.zeros_like(parameter) for parameter in some] for some in self.alike]
        on_gpu = parameters[0].is_cuda
        self.dtype = torch.bfloat16 if on_gpu else torch.float32

    @torch.no_grad()
    def step(self, rate: float) -> None:
        for some, velocity in zip(self.alike, self.velocity, strict=True):
            slopes = [parameter.grad.float() for parameter in some]
            torch._foreach_mul_(velocity, MUON_MOMENTUM)
            torch._foreach_add_(velocity, slopes)
            ahead = torch.stack(torch._foreach_add(slopes, velocity, alpha=MUON_MOMENTUM))
            updates = orthogonal(ahead.flatten(2), self.dtype).float().view_as(ahead)
            weights = [parameter.data for parameter in some]
            norms = torch._foreach_norm(weights)
            torch._foreach_div_(norms, len(weights[0]) ** 0.5)
            torch._foreach_div_(weights, norms)
            torch._foreach_add_(weights, list(updates.unbind()), alpha=-rate)
            for parameter in some:
                parameter.grad = None

    def forget(self) -> None:
        for velocity in self.velocity:
            torch._foreach_zero_(velocity)


def orthogonal(matrices: Tensor, dtype: torch.dtype) -> Tensor:
    """Singular values near 1, by Newton and Schulz."""
    linear, cubic, quintic = COEFFICIENTS
    x = matrices / torch.linalg.vector_norm(matrices, dim=(1, 2), keepdim=True).clamp(min=1e-7)
    x = x.to(dtype)
    if x.shape[1] > x.shape[2]:
        x = x.mT
    for _ in range(ORTHOGONAL_STEPS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=cubic, alpha=quintic), x, beta=linear)
    return x.mT if matrices.shape[1] > matrices.shape[2] else x


class Learner:
    """A network with its recorded steps, used again for run after run."""

    def __init__(self, device: torch.device, batch: int, precision: torch.dtype, mode: str, smoothing: float) -> None:
        self.device, self.batch, self.precision, self.smoothing = device, batch, precision, smoothing
        self.network = create("cifarnet").to(device, memory_format=torch.channels_last)
        self.network.stem[0].weight.requires_grad_(False)
        self.network.classifier.bias.requires_grad_(False)  # the recipe has none, and its rates would be far too high
        self.offset = self.network.stem[0].bias
        mean, std = (torch.tensor(values, device=device)[:, None, None] for values in (SPEC.mean, SPEC.std))
        self.scale, self.shift = 1 / (255 * std), -mean / std
        trained = [(name, p) for name, p in self.network.named_parameters() if p.requires_grad]
        self.matrices = Orthogonal([p for _, p in trained if p.ndim == 4])
        self.stem = Descent([self.offset], 0)
        self.offsets = Descent([p for _, p in trained if p.ndim == 1 and p is not self.offset], 0)
        self.classifier = Descent([self.network.classifier.weight], 0)
        self._compiled = mode
        views = torch.zeros(batch, 32, 32, 3, dtype=torch.uint8, device=device).random_(256).permute(0, 3, 1, 2)
        labels = torch.zeros(batch, dtype=torch.int64, device=device).random_(10)
        self.steps: dict[bool, tuple[Function, list[nn.Parameter]]] = {}
        self.network.train()
        for stem in (True, False):
            self.offset.requires_grad_(stem)
            function, parameters = gradients(self.network, self._compile(self._loss))
            self.steps[stem] = captured(function, (views, labels), self.network.buffers()), parameters
        self.offset.requires_grad_(True)
        self.network.eval()
        self.predict = captured(self._compile(self._predict), (views[: min(batch, AT_ONCE)],))

    def _compile(self, function: Function) -> Function:
        return function if self._compiled == "eager" else torch.compile(function, mode=self._compiled, dynamic=False)

    def _inputs(self, views: Tensor) -> Tensor:
        return (views * self.scale + self.shift).contiguous(memory_format=torch.channels_last)

    def _loss(self, views: Tensor, labels: Tensor) -> Tensor:
        with torch.autocast(self.device.type, self.precision, enabled=self.precision != torch.float32):
            logits = self.network(self._inputs(views))
        return F.cross_entropy(logits.float(), labels, label_smoothing=self.smoothing, reduction="sum")

    def _predict(self, views: Tensor) -> tuple[Tensor]:
        with torch.no_grad(), torch.autocast(self.device.type, self.precision, enabled=self.precision != torch.float32):
            return (mirrored_and_shifted(self.network, self._inputs(views)).float(),)

    def begin(self, seed: int) -> None:
        """New weights, which is not timed."""
        torch.manual_seed(seed)
        fresh = create("cifarnet").state_dict()
        with torch.no_grad():
            for key, value in self.network.state_dict().items():
                value.copy_(fresh[key])
        for part in (self.matrices, self.stem, self.offsets, self.classifier):
            part.forget()

    def train(self, pixels: Tensor, labels: Tensor, setting: Setting, seed: int) -> None:
        source = ShiftedImages(pixels, labels, True, self.batch, seed)
        first = pixels[:WHITENED].permute(0, 3, 1, 2)
        whiten_stem(self.network, self._inputs(first))
        total = max(round(setting.epochs * (len(labels) // self.batch)), 1)
        with_stem = setting.stem * total
        self.stem.decay = self.offsets.decay = setting.decay / setting.offsets
        self.classifier.decay = setting.decay / setting.classifier
        self.network.train()
        done, epoch = 0, 0
        while done < total:
            for views, targets in source.epoch(epoch):
                step, parameters = self.steps[done < with_stem]
                _, *slopes = step(views, targets)
                for parameter, slope in zip(parameters, slopes, strict=True):
                    parameter.grad = slope
                left = 1 - done / total
                if done < with_stem:
                    self.stem.step(setting.offsets * (1 - done / with_stem))
                self.offsets.step(setting.offsets * left)
                self.classifier.step(setting.classifier * left)
                self.matrices.step(setting.matrices * left)
                done += 1
                if done == total:
                    break
            epoch += 1
        self.network.eval()

    def accuracy(self, pixels: Tensor, labels: Tensor) -> Tensor:
        """On the device: the caller reads it when the clock has stopped."""
        views, right = pixels.permute(0, 3, 1, 2), []
        for start in range(0, len(labels), min(self.batch, AT_ONCE)):
            some = views[start : start + min(self.batch, AT_ONCE)]
            (logits,) = self.predict(some)
            right.append(logits.argmax(1) == labels[start : start + len(some)])
        return torch.cat(right).float().mean()


@dataclass(frozen=True)
class Run:
    accuracy: float
    seconds: float


def timed_run(
    learner: Learner, train: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor], setting: Setting, seed: int
) -> Run:
    """Train and test; the clock runs from pixels in the device's memory to predictions there."""
    learner.begin(seed)
    _wait(learner.device)
    began = time.perf_counter()
    learner.train(*train, setting, seed)
    accuracy = learner.accuracy(*test)
    _wait(learner.device)
    seconds = time.perf_counter() - began
    return Run(float(accuracy), seconds)


def on_device(images: Images, device: torch.device) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(images.pixels).to(device), torch.from_numpy(images.labels).to(device)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()
