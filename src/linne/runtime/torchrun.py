"""What torchrun tells each process that it starts: read here, without torch."""

from __future__ import annotations

import os


def started_by_torchrun() -> bool:
    """Whether this is one of several processes that torchrun has started."""
    return "TORCHELASTIC_RUN_ID" in os.environ and int(os.environ.get("WORLD_SIZE", "1")) > 1


def rank() -> int:
    """Number of this process among them, from 0; alone it is the first one."""
    return int(os.environ["RANK"]) if started_by_torchrun() else 0
