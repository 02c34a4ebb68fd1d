"""What ``run.json`` says of a fit."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from linne.embed.embedding import Embedding
from linne.records.index import Index
from linne.records.plan import Plan
from linne.records.run import Run
from linne.records.split import Split
from linne.road.budget import Clock
from linne.road.request import Request

PARTS = ("linne", "torch", "torchvision", "onnxruntime", "numpy", "pillow", "scikit-learn")

LASTING = ("created", "openings", "reviews", "reserve")
"""What a run that goes on keeps of what it had."""


class Laps:
    """Seconds of each step, in `seconds`; those that were `spent` by processes that were cut off are not told apart."""

    def __init__(self, clock: Clock, spent: float) -> None:
        self._clock = clock
        before = {"before it was cut off": spent} if spent else {}
        self.seconds: dict[str, float] = {**before, "start": clock.elapsed() - spent}

    def end(self, step: str) -> None:
        """Note the seconds since the last step ended."""
        self.seconds[step] = round(max(self._clock.elapsed() - sum(self.seconds.values()), 0.0), 3)


def known_facts(run: Run) -> dict[str, Any]:
    """What the diary of a run holds that may have been begun before; `RunError` where it is damaged."""
    return Run.open(run.folder).facts if (run.folder / "run.json").exists() else {}


def facts_of(
    run: Run,
    request: Request,
    index: Index,
    split: Split,
    plan: Plan,
    embedding: Embedding,
    before: dict[str, Any],
) -> dict[str, Any]:
    """All that is known before training; `before` is what the diary held."""
    backend = embedding.backend
    return {
        "name": run.folder.name,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "asked": {
            "photos": str(request.photos),
            "budget": plan.budget,
            "seed": plan.seed,
            "group_by": plan.group_by,
            "chosen": request.chosen,
            "teacher": plan.teacher,
        },
        "plan": plan.to_json(),
        "versions": {part: _version(part) for part in PARTS},
        "backend": None if backend is None else backend.to_json(),
        "fingerprints": {"index": index.fingerprint, "split": split.fingerprint, "weights": plan.weights_fingerprint},
        "embedded": {"images": len(index), "computed": embedding.passed.computed},
        "corrections": None if index.corrections is None else index.corrections.to_json(),
        "openings": [],
        **{name: before[name] for name in LASTING if name in before},
    }


def _version(part: str) -> str | None:
    try:
        return version(part)
    except PackageNotFoundError:
        return None
