"""What was measured on this machine, and what it is that a measurement holds for."""

from __future__ import annotations

import math
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import onnxruntime
import torch

from linne.embed.backends import device
from linne.embed.way import Way
from linne.records.fingerprint import of_settings
from linne.records.memory import keep, recalled
from linne.runtime.cores import available_cores


def machine() -> dict[str, Any]:
    """What a measurement holds for: processor, cores, accelerator and library builds."""
    where = device()
    return {
        "processor": _processor(),
        "cores": available_cores(),
        "device": torch.cuda.get_device_name() if where.type == "cuda" else "cpu",
        "torch": torch.__version__,
        "onnxruntime": onnxruntime.__version__,
        "openvino": _version("openvino"),
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    facts = [line for line in lines if line.startswith(("model name", "model\t", "cpu family", "flags"))]
    return of_settings(sorted(set(facts))) if facts else platform.machine()


def recall(memory: Path, key: str) -> dict[Way, float]:
    """Images a second of each way that was measured; nothing where the file is damaged, or was not written yet."""
    remembered = recalled(memory).get(key)
    named = remembered.get("rates") if isinstance(remembered, dict) else None
    if not isinstance(named, dict):
        return {}
    try:
        rates = {Way.of(name): rate for name, rate in named.items()}
    except ValueError:
        return {}
    sound = all(type(rate) is float and 0 <= rate < math.inf for rate in rates.values())
    return rates if sound and max(rates.values(), default=0) > 0 else {}


def remember(memory: Path, key: str, rates: dict[Way, float]) -> None:
    """Keep what was measured; where that cannot be written, the next run measures again."""
    keep(memory, key, {"rates": {way.name: rate for way, rate in rates.items()}})
