"""Run by torchrun in test_processes.py: what several processes compute together, against the whole."""

import copy
from functools import partial

import torch
import torch.nn.functional as F
from torch import nn

from linne.fit.groups import parameter_groups
from linne.fit.mixing import Mix
from linne.fit.optimise import Trainer
from linne.fit.optimisers import make_optimiser
from linne.fit.processes import ALONE, Processes, join
from linne.fit.synced_norm import sync_norms
from linne.fit.tail import Tail
from linne.nets.build import create
from linne.nets.catalogue import entry
from linne.records.recipe import Recipe

IMAGES = 13
CUTS = ([0, 7, IMAGES], [0, 0, IMAGES], [0, IMAGES, IMAGES])


def told(processes: Processes) -> None:
    parts = processes.gather(b"abc" * processes.rank)
    assert parts == [b"", b"abc"]
    assert processes.told(5.0 + processes.rank) == [5.0]
    assert processes.sums([1.0, float(processes.rank)]) == [2.0, 1.0]


def rolled(processes: Processes) -> None:
    whole = torch.arange(IMAGES * 2.0).reshape(IMAGES, 2)
    for cut in CUTS:
        own = slice(cut[processes.rank], cut[processes.rank + 1])
        assert torch.equal(processes.rolled(whole[own]), whole.roll(1, 0)[own])


def norms(processes: Processes) -> None:
    """torch's batch norm of the whole batch is the reference."""
    torch.manual_seed(0)
    for shape, norm in (
        ((IMAGES, 5, 3, 3), nn.BatchNorm2d(5)),
        ((IMAGES, 5), nn.BatchNorm1d(5)),
        ((IMAGES, 5, 3), nn.BatchNorm1d(5, momentum=None)),
        ((IMAGES, 5), nn.BatchNorm1d(5, affine=False)),
    ):
        images, weights = torch.randn(shape) * 3 + 10, torch.randn(shape)
        whole, inputs = copy.deepcopy(norm), images.clone().requires_grad_()
        outputs = whole(inputs)
        (outputs * weights).sum().backward()
        for cut in CUTS:
            own = slice(cut[processes.rank], cut[processes.rank + 1])
            module = nn.Sequential(copy.deepcopy(norm))
            (synced,) = sync_norms(module, processes)
            synced.counts = own.start < own.stop
            part = (images[own] if synced.counts else images[:1] * 0).clone().requires_grad_()
            given = module(part)
            (given * (weights[own] if synced.counts else 0)).sum().backward()
            if synced.counts:
                torch.testing.assert_close(given, outputs[own])
                torch.testing.assert_close(part.grad, inputs.grad[own], atol=1e-5, rtol=1e-4)
            for name, value in whole.state_dict().items():
                torch.testing.assert_close(module.state_dict()[f"0.{name}"], value)


def one_value(processes: Processes) -> None:
    """A batch of one image has no variance, and moves the running one to a number all the same."""
    module = nn.Sequential(nn.BatchNorm1d(3))
    (synced,) = sync_norms(module, processes)
    synced.counts = processes.first
    module(torch.ones(1, 3))
    assert all(value.isfinite().all() for value in module.state_dict().values())


def steps(processes: Processes) -> None:
    """Losses of one process are the reference, step by step, with batch norms that train, for uneven parts."""

    def losses(who: Processes, cut: list[int], mix: Mix | None, parts: int = 1) -> list[float]:
        torch.manual_seed(0)
        network = create("resnet20_cifar")
        recipe = Recipe("scratch", learning_rate=1e-3, optimiser="sgd", accumulation=parts)
        groups = parameter_groups(network, 0, recipe.weight_decay, recipe.layer_decay)
        trainer = Trainer(
            Tail(network, 0),
            partial(make_optimiser, recipe.optimiser, network, groups),
            recipe,
            torch.device("cpu"),
            entry("resnet20_cifar").pixels,
            partial(F.cross_entropy, reduction="none", label_smoothing=0.1),
            False,
            4,
            processes=who,
        )
        own = slice(None) if who.alone else slice(cut[who.rank], cut[who.rank + 1])
        found = []
        for number in range(4):
            torch.manual_seed(number)
            images, labels = torch.randn(IMAGES, 3, 32, 32), torch.randint(0, 10, (IMAGES,))
            found.append(float(trainer.step(images[own], labels[own], 0.5, (0, number), mix, IMAGES)))
        return found

    for cut, mix in ((CUTS[0], None), (CUTS[1], None), (CUTS[0], Mix(0.7, None))):
        torch.testing.assert_close(losses(processes, cut, mix), losses(ALONE, cut, mix), atol=1e-5, rtol=0)
    # More parts than either process has images: norms then see one or two images, and never none.
    found = losses(processes, CUTS[0], None, 2 * IMAGES)
    assert all(torch.tensor(found).isfinite())
    assert found == losses(processes, CUTS[0], None, 7)


if __name__ == "__main__":
    both = join()
    assert both.world == 2
    for check in (told, rolled, norms, one_value, steps):
        check(both)
    print("all agree")  # noqa: T201
