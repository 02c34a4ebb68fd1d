"""Is the gradient of a batch in parts that of the batch, whatever the parts, and the memory?"""

from __future__ import annotations

import copy
import threading

import pytest
import torch
from small_networks import normal, same_state, small_network, state_of, without_chance
from torch import Tensor, nn
from toy_training import trainer_of

from linne.fit.folded import FixedNorm, fold_fixed_norms
from linne.fit.lanes import Lanes, can_share
from linne.fit.tail import Tail
from linne.nets import create
from linne.nets.blocks.drop_path import DropPath, set_drop_path
from linne.records.errors import LinneError
from linne.records.recipe import Recipe

IMAGES = 7
LABELS = torch.arange(IMAGES) % 3


def images(side: int = 64) -> Tensor:
    return torch.from_numpy(normal(IMAGES, 3, side, side))


def losses(logits: Tensor, part: slice) -> Tensor:
    return nn.functional.cross_entropy(logits, LABELS[part], reduction="none")


def gradients(
    module: nn.Module, lanes: int, parts: int = 1, seed: int = 0, fixed_norms: bool = True
) -> tuple[Tensor, list[Tensor]]:
    computed = Lanes(module, lanes, fixed_norms, torch.float32)
    each = computed.backward(images(), losses, parts, (seed,), 1 / IMAGES)
    found = [parameter.grad.clone() for parameter in module.parameters() if parameter.grad is not None]
    for parameter in module.parameters():
        parameter.grad = None
    return each, found


def close(some: list[Tensor], others: list[Tensor]) -> bool:
    return all(
        torch.allclose(a, b, rtol=1e-3, atol=1e-5 * float(b.abs().max() + 1e-3))
        for a, b in zip(some, others, strict=True)
    )


def plain(network: nn.Module) -> tuple[Tensor, list[Tensor]]:
    """The reference: PyTorch's own, in evaluation mode, since nothing is drawn and statistics are fixed."""
    network = copy.deepcopy(network).eval()
    each = nn.functional.cross_entropy(network(images()), LABELS, reduction="none")
    each.mean().backward()
    return each.detach(), [parameter.grad for parameter in network.parameters()]


@pytest.mark.parametrize("name", ["mobilenet_v2_035", "resnet18", "convnext_tiny"])
def test_folded_norms_give_the_logits_and_gradients_of_pytorchs(name: str) -> None:
    network = without_chance(small_network(3) if name == "mobilenet_v2_035" else create(name, 3))
    each, expected = plain(network)
    found, given = gradients(network, 1)
    torch.testing.assert_close(found, each, rtol=1e-4, atol=1e-5)
    assert len(given) == len(expected)
    assert close(given, expected)


@pytest.mark.parametrize(("lanes", "parts"), [(2, 1), (3, 1), (1, 2), (1, 3), (2, 2), (3, 7), (9, 1), (2, 100)])
def test_the_gradient_is_that_of_one_piece(lanes: int, parts: int) -> None:
    network = without_chance(small_network(3))
    each, expected = gradients(network, 1)
    before = state_of(network)
    found, given = gradients(network, lanes, parts)
    torch.testing.assert_close(found, each, rtol=1e-4, atol=1e-5)
    assert close(given, expected)
    assert same_state(before, network.state_dict())  # statistics, too


@pytest.mark.parametrize(("lanes", "parts"), [(1, 1), (2, 1), (2, 2)])
def test_what_is_drawn_depends_on_the_seed_alone(lanes: int, parts: int) -> None:
    network = small_network(3)
    set_drop_path(network, 0.3)
    torch.manual_seed(1)
    _, one = gradients(network, lanes, parts, seed=5)
    torch.manual_seed(2)
    _, same = gradients(network, lanes, parts, seed=5)
    _, other = gradients(network, lanes, parts, seed=6)
    assert all(map(torch.equal, one, same))
    assert not close(one, other)


def test_no_two_lanes_draw_the_same() -> None:
    module = nn.Sequential(nn.Flatten(), nn.Dropout(0.5))
    drawn = []

    def noted(out: Tensor, part: slice) -> Tensor:
        drawn.append((part.start, out.detach()))
        return (out * weight).sum(1)

    weight = nn.Parameter(torch.ones(12))
    module.append(nn.Linear(12, 12))
    nn.init.eye_(module[2].weight)
    nn.init.zeros_(module[2].bias)
    Lanes(module, 2, True, torch.float32).backward(torch.ones(8, 3, 2, 2), noted, 1, (0,), 1.0)
    (_, first), (_, second) = sorted(drawn, key=lambda each: each[0])
    assert set(torch.cat([first, second]).unique().tolist()) == {0.0, 2.0}
    assert not torch.equal(first, second)


def test_batch_norms_that_see_the_batch_are_not_shared() -> None:
    network = small_network(3)
    assert can_share(network, fixed_norms=True)
    assert not can_share(network, fixed_norms=False)
    before = state_of(network)
    gradients(network, 2, fixed_norms=False)
    statistics = [name for name in before if "running" in name]
    assert not any(torch.equal(before[name], network.state_dict()[name]) for name in statistics)
    assert can_share(create("lenet5"), fixed_norms=False)
    assert can_share(nn.Sequential(nn.Dropout(0.1), DropPath(0.1)), fixed_norms=False)
    assert not can_share(nn.Sequential(nn.AlphaDropout(0.1)), fixed_norms=True)


