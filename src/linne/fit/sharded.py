"""A network whose weights are cut up among processes, each stage put together only while it computes.

PyTorch's `fully_shard` does it: Zhao et al., "PyTorch FSDP: Experiences on Scaling Fully Sharded Data Parallel", VLDB
2023 (arXiv 2304.11277); Rajbhandari et al., "ZeRO", SC 2020 (arXiv 1910.02054). What is kept is whole: files are the
same whatever the number of processes.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from linne.fit.processes import Processes


def shard(tail: nn.Module, stages: tuple[nn.Module, ...], processes: Processes, device: torch.device) -> None:
    """Cut a module's weights up, in place, stage by stage; what is no stage's is cut with the whole."""
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    mesh = init_device_mesh(device.type, (processes.world,))
    parts = set(tail.modules())
    for stage in stages:
        for part in (stage,) if stage in parts else stage.children():  # some are put together where they are asked for
            if part in parts and any(True for _ in part.parameters()):
                fully_shard(part, mesh=mesh)
    # By default the outermost stays together after validation, and would be trained with the weights it had there.
    fully_shard(tail, mesh=mesh, reshard_after_forward=True)


def is_cut(tensor: Tensor) -> bool:
    """Whether a tensor is one process's piece of a larger one."""
    return hasattr(tensor, "full_tensor")


def uncut(tensor: Tensor) -> Tensor:
    """Put a tensor together, where it is; all processes must ask at once. One that is not cut is given as it is."""
    together: Tensor = tensor.full_tensor() if is_cut(tensor) else tensor  # type: ignore[attr-defined]
    return together


def own_piece(tensor: Tensor) -> Tensor:
    """Give this process's piece of a tensor, which shares its memory. One that is not cut is given as it is."""
    piece: Tensor = tensor.to_local() if is_cut(tensor) else tensor  # type: ignore[attr-defined]
    return piece


def whole(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Put tensors together, on the CPU; all processes must ask at once. What is not cut is given as it is."""
    return {name: uncut(tensor.detach()).cpu() if is_cut(tensor) else tensor for name, tensor in state.items()}


def cut_as(places: Mapping[str, Tensor], state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Cut whole tensors as those of the same names in `places` are."""
    return {name: _cut_as(places[name], each) if name in places else each for name, each in state.items()}


def _cut_as(place: Tensor, tensor: Tensor) -> Tensor:
    if not is_cut(place):
        return tensor
    from torch.distributed.tensor import DTensor, distribute_tensor

    assert isinstance(place, DTensor)  # noqa: S101 - nothing else is put together so
    where = tensor.to(place.device)
    cut: Tensor = distribute_tensor(where, place.device_mesh, place.placements, src_data_rank=None)
    return cut
