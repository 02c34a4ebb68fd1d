"""Does a recorded step do what the step itself does?"""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from graph import captured, gradients
from torch import Tensor, nn

from linne.embed.backends import device
from linne.nets import create

DEVICE = device()


def network() -> nn.Module:
    torch.manual_seed(0)
    return create("cifarnet").to(DEVICE, memory_format=torch.channels_last).train()


def batch(seed: int) -> tuple[Tensor, Tensor]:
    rng = torch.Generator().manual_seed(seed)
    images, labels = torch.randn(16, 3, 32, 32, generator=rng), torch.randint(0, 10, (16,), generator=rng)
    return images.to(DEVICE, memory_format=torch.channels_last), labels.to(DEVICE)


def test_gradients_are_those_of_backward() -> None:
    made, other = network(), network()
    made.stem.requires_grad_(False)
    function, trained = gradients(made, lambda images, labels: F.cross_entropy(made(images), labels))
    loss, *found = function(*batch(0))
    expected = F.cross_entropy(other(batch(0)[0]), batch(0)[1])
    expected.backward()
    torch.testing.assert_close(loss, expected.detach())
    names = {id(parameter): name for name, parameter in made.named_parameters()}
    assert [names[id(p)] for p in trained] == [n for n, _ in other.named_parameters() if not n.startswith("stem.")]
    for parameter, gradient in zip(trained, found, strict=True):
        torch.testing.assert_close(gradient, other.get_parameter(names[id(parameter)]).grad, rtol=1e-3, atol=1e-5)


def test_a_recorded_step_trains_as_the_step_itself() -> None:
    states = []
    for record in (False, True):
        made = network()
        function, trained = gradients(made, lambda images, labels, made=made: F.cross_entropy(made(images), labels))
        if record:
            function = captured(function, batch(9), made.buffers())
        losses = []
        for step in range(4):
            loss, *found = function(*batch(step))
            losses.append(float(loss))
            with torch.no_grad():
                for parameter, gradient in zip(trained, found, strict=True):
                    parameter.sub_(gradient, alpha=0.05)
        states.append((losses, made.state_dict()))
    (losses, state), (recorded, other) = states
    assert recorded == pytest.approx(losses, rel=1e-3)
    for key, value in state.items():
        torch.testing.assert_close(value, other[key], rtol=1e-2, atol=1e-3)


@pytest.mark.skipif(DEVICE.type != "cuda", reason="nothing is recorded on a CPU")
def test_inputs_of_another_shape_are_refused() -> None:
    function = captured(lambda x: (2 * x,), [torch.zeros(4, device=DEVICE)])
    assert torch.equal(function(torch.ones(4, device=DEVICE))[0].cpu(), torch.full((4,), 2.0))
    with pytest.raises(ValueError, match="shapes"):
        function(torch.ones(1, device=DEVICE))
