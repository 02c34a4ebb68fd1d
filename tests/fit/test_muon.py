"""Is our Muon torch's, on the weights that it is meant for?"""

from __future__ import annotations

import pytest
import torch
from paired_networks import gradients, networks
from small_networks import same_state
from torch import nn

from linne.fit.groups import parameter_groups
from linne.fit.muon import COEFFICIENTS, STEPS, Muon, hidden_weights, orthogonal
from linne.nets import create


class Three(nn.Module):
    """Three weights of one shape, one that is wide, and a convolution in two groups."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3)
        self.layers = nn.Sequential(*(nn.Linear(8, 24) for _ in range(3)), nn.Linear(24, 8))
        self.grouped = nn.Conv2d(8, 12, 3, groups=2)
        self.classifier = nn.Linear(8, 5)

    def stages(self) -> tuple[nn.Module, ...]:
        return self.stem, self.layers, self.grouped


def pair() -> tuple[Three, Three]:
    torch.manual_seed(0)
    one, other = Three(), Three()
    other.load_state_dict(one.state_dict())
    return one, other


def as_torch_has_it(network: Three) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Its hidden matrices, those of a convolution's groups each of its own, and all other parameters."""
    matrices = [layer.weight for layer in network.layers]
    matrices += [nn.Parameter(part.flatten(1).clone()) for part in network.grouped.weight.detach().chunk(2)]
    hidden = {network.grouped.weight, *matrices}
    return matrices, [p for p in network.parameters() if p not in hidden]


@pytest.mark.parametrize("at_once", [False, True], ids=["one by one", "at once"])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.bfloat16, 1e-4), (torch.float32, 2e-3)])
def test_equal_to_torchs_over_many_steps(at_once: bool, dtype: torch.dtype, tolerance: float) -> None:
    """torch's products are in bfloat16, so that in float32 only the first digits are the same."""
    ours, theirs = pair()
    matrices, others = as_torch_has_it(theirs)
    mine = Muon(parameter_groups(ours, 0, 0.05), hidden_weights(ours), at_once, dtype)
    muon = torch.optim.Muon(matrices, lr=1.0, weight_decay=0.05, momentum=0.95, adjust_lr_fn="match_rms_adamw")
    adamw = torch.optim.AdamW(
        [
            {"params": [p for p in others if p.ndim > 1], "weight_decay": 0.05},
            {"params": [p for p in others if p.ndim <= 1], "weight_decay": 0.0},
        ]
    )
    for step in range(10):
        gradients(ours, step)
        gradients(theirs, step)
        for matrix, part in zip(matrices[-2:], theirs.grouped.weight.grad.chunk(2), strict=True):  # type: ignore[union-attr]
            matrix.grad = part.flatten(1)
        learning_rate = 3e-3 * (1 - step / 10)
        for group in (*muon.param_groups, *adamw.param_groups):
            group["lr"] = learning_rate
        mine.step(learning_rate)
        muon.step()
        adamw.step()
    assert all(p.grad is None for p in ours.parameters())
    grouped = torch.cat([part.view(6, 4, 3, 3) for part in matrices[-2:]])
    torch.testing.assert_close(ours.grouped.weight, grouped, rtol=0, atol=tolerance)
    for name, parameter in ours.named_parameters():
        if name != "grouped.weight":
            torch.testing.assert_close(parameter, theirs.get_parameter(name), rtol=0, atol=tolerance)


@pytest.mark.parametrize("shape", [(1, 6, 10), (3, 10, 6), (2, 7, 7)])
def test_each_singular_value_goes_through_the_polynomial(shape: tuple[int, ...]) -> None:
    matrices = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    left, values, right = torch.linalg.svd(matrices, full_matrices=False)
    values = values / values.norm(dim=1, keepdim=True)
    a, b, c = COEFFICIENTS
    for _ in range(STEPS):
        values = a * values + b * values**3 + c * values**5
    torch.testing.assert_close(orthogonal(matrices, torch.float64), left @ torch.diag_embed(values) @ right)


def test_a_matrix_of_zeros_stays() -> None:
    assert torch.equal(orthogonal(torch.zeros(1, 3, 4), torch.float32), torch.zeros(1, 3, 4))


def test_hidden_weights_read_no_image_give_no_logits_and_are_no_vectors() -> None:
    with torch.device("meta"):
        vit, mobile, grouped = create("vit_tiny_16"), create("mobilenet_v2"), create("resnext50_32x4d")
        swin, auxiliary = create("swin_v2_tiny"), create("googlenet_aux")
    names = {p: name for name, p in vit.named_parameters()}
    assert {names[p] for p in hidden_weights(vit)} == {
        name for name, p in vit.named_parameters() if name.startswith("blocks.") and p.ndim == 2
    }
    for network in (mobile, swin, auxiliary):
        hidden = hidden_weights(network)
        for name, module in network.named_modules():
            if isinstance(module, nn.Conv2d) and module.groups == module.in_channels:
                assert module.weight not in hidden
            if isinstance(module, nn.Conv2d | nn.Linear) and ("classifier" in name or "position_bias" in name):
                assert module.weight not in hidden
    assert next(p for p in mobile.parameters() if p.ndim == 4) not in hidden_weights(mobile)
    assert set(hidden_weights(grouped).values()) == {1, 32}
    assert set(hidden_weights(mobile).values()) == {1}


def test_goes_on_from_its_state_bit_for_bit() -> None:
    going_on, stopped = networks()

    def fresh(network: nn.Module) -> Muon:
        return Muon(parameter_groups(network, 0, 0.05, 0.8), hidden_weights(network))

    first, before = fresh(going_on), fresh(stopped)
    for step in range(3):
        for network, optimiser in ((going_on, first), (stopped, before)):
            gradients(network, step)
            optimiser.step(1e-2)
    kept = {name: tensor.clone() for name, tensor in before.state().items()}
    after = fresh(stopped)
    after.load(kept)
    for network, optimiser in ((going_on, first), (stopped, after)):
        gradients(network, 3)
        optimiser.step(1e-2)
    assert same_state(going_on.state_dict(), stopped.state_dict())
    assert same_state(first.state(), after.state())


@pytest.mark.parametrize("at_once", [False, True], ids=["one by one", "at once"])
def test_a_parameter_without_a_gradient_stays(at_once: bool) -> None:
    network = Three()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    Muon(parameter_groups(network), hidden_weights(network), at_once).step(0.1)
    assert same_state(network.state_dict(), before)
