"""One training step: gradients, clipping, optimiser, moving average; and all of its state."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext

import torch
from torch import Tensor, nn

from linne.embed.backends import full_precision
from linne.fit.average import Average
from linne.fit.distillation import Distillation
from linne.fit.inputs import Normaliser
from linne.fit.lanes import Lanes
from linne.fit.loss_scale import LossScale
from linne.fit.mixing import Mix
from linne.fit.optimisers import Optimiser
from linne.fit.processes import ALONE, Processes
from linne.fit.schedule import factor
from linne.fit.sharded import cut_as, uncut
from linne.fit.sharded import whole as whole_of
from linne.records.errors import LinneError
from linne.records.pixel_spec import PixelSpec
from linne.records.recipe import Precision, Recipe
from linne.runtime.allocator import keep_freed_memory

DTYPES: dict[Precision, torch.dtype] = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}

Loss = Callable[[Tensor, Tensor], Tensor]
"""Logits ``(batch, classes)`` and labels to the loss of each image, ``(batch,)``."""


class Trainer:
    """A network's last stages, or all of it, with what trains them.

    Parameters
    ----------
    module : torch.nn.Module
        Inputs to logits. With pretrained weights its batch norms keep their statistics: those of a small data set
        are worse.
    optimiser : callable
        Makes it, once the module is on its device.
    recipe : Recipe
    device : torch.device
    pixels : PixelSpec
        Normalises inputs that are uint8.
    loss : callable
    pretrained : bool
    steps : int
        In all; the moving average reaches back over a share of them.
    teacher : callable, optional
        Inputs to the logits of a network that this one learns from.
    processes : Processes
        Each computes the gradient of its part of a batch; all make the same step.
    """

    def __init__(
        self,
        module: nn.Module,
        optimiser: Callable[[], Optimiser],
        recipe: Recipe,
        device: torch.device,
        pixels: PixelSpec,
        loss: Loss,
        pretrained: bool,
        steps: int,
        teacher: Callable[[Tensor], Tensor] | None = None,
        processes: Processes = ALONE,
    ) -> None:
        self._processes = processes
        if device.type == "cpu":
            keep_freed_memory()
        self._layout = torch.channels_last if recipe.channels_last else torch.contiguous_format
        if not processes.shard:
            module = module.to(device, memory_format=self._layout)  # type: ignore[call-overload]
        self.module = module
        self.recipe, self.device, self._loss, self._pretrained = recipe, device, loss, pretrained
        self._teacher, self._taught = teacher, Distillation(recipe.teacher_share, recipe.teacher_temperature)
        self._trained = [p for p in self.module.parameters() if p.requires_grad]
        self._normalised = Normaliser(pixels, device)
        self._optimiser = optimiser()
        self._lanes = Lanes(self.module, recipe.lanes, pretrained, DTYPES[recipe.precision], processes)
        self._parts = recipe.accumulation
        self._scale = LossScale(active=recipe.precision == "float16")
        self._warm_up = recipe.warm_up if recipe.warm_up * steps >= 1 else 0.0  # a share of a step would be all of it
        reach = recipe.average * steps
        self._average = Average(self.module, 1 - 1 / reach) if reach > 1 else None

    def step(
        self,
        inputs: Tensor,
        labels: Tensor,
        at: float,
        seed: tuple[int, ...],
        mix: Mix | None = None,
        whole: int | None = None,
    ) -> Tensor:
        """Train on one batch, mixed or not.

        Parameters
        ----------
        inputs, labels : tensor
            Of one process among several: its part, which may be empty.
        at : float
            Where in the schedule, 0 to 1.
        seed : tuple of int
            Of what the network draws.
        mix : Mix, optional
        whole : int, optional
            Images of the batch, those of other processes counted in.

        Returns
        -------
        tensor
            The mean loss, on the device: reading it waits for the step. It is no number where the gradient is none.
        """
        processes = self._processes
        self.module.train()
        images, labels = self._on_device(inputs), labels.to(self.device)
        others, share = labels, 1.0
        if mix is not None:
            images, share = mix.images(images, processes.rolled(images))
            others = processes.rolled(labels)

        def losses(logits: Tensor, part: slice) -> Tensor:
            of_labels, of_teacher = logits.unbind(1) if logits.ndim == 3 else (logits, logits)
            each = self._loss(of_labels, labels[part])
            if mix is not None:
                each = share * each + (1 - share) * self._loss(of_labels, others[part])
            return each if self._teacher is None else self._taught(each, of_teacher, self._teacher(images[part]))

        whole = whole or len(images)
        each = self._backward(images, losses, seed if processes.first else (*seed, processes.rank), whole)
        if processes.alone:
            loss = each.mean()
        else:
            loss = processes.sum_gradients([] if processes.shard else self._trained, each.sum()) / whole
        norm = uncut(nn.utils.clip_grad_norm_(self._trained, self.recipe.clip or torch.inf))
        if self._scale.worked(norm):
            self._optimiser.step(self.rate_at(at))
            if self._average is not None:
                self._average.update(self.module)
            return torch.where(norm.isfinite(), loss, torch.nan)
        for parameter in self._trained:
            parameter.grad = None
        return loss  # the step was left out, which cures it

    def rate_at(self, at: float) -> float:
        """Learning rate at a place in the schedule, 0 to 1."""
        return self.recipe.learning_rate * factor(self.recipe.schedule, at, self._warm_up)

    def _backward(
        self, images: Tensor, losses: Callable[[Tensor, slice], Tensor], seed: tuple[int, ...], whole: int
    ) -> Tensor:
        """Compute gradients; where memory does not suffice, in more parts, from now on."""
        scale, parts = self._scale.value / whole, self._parts
        if self._lanes.in_step:  # a part that is empty in all processes would have no statistics
            parts = max(min(parts, -(-whole // self._processes.world)), 1)
        if self._processes.shard:
            scale *= self._processes.world  # a mean over the processes is what it gives
        while True:
            try:
                each = self._lanes.backward(images, losses, parts, seed, scale)
            except RuntimeError as error:  # torch.OutOfMemoryError is one
                if not _out_of_memory(error):
                    raise
                if parts >= len(images):
                    raise LinneError(
                        "memory does not suffice for one image",
                        value=f"{tuple(images.shape[1:])}",
                        remedy="take a smaller network or input",
                    ) from error
                if self._lanes.in_step:  # the others are waiting in the middle of this very attempt
                    raise LinneError(
                        "memory does not suffice for a batch",
                        value=f"{whole} images",
                        remedy=f"--set accumulation={2 * parts}, or a smaller --set batch_size=",
                    ) from error
            except ValueError as error:
                if "more than 1 value per channel" not in str(error):
                    raise
                raise LinneError(
                    "a batch norm cannot be trained by one image",
                    value=f"{whole} images in {parts} parts",
                    remedy="give a larger batch_size, a smaller accumulation, or more images",
                ) from error
            else:
                self._scale.undo(self._trained)
                return each
            self._lanes.forget()
            parts = self._parts = 2 * parts
            if self.device.type == "cuda":
                torch.cuda.empty_cache()

    @contextmanager
    def settled(self) -> Iterator[None]:
        """Within it the module has the weights that are validated and kept: the averaged ones where there are such."""
        self.module.eval()
        with nullcontext() if self._average is None else self._average.swapped(self.module):
            yield

    def predict(self, inputs: Tensor) -> Tensor:
        """Logits on the CPU, in evaluation mode and full precision, by the weights that the module has."""
        self.module.eval()
        # Pieces that were put together in inference mode could not be trained on afterwards.
        unrecorded = torch.no_grad() if self._processes.shard else torch.inference_mode()
        with unrecorded, full_precision():
            return self.module(self._on_device(inputs)).float().cpu()  # type: ignore[no-any-return]

    def weights(self) -> dict[str, Tensor]:
        """Give the module's weights, whole; they are not copies."""
        return whole_of(self.module.state_dict())

    def take(self, weights: Mapping[str, Tensor]) -> None:
        """Give the module weights that `weights` gave; the moving average begins anew with them."""
        self.module.load_state_dict(cut_as(self.module.state_dict(), weights))
        if self._average is not None:
            self._average = Average(self.module, self._average.decay)

    def close(self) -> None:
        """End the threads that compute; no more steps can be made then."""
        self._lanes.close()

    def state(self) -> dict[str, Tensor]:
        """All that the next step depends on, but for what it is given."""
        parts: dict[str, Mapping[str, Tensor]] = {
            "weights": self.module.state_dict(),
            "optimiser": self._optimiser.state(),
            "scale": self._scale.state(),
            "average": {} if self._average is None else self._average.state(),
        }
        state = {f"{part}/{name}": value for part, values in parts.items() for name, value in values.items()}
        return {**whole_of(state), "parts": torch.tensor(self._parts)}

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state` gave."""

        def of(part: str) -> dict[str, Tensor]:
            return {name.removeprefix(f"{part}/"): v for name, v in state.items() if name.startswith(f"{part}/")}

        self.take(of("weights"))
        self._optimiser.load(cut_as(self._optimiser.state(), of("optimiser")))
        self._scale.load(of("scale"))
        if self._average is not None:
            self._average.load(cut_as(self._average.state(), of("average")))
        self._parts = int(state["parts"])

    def _on_device(self, inputs: Tensor) -> Tensor:
        if inputs.dtype == torch.uint8:
            inputs = self._normalised(inputs)
        return inputs.to(self.device, memory_format=self._layout)


def _out_of_memory(error: RuntimeError) -> bool:
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)
