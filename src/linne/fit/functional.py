"""torchvision's functions on images, imported when they are needed."""

from __future__ import annotations

from types import ModuleType

import torch

from linne.records.errors import InstallError


def transforms() -> ModuleType:
    """Give `torchvision.transforms.v2.functional`.

    Raises
    ------
    InstallError
        torchvision is missing, or built for another torch.
    """
    try:
        from torchvision.transforms.v2 import functional
    except (ImportError, RuntimeError, OSError, AttributeError) as error:
        # "operator torchvision::nms does not exist": a CPU build of one beside a CUDA build of the other.
        raise InstallError(
            "torch and torchvision do not match",
            value=f"torch {torch.__version__}: {error}",
            remedy="install both in one go: uv pip install --reinstall torch torchvision",
        ) from error
    module: ModuleType = functional
    return module
