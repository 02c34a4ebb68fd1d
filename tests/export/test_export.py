"""Is what is shipped the network, and is anything else stopped at the gate?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from small_networks import normal, same_state, small_network, small_pixels, state_of
from torch import nn

from linne.export.model import export_model
from linne.export.parity import TIE, check_parity
from linne.nets import create
from linne.nets.catalogue import entry
from linne.records import fingerprint
from linne.records.errors import ParityError
from linne.records.pixel_spec import PixelSpec
from linne.runtime.session import Session


def cases() -> dict[str, tuple[nn.Module, PixelSpec]]:
    torch.manual_seed(0)
    return {
        "mobilenet": (small_network(classes=5), small_pixels()),
        "lenet": (create("lenet5", classes=5), entry("lenet5").pixels),
    }


@pytest.fixture(scope="module", params=cases())
def exported(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[nn.Module, Path, np.ndarray]:
    network, pixels = cases()[request.param]
    path = tmp_path_factory.mktemp("bundle") / "model.onnx"
    digest = export_model(network, pixels, path)
    assert digest == fingerprint.of_bytes(path.read_bytes()).hex()
    return network, path, normal(20, pixels.channels, pixels.height, pixels.width)


def test_an_export_passes_and_its_numbers_are_tiny(exported: tuple[nn.Module, Path, np.ndarray]) -> None:
    network, path, inputs = exported
    parity = check_parity(network, inputs, Session(path).run(inputs)[0], 1.0, path)
    assert parity.images == 20
    assert parity.top1_agreement == 1
    assert 0 <= parity.largest_probability_error < 1e-5
    assert 0 <= parity.largest_logit_error < 1e-4


def test_a_perturbed_weight_is_refused(exported: tuple[nn.Module, Path, np.ndarray], tmp_path: Path) -> None:
    _, path, inputs = exported
    model = onnx.load(path)
    tensor = next(t for t in model.graph.initializer if t.name == "classifier.bias")
    values = onnx.numpy_helper.to_array(tensor).copy()
    values[0] += 0.01
    tensor.CopyFrom(onnx.numpy_helper.from_array(values, tensor.name))
    onnx.save(model, tmp_path / "model.onnx")
    with pytest.raises(ParityError) as caught:
        check_parity(exported[0], inputs, Session(tmp_path / "model.onnx").run(inputs)[0], 1.0, tmp_path / "model.onnx")
    assert caught.value.file == str(tmp_path / "model.onnx")


class Fixed(nn.Module):
    """Gives these logits."""

    def __init__(self, logits: np.ndarray) -> None:
        super().__init__()
        self.logits = torch.from_numpy(logits)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.logits


def gate(network: np.ndarray, exported: np.ndarray) -> float:
    images = np.zeros((len(network), 1, 2, 2), np.float32)
    return check_parity(Fixed(network), images, exported, 1.0, Path("model.onnx")).top1_agreement


def test_a_tie_is_no_disagreement() -> None:
    one = np.array([[2.0, 2.0 + 1e-5, -1.0], [5.0, 0.0, 0.0]], np.float32)
    other = np.array([[2.0 + 1e-5, 2.0, -1.0], [5.0, 0.0, 0.0]], np.float32)
    assert gate(one, other) == 0.5


def test_just_more_than_the_allowed_error_is_refused() -> None:
    one = np.array([[0.0, 0.0]], np.float32)
    gate(one, np.array([[0.0, 3.5e-4]], np.float32))  # a probability error of 0.9e-4
    with pytest.raises(ParityError):
        gate(one, np.array([[0.0, 4.5e-4]], np.float32))
    assert TIE > 1e-4


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_number_is_refused(value: float) -> None:
    one = np.array([[1.0, 0.0], [0.0, 1.0]], np.float32)
    broken = one.copy()
    broken[1, 0] = value
    for pair in ((one, broken), (broken, one), (broken, broken)):
        with pytest.raises(ParityError):
            gate(*pair)


def test_another_class_on_one_image_of_many_is_refused() -> None:
    logits = normal(64, 5) * 10
    other = logits.copy()
    other[33] = np.roll(other[33], 1)
    with pytest.raises(ParityError):
        gate(logits, other)


def test_the_file_has_standard_operators_and_a_free_batch(exported: tuple[nn.Module, Path, np.ndarray]) -> None:
    _, path, inputs = exported
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    assert {node.domain for node in model.graph.node} == {""}
    assert {opset.domain for opset in model.opset_import} == {""}
    (given,), (out,) = model.graph.input, model.graph.output
    shape = [dim.dim_param or dim.dim_value for dim in given.type.tensor_type.shape.dim]
    assert shape == ["batch", *inputs.shape[1:]]
    assert (given.name, out.name) == ("images", "logits")
    session = Session(path)
    whole = session.run(inputs)[0]
    singly = np.concatenate([session.run(inputs[i : i + 1])[0] for i in range(len(inputs))])
    np.testing.assert_allclose(singly, whole, rtol=1e-4, atol=1e-5)


def test_exporting_leaves_the_weights_alone(tmp_path: Path) -> None:
    network = small_network()
    network.train()
    before = state_of(network)
    export_model(network, small_pixels(), tmp_path / "model.onnx")
    assert same_state(before, network.state_dict())
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]


def test_several_labels_are_compared_by_the_logistic_function_and_their_thresholds(
    exported: tuple[nn.Module, Path, np.ndarray],
) -> None:
    network, path, inputs = exported
    given = Session(path).run(inputs)[0]
    p = 1 / (1 + np.exp(-given.astype(np.float64)))
    thresholds = np.median(p, axis=0)
    parity = check_parity(network, inputs, given, 1.0, path, thresholds)
    assert parity.largest_probability_error < 1e-5
    shifted = given.copy()
    shifted[0] += 0.01  # the softmax sees nothing of it
    check_parity(network, inputs, shifted, 1.0, path)
    with pytest.raises(ParityError):
        check_parity(network, inputs, shifted, 1.0, path, thresholds)
