"""What timm says of its own networks, as rows of ours."""

from __future__ import annotations

import math
from difflib import get_close_matches
from typing import Any, cast

import timm
import torch
from timm.models import PretrainedCfg

from linne.nets.catalogue.row import Entry
from linne.nets.weights.published import Published
from linne.records.errors import LinneError
from linne.records.pixel_spec import Fit, Interpolation, PixelSpec

PREFIX = "timm:"

UNKNOWN = "not stated by timm"


def timm_entry(name: str) -> Entry:
    """Describe one network of timm; `name` begins with 'timm:'. `LinneError` with the nearest if there is none."""
    theirs = name.removeprefix(PREFIX)
    config = _config(theirs)
    with torch.device("meta"):
        parameters = sum(p.numel() for p in timm.create_model(theirs, pretrained=False).parameters())
    classes = config.num_classes or 1000
    return Entry("timm", {"name": theirs}, "", parameters, math.nan, _pixels(config), classes, timm=theirs)


def timm_published(name: str) -> tuple[Published, ...]:
    """List the weights that timm publishes for one of its networks, its default first."""
    theirs = name.removeprefix(PREFIX)
    default = _config(theirs)
    base = theirs.split(".")[0]
    tagged = timm.list_models(f"{base}.*", pretrained=True)
    configs = [default, *(_config(found) for found in tagged)] if "." not in theirs else [default]
    rows = {c.tag: _row(name, c) for c in configs if c.hf_hub_id and c.num_classes}
    return tuple(rows.values())


def translated(state: dict[str, torch.Tensor], name: str) -> dict[str, torch.Tensor]:
    """Give timm's state dict the names of `timm_network.Network`."""
    head = _config(name).classifier
    if not isinstance(head, str):
        return {}
    return {
        key.replace(head, "classifier", 1) if key.startswith(f"{head}.") else f"body.{key}": value
        for key, value in state.items()
    }


def _config(theirs: str) -> PretrainedCfg:
    base, _, tag = theirs.partition(".")
    known = timm.is_model(base) and (not tag or theirs in timm.list_models(f"{base}.*", pretrained=True))
    config = timm.get_pretrained_cfg(theirs) if known and not theirs.endswith(".") else None
    if config is None:
        near = get_close_matches(theirs, [*timm.list_models(), *timm.list_models(f"{base}.*", pretrained=True)], n=3)
        remedy = f"did you mean {' or '.join(PREFIX + found for found in near)}?" if near else "see timm.list_models()"
        raise LinneError("timm has no such network", value=theirs, remedy=remedy)
    return config


def _pixels(config: PretrainedCfg) -> PixelSpec:
    channels, height, width = config.input_size
    fit: Fit = "stretch" if config.crop_mode == "squash" else "crop"
    resize = max(height, width, int(height / config.crop_pct))
    interpolation = config.interpolation if config.interpolation in ("nearest", "bilinear", "bicubic") else "bicubic"
    return PixelSpec(
        height,
        width,
        channels,
        fit,
        resize,
        cast(Interpolation, interpolation),
        _floats(config.mean),
        _floats(config.std),
    )


def _floats(values: Any) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def _row(name: str, config: PretrainedCfg) -> Published:
    file = config.hf_hub_filename or "model.safetensors"
    source, licence = str(config.hf_hub_id), config.license or UNKNOWN
    return Published(
        name, "timm", config.tag or "", source, file, licence, config.num_classes, None, None, _pixels(config)
    )
