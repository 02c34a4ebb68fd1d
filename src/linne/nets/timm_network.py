"""Any network of timm, with linne's contract.

Its features, pooling and head are timm's own. Its stages are found by tracing the network and cutting the graph where
timm's feature information says that a stage ends, wherever nothing else crosses the cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import timm
from timm.models import get_notrace_functions
from torch import Tensor, fx, nn

from linne.nets.blocks.linear_like import linear_like
from linne.nets.blocks.stages import through
from linne.records.errors import LinneError


@dataclass(frozen=True, slots=True)
class Config:
    """One network of timm.

    Attributes
    ----------
    name : str
        timm's, with its tag or without.
    drop_path : float or None
        None for timm's default.
    """

    name: str
    classes: int = 1000
    in_channels: int = 3
    drop_path: float | None = None


class Network(nn.Module):
    """A body of timm's without its classifier, and the classifier.

    Raises
    ------
    LinneError
        The network's logits are no linear function of its pooled features, so that no head can be put in its place;
        or it has no branches that `drop_path` could leave out.
    """

    body: Any  # timm's networks share methods, and no type

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.checkpointing = False
        body = _body(config)
        head = body.get_classifier()
        if not isinstance(head, nn.Linear) or head.out_features != config.classes:
            raise LinneError("timm's network has no linear classifier", value=config.name)
        body.reset_classifier(0)
        self.body = body
        self.feature_size = head.in_features
        self.classifier = head
        # Not registered: they are views of the body, which has their parameters already.
        self._stages = [_stages(body)]

    def forward_features(self, images: Tensor) -> Tensor:
        """``(batch, channels, height, width)`` to what timm's `forward_features` gives."""
        return through(self.stages(), images, self.checkpointing)

    def forward_head(self, features: Tensor, pre_logits: bool = False) -> Tensor:
        """Features to logits ``(batch, classes)``, or to the pooled vector."""
        vector: Tensor = self.body.forward_head(features, pre_logits=True)
        return vector if pre_logits else self.classifier(vector)

    def forward(self, images: Tensor) -> Tensor:
        """Images to logits."""
        return self.forward_head(self.forward_features(images))

    def replace_head(self, classes: int) -> None:
        """Put a new classifier of `classes` outputs in place."""
        self.classifier = linear_like(self.classifier, self.feature_size, classes)

    def stages(self) -> tuple[nn.Module, ...]:
        """Give timm's stages, or the whole body as one where its graph cannot be cut."""
        return self._stages[0]


def _body(config: Config) -> Any:
    given: dict[str, Any] = {"pretrained": False, "num_classes": config.classes, "in_chans": config.in_channels}
    if config.drop_path is None:
        return timm.create_model(config.name, **given)
    try:
        return timm.create_model(config.name, **given, drop_path_rate=config.drop_path)
    except TypeError as error:  # timm passes it on to a network that does not take it
        raise LinneError("the network has no residual branches that could be left out", value=config.name) from error


class _Features(nn.Module):
    """`forward_features` as a module of its own."""

    body: Any

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, images: Tensor) -> Tensor:
        features: Tensor = self.body.forward_features(images)
        return features


class _Tracer(fx.Tracer):
    """Looks into the modules that hold a stage, and takes all others whole: what they do in training is their own."""

    def __init__(self, ends: Sequence[str]) -> None:
        super().__init__(autowrap_functions=tuple(get_notrace_functions()))  # type: ignore[no-untyped-call]
        self.ends = ends
        self.left: dict[str, fx.Node] = {}

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:  # noqa: ARG002
        return not any(end.startswith(f"{module_qualified_name}.") for end in self.ends)

    def call_module(self, m: nn.Module, forward: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        out = super().call_module(m, forward, args, kwargs)
        if isinstance(out, fx.Proxy):
            self.left[self.path_of_module(m)] = out.node
        return out


def _stages(body: nn.Module) -> tuple[nn.Module, ...]:
    """Cut the features where timm says that a stage ends."""
    features = _Features(body)
    ends = [f"body.{info['module']}" for info in getattr(body, "feature_info", []) if info.get("module")]
    tracer = _Tracer(ends)
    try:
        graph = tracer.trace(features)
    except Exception:  # noqa: BLE001 - a network may do anything in its forward pass that cannot be traced
        return (features,)
    nodes = [node for node in graph.nodes if node.op != "get_attr"]
    order = {node: i for i, node in enumerate(nodes)}
    found = sorted({order[tracer.left[end]] for end in ends if end in tracer.left})
    cuts = [cut for cut in found if _nothing_else_crosses(nodes, order, cut)]
    starts = [0, *cuts]
    return tuple(
        fx.GraphModule(features, _part(nodes, start, end))
        for start, end in zip(starts, [*cuts, len(nodes) - 2], strict=True)
    )


def _nothing_else_crosses(nodes: Sequence[fx.Node], order: dict[fx.Node, int], cut: int) -> bool:
    """Whether all that is computed later is computed from the value at `cut`, and something is."""
    crossing = {node for node in nodes[: cut + 1] if any(order[user] > cut for user in node.users)}
    return crossing == {nodes[cut]} and len(nodes) > cut + 2


def _part(nodes: Sequence[fx.Node], start: int, end: int) -> fx.Graph:
    """Copy what lies after node `start` up to node `end`, whose value is given."""
    part = fx.Graph()
    copies: dict[fx.Node, fx.Node] = {nodes[start]: part.placeholder("x")}

    def copied(node: fx.Node) -> fx.Node:
        if node not in copies:  # a parameter, read where it is used
            copies[node] = part.node_copy(node)
        return copies[node]

    for node in nodes[start + 1 : end + 1]:
        for given in node.all_input_nodes:
            copied(given)
        copies[node] = part.node_copy(node, copied)
    part.output(copies[nodes[end]])
    return part
