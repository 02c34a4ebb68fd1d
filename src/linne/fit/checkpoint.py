"""All that a training run needs to go on, in one file that is replaced as a whole."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from linne.records.atomic import replacing
from linne.records.epoch import Epoch
from linne.records.errors import RunError
from linne.records.fingerprint import DIGEST_BYTES

EVERY_SECONDS = 30.0
DEAREST_SHARE = 0.02
"""Of the time, at most, for writing checkpoints: of large networks they are written less often."""

_KEY = "linne"


class Checkpoints:
    """A run's last state.

    Parameters
    ----------
    path : Path
        Safetensors, with plain values as JSON in its header.
    plan : str
        Fingerprint of what is trained; the state of another plan is refused.
    """

    def __init__(self, path: Path, plan: str) -> None:
        self.path, self._plan = path, plan
        self._written, self._cost = time.monotonic(), 0.0

    def due(self) -> bool:
        """Whether the last one is old enough for another."""
        return time.monotonic() - self._written > max(EVERY_SECONDS, self._cost / DEAREST_SHARE)

    def write(self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        """Write a state; `WriteError` where it cannot be, and the one before is still there."""
        began = time.monotonic()
        held = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
        said = {**facts, "plan": self._plan}
        header = {_KEY: json.dumps({**said, "digest": _digest(held, said)})}
        with replacing(self.path) as part:
            part.write_bytes(save(held, metadata=header))
        self._written = time.monotonic()
        self._cost = self._written - began

    def read(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """Read the last state; None where there is none.

        Raises
        ------
        RunError
            It is damaged, or of another plan.
        """
        if not self.path.exists():
            return None
        try:
            with safe_open(self.path, "pt") as file:
                facts = json.loads((file.metadata() or {})[_KEY])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
            digest, plan = facts.pop("digest"), facts["plan"]
            whole = digest == _digest(tensors, facts)
        except (OSError, SafetensorError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._damaged(error) from error
        if not whole:
            raise self._damaged("its digest does not match")
        if plan != self._plan:
            raise RunError("is of another plan", file=self.path, remedy="put plan.json back, or delete this file")
        return tensors, facts

    def _damaged(self, why: object) -> RunError:
        return RunError("is damaged", file=self.path, value=why, remedy="delete it: training then begins anew")


def elapsed_of(path: Path) -> float:
    """Seconds that the run had taken when it wrote its last state; 0 where there is none that can be read."""
    try:
        with safe_open(path, "pt") as file:
            return float(json.loads((file.metadata() or {})[_KEY])["seconds"])
    except (OSError, SafetensorError, ValueError, KeyError, TypeError):
        return 0.0  # what is damaged is refused where it is used


def epochs_of(path: Path) -> list[Epoch]:
    """What the run had been told of its epochs when it wrote its last state; none where that cannot be read."""
    try:
        with safe_open(path, "pt") as file:
            return [Epoch(**line) for line in json.loads((file.metadata() or {})[_KEY])["judge"]["done"]]
    except (OSError, SafetensorError, ValueError, KeyError, TypeError):
        return []  # as above


def _digest(tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> str:
    digest = hashlib.blake2b(json.dumps(facts, sort_keys=True).encode(), digest_size=DIGEST_BYTES)
    for name, value in sorted(tensors.items()):
        digest.update(f"{name} {value.dtype} {tuple(value.shape)} ".encode())
        digest.update(value.reshape(-1).numpy().tobytes())
    return digest.hexdigest()