def test_lanes_follow_the_weights_wherever_they_come_from() -> None:
    network = without_chance(small_network(3))
    trainer = trainer_of(Tail(network, 0), Recipe("whole", lanes=2, learning_rate=1e-2))
    for step in range(3):
        trainer.step(images(), LABELS, 0.5, (0, step))
    other = without_chance(small_network(3, seed=7))
    for given in (state_of(network), other.state_dict()):
        network.load_state_dict(given)
        _, expected = plain(network)
        trainer._lanes.backward(images(), losses, 1, (0,), 1 / IMAGES)
        assert close([p.grad for p in network.parameters()], expected)
        for parameter in network.parameters():
            parameter.grad = None


def test_folding_keeps_the_parameters_and_takes_no_norm_that_is_watched() -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 1))
    parameters = set(module.parameters())
    fold_fixed_norms(module)
    assert isinstance(module[0], FixedNorm)
    assert set(module.parameters()) == parameters
    watched = nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4))
    watched[1].register_forward_hook(lambda *_: None)
    fold_fixed_norms(watched)
    assert isinstance(watched[1], nn.BatchNorm2d)


class Hungry(nn.Module):
    """Has memory for so many images at once, all lanes together."""

    most = 0
    lock = threading.Lock()

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Linear(3 * 4 * 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        if len(x) > Hungry.most:
            raise torch.OutOfMemoryError("out of memory")
        return self.layer(x.flatten(1))


@pytest.mark.parametrize("lanes", [1, 2])
@pytest.mark.parametrize("most", [1, 2, 3, 7])
def test_a_batch_that_does_not_fit_is_computed_in_parts(most: int, lanes: int) -> None:
    states, found = [], []
    for allowed in (100, most):
        Hungry.most = allowed
        module = Hungry()
        trainer = trainer_of(module, Recipe("whole", lanes=lanes, clip=0.0, optimiser="sgd", learning_rate=0.1))
        found.append(float(trainer.step(images(4), LABELS, 0.5, (0,))))
        states.append(state_of(module))
        parts = int(trainer.state()["parts"])
        assert all(p.grad is None for p in module.parameters())
    assert parts == {1: {1: 8, 2: 4}, 2: {1: 4, 2: 2}, 3: {1: 4, 2: 2}, 7: {1: 1, 2: 1}}[most][lanes]
    assert found[0] == pytest.approx(found[1], rel=1e-6)
    for name, expected in states[0].items():
        torch.testing.assert_close(states[1][name], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("lanes", [1, 2])
def test_a_teacher_that_has_too_little_memory_is_asked_of_parts(lanes: int) -> None:
    found = []
    for allowed in (100, 2):
        Hungry.most = 100

        def teacher(seen: Tensor, allowed: int = allowed) -> Tensor:
            if len(seen) > allowed:
                raise torch.OutOfMemoryError("out of memory")
            return seen.flatten(1)[:, :3]

        trainer = trainer_of(Hungry(), Recipe("whole", lanes=lanes, optimiser="sgd"), teacher=teacher)
        found.append(float(trainer.step(images(4), LABELS, 0.5, (0,))))
    assert found[1] == pytest.approx(found[0], rel=1e-6)


def test_an_attempt_that_failed_has_moved_no_running_statistics() -> None:
    """Its first half is normalised, and then memory does not suffice for the rest."""

    class Normed(Hungry):
        def __init__(self) -> None:
            super().__init__()
            self.norm = nn.BatchNorm2d(3)

        def forward(self, x: Tensor) -> Tensor:
            return super().forward(self.norm(x))

    found = []
    for parts, allowed in ((1, 4), (2, 100)):
        Hungry.most, module = allowed, Normed()
        recipe = Recipe("scratch", accumulation=parts, optimiser="sgd")
        trainer_of(module, recipe, pretrained=False).step(images(4), LABELS, 0.5, (0,))
        found.append(state_of(module))
    assert same_state(*found)
    assert int(found[0]["norm.num_batches_tracked"]) == 2


def test_where_one_lane_fails_the_other_leaves_no_gradient_behind() -> None:
    """The second lane is still computing when the first has failed."""
    failed = threading.Event()

    class Late(Hungry):
        calls = 0

        def forward(self, x: Tensor) -> Tensor:
            with Hungry.lock:
                Late.calls += 1
                first = Late.calls == 1
            if first:
                failed.set()
                raise torch.OutOfMemoryError("out of memory")
            if not failed.is_set():
                failed.wait(5)
            threading.Event().wait(0.05)
            return self.layer(x.flatten(1))

    expected_of = Hungry()
    Hungry.most = 100
    trainer_of(expected_of, Recipe("whole", optimiser="sgd")).step(images(4), LABELS, 0.5, (0,))
    module = Late()
    trainer_of(module, Recipe("whole", lanes=2, optimiser="sgd")).step(images(4), LABELS, 0.5, (0,))
    torch.testing.assert_close(module.layer.weight, expected_of.layer.weight, rtol=1e-5, atol=1e-6)


def test_one_image_that_does_not_fit_is_told() -> None:
    Hungry.most = 0
    with pytest.raises(LinneError) as error:
        trainer_of(Hungry(), Recipe("whole")).step(images(4), LABELS, 0.5, (0,))
    assert error.value.remedy


def test_another_error_is_no_lack_of_memory() -> None:
    class Broken(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            raise RuntimeError("shapes")

    with pytest.raises(RuntimeError, match="shapes"):
        trainer_of(Broken(1, 3), Recipe("whole")).step(images(4), LABELS, 0.5, (0,))
