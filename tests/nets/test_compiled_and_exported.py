"""Does each family compile as one graph, export to ONNX with the same outputs, and learn?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from families import cheapest, every_family, images_for, lively_network, side
from references import noise

from linne.nets import create
from linne.nets.catalogue import entry
from linne.nets.to_onnx import to_onnx

FAST = ("lenet5", "resnet20_cifar", "mobilenet_v2_035", "vit_tiny_16", "swin_tiny")
"""What `make test` exports; `make test-all` exports every family."""


@pytest.mark.parametrize("name", [pytest.param(n, marks=[] if n in FAST else [pytest.mark.slow]) for n in cheapest()])
@pytest.mark.parametrize("larger", [0, 37])
def test_onnx_runtime_gives_the_same_logits(name: str, larger: int, tmp_path: Path) -> None:
    """At the usual size and at another, odd one, where positions are resampled."""
    network = lively_network(name, classes=10)
    images = images_for(name, 3, side(name) + larger)
    file = tmp_path / "model.onnx"
    to_onnx(network, images[:1], file, ["logits"])
    session = onnxruntime.InferenceSession(file)
    with torch.inference_mode():
        expected = network(images).numpy()
    found = session.run(None, {"images": images.numpy()})[0]
    assert np.abs(found - expected).max() <= 1e-3 * max(1.0, np.abs(expected).max())


@pytest.mark.slow
@pytest.mark.parametrize("name", every_family())
def test_compiles_as_one_graph(name: str) -> None:
    """Forward and backward; the graph is run as captured, since machine code for every family takes long."""
    network = lively_network(name, classes=10)
    images = images_for(name)
    compiled = torch.compile(network, fullgraph=True, backend="aot_eager")
    expected = network(images)
    found = compiled(images)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    found.square().mean().backward()
    assert all(p.grad is not None for stage in network.stages() for p in stage.parameters())


@pytest.mark.slow
@pytest.mark.parametrize("name", every_family())
def test_memorises_eight_images(name: str) -> None:
    torch.manual_seed(0)
    network = create(name, classes=8).train()
    for module in network.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    images, labels = noise(8, entry(name).pixels.channels, side(name), side(name)), torch.arange(8)
    optimizer = torch.optim.AdamW(network.parameters(), lr=STEP.get(entry(name).family, 1e-3), weight_decay=0.0)
    for _ in range(150):
        optimizer.zero_grad()
        logits = network(images)
        loss = torch.nn.functional.cross_entropy(logits, labels)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        if loss < 0.05:
            break
    assert (logits.argmax(1) == labels).all()
    assert loss < 0.5


STEP = {"alexnet": 1e-4, "alexnet_2012": 3e-4, "vgg": 1e-4}
"""Learning rates of families that have no norm."""


@pytest.mark.parametrize("name", ["resnet20_cifar", pytest.param("vit_tiny_16", marks=pytest.mark.slow)])
def test_checkpointing_compiles(name: str) -> None:
    """As one graph, with the same gradients and statistics."""
    plain, network = (lively_network(name, classes=4).train() for _ in range(2))
    network.checkpointing = True
    images = images_for(name, 4)
    plain(images).square().mean().backward()
    torch.compile(network, fullgraph=True, backend="aot_eager")(images).square().mean().backward()
    for theirs, ours in zip(plain.parameters(), network.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-4, atol=1e-5)
    for (key, theirs), ours in zip(plain.state_dict().items(), network.state_dict().values(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6, msg=key)


@pytest.mark.parametrize("sides", [(96, 96), pytest.param((160, 131), marks=pytest.mark.slow)])
def test_levit_is_exported_at_sizes_that_its_tables_were_not_learned_for(
    sides: tuple[int, int], tmp_path: Path
) -> None:
    network = lively_network("levit_128s", classes=4)
    images = noise(2, 3, *sides)
    to_onnx(network, images[:1], tmp_path / "model.onnx", ["logits"])
    found = onnxruntime.InferenceSession(tmp_path / "model.onnx").run(None, {"images": images.numpy()})[0]
    with torch.inference_mode():
        expected = network(images).numpy()
    assert np.abs(found - expected).max() <= 1e-3 * max(1.0, np.abs(expected).max())
