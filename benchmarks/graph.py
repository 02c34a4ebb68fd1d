"""A function of tensors as one launch: a GPU that runs hundreds of short kernels a step waits for none of them.

CUDA graphs (Nguyen et al., "Accelerating PyTorch with CUDA Graphs", pytorch.org, 2021): kernels are recorded once, with
the memory they work on, and played again together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor, nn

Function = Callable[..., tuple[Tensor, ...]]

REHEARSALS = 3
"""Calls before the recording, in which kernels are compiled and chosen and memory is laid out."""


def captured(function: Function, examples: Sequence[Tensor], kept: Iterable[Tensor] = ()) -> Function:
    """Record what a function does on a GPU.

    Parameters
    ----------
    function : callable
        Of tensors on the device, to a tuple of tensors. It reads no value back and always runs the same kernels;
        Python's numbers stay as they were when it was recorded. Compiled parts are welcome.
    examples : sequence of Tensor
        Inputs; later ones have their shapes and dtypes.
    kept : iterable of Tensor
        What the function changes and the recording must leave as it was, such as running statistics.

    Returns
    -------
    callable
        The same function. On a GPU its results lie where the next call's will; it must be called with tensors of the
        examples' shapes. On a CPU it is `function` itself.
    """
    if not examples or not examples[0].is_cuda:
        return function
    kept = list(kept)
    before = [tensor.clone() for tensor in kept]
    inputs = [example.clone() for example in examples]
    with torch.cuda.device(inputs[0].device):
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(REHEARSALS):
                function(*inputs)
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            outputs = function(*inputs)
        torch.cuda.synchronize()
    with torch.no_grad():
        for tensor, value in zip(kept, before, strict=True):
            tensor.copy_(value)

    def replayed(*given: Tensor) -> tuple[Tensor, ...]:
        if [value.shape for value in given] != [value.shape for value in inputs]:
            raise ValueError("a recorded function takes inputs of the shapes that it was recorded with")
        for place, value in zip(inputs, given, strict=True):
            place.copy_(value, non_blocking=True)
        graph.replay()
        return outputs

    return replayed


def gradients(network: nn.Module, loss_of: Callable[..., Tensor]) -> tuple[Function, list[nn.Parameter]]:
    """Give what can be `captured` of a training step: all of it but the optimiser, whose numbers change.

    Parameters
    ----------
    network : torch.nn.Module
        Its parameters that require gradients now are trained.
    loss_of : callable
        Inputs, labels and whatever more to a loss; calls the network, or what was compiled of it.

    Returns
    -------
    callable
        What `loss_of` takes, to the loss and a gradient for each trained parameter.
    list of Parameter
        The trained parameters, in the order of the gradients: an optimiser finds each in ``parameter.grad``.
    """
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]

    def function(*given: Tensor) -> tuple[Tensor, ...]:
        loss = loss_of(*given)
        return (loss.detach(), *torch.autograd.grad(loss, trained))

    return function, trained
