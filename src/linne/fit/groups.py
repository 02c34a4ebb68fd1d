"""Which parameters are decayed, and how fast each learns.

Weight decay is for what multiplies features. Norms, biases, scales, tokens and positions are not decayed, as in DeiT,
Swin and BEiT. Early stages of a pretrained network hold what is common to all photos and learn slower than late ones:
Bao, Dong, Piao, Wei, "BEiT: BERT Pre-Training of Image Transformers", ICLR 2022 (arXiv 2106.08254), appendix H.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

POSITION_BIAS = "position_bias"
"""Swin v2's small networks that compute a bias from a distance: no features go through them."""


@dataclass(frozen=True, slots=True)
class Group:
    """Parameters that are trained alike.

    Attributes
    ----------
    parameters : tuple of Parameter
    decay : float
        Weight decay.
    rate : float
        Factor of the learning rate.
    """

    parameters: tuple[nn.Parameter, ...]
    decay: float
    rate: float = 1.0


def parameter_groups(
    network: nn.Module, first_stage: int = 0, weight_decay: float = 0.05, layer_decay: float = 1.0
) -> tuple[Group, ...]:
    """Sort the parameters that are trained by decay and rate, from the input to the head.

    Parameters
    ----------
    network : torch.nn.Module
        Keeps `linne.nets.contract.Network`.
    first_stage : int
        The first stage that is trained.
    weight_decay : float
        Of the weights of linear layers and convolutions.
    layer_decay : float
        The classifier learns at the full rate, each stage before it at this factor of the next one's rate, in (0, 1].
        What lies between the last stage and the classifier, and a last norm that is a stage of its own, learns as the
        last stage does.

    Returns
    -------
    tuple of Group
        Every parameter that requires gradients and is no frozen stage's occurs once. None is empty, and no two have
        the same decay and rate.
    """
    stage_of = _stage_of(network)
    undecayed = _named_undecayed(network)
    last = max(stage_of.values(), default=0)
    alike: dict[tuple[int, bool], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        stage = last + 1 if of_classifier(name) else stage_of.get(parameter, last)
        frozen = parameter in stage_of and stage < first_stage
        if parameter.requires_grad and not frozen:
            decayed = is_weight(name, parameter) and parameter not in undecayed
            alike.setdefault((stage, decayed), []).append(parameter)
    steps = _steps(network, last)
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for (stage, decayed), parameters in sorted(alike.items(), key=lambda item: item[0]):
        key = weight_decay if decayed else 0.0, layer_decay ** steps[stage]
        groups.setdefault(key, []).extend(parameters)
    return tuple(Group(tuple(parameters), decay, rate) for (decay, rate), parameters in groups.items())


def is_weight(name: str, parameter: nn.Parameter) -> bool:
    """Whether features are multiplied by it: the weight of a linear layer or a convolution."""
    return parameter.ndim > 1 and name.endswith("weight") and POSITION_BIAS not in name.split(".")


def of_classifier(name: str) -> bool:
    """Whether it is the classifier's, or an auxiliary or distilled one's."""
    return "classifier" in name.split(".")


def _stage_of(network: nn.Module) -> dict[nn.Parameter, int]:
    """Give the first stage that each parameter is used in, if it is in any."""
    found: dict[nn.Parameter, int] = {}
    for number, stage in enumerate(network.stages()):  # type: ignore[operator]
        for parameter in stage.parameters():
            found.setdefault(parameter, number)
    return found


def _steps(network: nn.Module, last: int) -> list[int]:
    """How many steps before the classifier each stage lies; what is at the end is the classifier, at 0.

    A stage without a weight, a last norm, is no step of its own: it goes with the stage before it.
    """
    stages = network.stages()  # type: ignore[operator]
    weighty = [any(is_weight(name, p) for name, p in stage.named_parameters()) for stage in stages[: last + 1]]
    return [sum(weighty[number:]) + (not weighty[number]) for number in range(last + 1)] + [0]


def _named_undecayed(network: nn.Module) -> set[nn.Parameter]:
    """Give what the parts of a network say themselves should not be decayed, as timm's do."""
    found: set[nn.Parameter] = set()
    for module in network.modules():
        says = getattr(module, "no_weight_decay", None)
        if callable(says):
            parameters = dict(module.named_parameters())
            found.update(parameters[name] for name in says() if name in parameters)
    return found
