"""Are weights read back as they were written, and is anything else refused?"""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path

import pytest
import timm
import torch
import torchvision
from families import every_network
from safetensors.torch import load_file, save_file
from small_networks import REAL_WEIGHTS, SMALL, same_state, small_network, small_pixels, state_of
from torchvision.models import mobilenet_v2

from linne.nets import create
from linne.nets.catalogue import entry
from linne.nets.weights import read_weights, write_weights
from linne.nets.weights.files import PIXELS
from linne.nets.weights.locate import locate
from linne.records.errors import WeightsError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Weights of a small network of ten classes, with their preprocessing."""
    path = tmp_path / "small.safetensors"
    write_weights(path, small_network(), SMALL, small_pixels())
    return path


def damaged(file: Path, **changes: torch.Tensor | None) -> Path:
    """The same weights with tensors put in place, added or (None) left out."""
    state = {**load_file(file), **changes}
    other = file.with_name("changed.safetensors")
    save_file({key: value for key, value in state.items() if value is not None}, other)
    return other


def by_hand(path: Path, header: dict[str, object], data: bytes = b"") -> Path:
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


@pytest.mark.parametrize("name", every_network())
def test_every_network_comes_back(name: str, tmp_path: Path) -> None:
    torch.manual_seed(1)
    network, path = create(name, classes=3), tmp_path / "net.safetensors"
    write_weights(path, network, name, entry(name).pixels)
    found = read_weights(path)
    assert (found.network, found.naming, found.classes) == (name, "linne", 3)
    assert found.in_channels == entry(name).pixels.channels
    assert found.pixels == entry(name).pixels
    assert same_state(found.state, network.state_dict())
    assert same_state(create(name, weights=path).state_dict(), network.state_dict())


def test_writing_leaves_no_other_file(file: Path) -> None:
    write_weights(file, small_network(seed=2), SMALL, small_pixels())
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_channels_last_weights_come_back(tmp_path: Path) -> None:
    network = small_network().to(memory_format=torch.channels_last)
    write_weights(tmp_path / "a.safetensors", network, SMALL, small_pixels())
    assert same_state(read_weights(tmp_path / "a.safetensors").state, network.state_dict())


@pytest.mark.parametrize(("name", "width"), [("mobilenet_v2_035", 0.35), ("mobilenet_v2_140", 1.4)])
def test_torchvisions_names_are_found_out(name: str, width: float, tmp_path: Path) -> None:
    path = tmp_path / "theirs.safetensors"
    save_file(mobilenet_v2(width_mult=width, num_classes=5).state_dict(), path)
    found = read_weights(path)
    assert (found.network, found.naming, found.classes, found.pixels) == (name, "torchvision", 5, None)


@pytest.mark.real_data
@pytest.mark.skipif(not REAL_WEIGHTS.is_file(), reason="the weights do not lie beside the checkout")
def test_real_weights_are_found_out() -> None:
    found = read_weights(REAL_WEIGHTS)
    assert (found.network, found.naming, found.classes, found.in_channels) == ("mobilenet_v2", "torchvision", 1000, 3)


def test_reading_draws_nothing_from_torchs_generator(file: Path) -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    read_weights(file)
    assert torch.equal(torch.get_rng_state(), before)


def test_other_classes_get_a_random_head_and_the_same_body(file: Path) -> None:
    torch.manual_seed(0)
    network = create(SMALL, classes=4, weights=file)
    other = create(SMALL, classes=4, weights=file)
    body, given = state_of(network), load_file(file)
    head = body.pop("classifier.weight")
    assert head.shape == (4, network.feature_size)
    assert not torch.equal(head, other.classifier.weight)
    assert not body.pop("classifier.bias").any()
    assert all(torch.equal(value, given[key]) for key, value in body.items())


def test_the_same_classes_keep_the_head(file: Path) -> None:
    assert torch.equal(create(SMALL, classes=10, weights=file).classifier.weight, load_file(file)["classifier.weight"])


def test_weights_of_another_network_are_refused(file: Path) -> None:
    with pytest.raises(WeightsError) as caught:
        create("mobilenet_v2", weights=file)
    assert caught.value.file == str(file)
    assert SMALL in str(caught.value)


def test_other_channels_than_the_weights_are_refused(file: Path) -> None:
    with pytest.raises(WeightsError):
        create(SMALL, weights=file, in_channels=1)


@pytest.mark.parametrize("name", ["net.pth", "net.pt", "net.bin", "net.pkl", "net.ckpt", "NET.PTH"])
def test_a_pickle_is_refused_unread(name: str, tmp_path: Path) -> None:
    marker = tmp_path / "ran"

    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return os.system, (f"touch {marker}",)

    torch.save({"weights": Evil()}, tmp_path / name)
    with pytest.raises(WeightsError):
        read_weights(tmp_path / name)
    disguised = tmp_path / "net.safetensors"
    disguised.write_bytes((tmp_path / name).read_bytes())
    with pytest.raises(WeightsError):
        read_weights(disguised)
    assert not marker.exists()


@pytest.mark.parametrize("keep", [0, 1, 7, 8, 9, 1000, -1])
def test_a_truncated_file_is_refused(file: Path, keep: int) -> None:
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(WeightsError) as caught:
        read_weights(file)
    assert caught.value.file == str(file)


def test_random_bytes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "noise.safetensors"
    path.write_bytes(
        torch.randint(0, 256, (5000,), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)).numpy()
    )
    with pytest.raises(WeightsError):
        read_weights(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "gone.safetensors", tmp_path):
        with pytest.raises(WeightsError) as caught:
            read_weights(path)
        assert caught.value.file == str(path)


@pytest.mark.parametrize(
    "change",
    [
        {"last.norm.weight": torch.ones(3)},
        {"classifier.weight": torch.ones(10, 3)},
        {"classifier.weight": torch.ones(10)},
        {"stem.conv.weight": torch.ones(16, 3, 5, 5)},
        {"stem.conv.weight": torch.ones(16)},
        {"something.else": torch.ones(3)},
        {"classifier.bias": None},
        {"classifier.weight": None},
    ],
)
def test_a_wrong_shape_an_extra_key_and_a_missing_one_are_refused(
    file: Path, change: dict[str, torch.Tensor | None]
) -> None:
    with pytest.raises(WeightsError):
        read_weights(damaged(file, **change))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_weight_that_is_no_number_is_refused(file: Path, value: float) -> None:
    broken = load_file(file)["last.norm.weight"]
    broken[7] = value
    with pytest.raises(WeightsError) as caught:
        read_weights(damaged(file, **{"last.norm.weight": broken}))
    assert caught.value.value == "last.norm.weight"


@pytest.mark.parametrize("size", [2**40, 2**63 - 1, 2**64 - 1])
def test_a_header_that_claims_a_huge_size_is_refused(tmp_path: Path, size: int) -> None:
    path = tmp_path / "huge.safetensors"
    path.write_bytes(struct.pack("<Q", size) + b"{}")
    with pytest.raises(WeightsError):
        read_weights(path)


def test_a_tensor_that_claims_a_huge_size_is_refused(tmp_path: Path) -> None:
    shape = [10**6, 10**6]
    header = {"classifier.weight": {"dtype": "F32", "shape": shape, "data_offsets": [0, 4 * 10**12]}}
    with pytest.raises(WeightsError):
        read_weights(by_hand(tmp_path / "huge.safetensors", header))


@pytest.mark.parametrize("key", ["classifier.weight", "stem.conv.weight"])
def test_an_empty_tensor_with_a_huge_side_is_refused(file: Path, key: str) -> None:
    shape = (10**10, 0) if key.startswith("classifier") else (16, 10**10, 0, 3)
    with pytest.raises(WeightsError):
        read_weights(damaged(file, **{key: torch.empty(shape)}))


@pytest.mark.parametrize(
    "said", ["no json", "[1]", "5", "{}", "[" * 100_000, json.dumps({**small_pixels().to_json(), "std": [0, 0, 0]})]
)
def test_damaged_preprocessing_is_refused(file: Path, said: str) -> None:
    save_file(load_file(file), file, metadata={PIXELS: said})
    with pytest.raises(WeightsError):
        read_weights(file)


def test_preprocessing_for_other_channels_is_refused(file: Path) -> None:
    gray = {**small_pixels().to_json(), "channels": 1, "mean": [0.5], "std": [0.5]}
    save_file(load_file(file), file, metadata={PIXELS: json.dumps(gray)})
    with pytest.raises(WeightsError):
        read_weights(file)


def test_a_file_that_fits_networks_which_compute_differently_must_be_named(tmp_path: Path) -> None:
    """The same shapes, padded otherwise: a silent guess would cost accuracy."""
    torch.manual_seed(0)
    save_file(create("tf_efficientnet_b0", classes=3).state_dict(), tmp_path / "w.safetensors")
    with pytest.raises(WeightsError) as caught:
        read_weights(tmp_path / "w.safetensors")
    assert {"efficientnet_b0", "tf_efficientnet_b0"} <= set(str(caught.value).split())
    assert read_weights(tmp_path / "w.safetensors", "tf_efficientnet_b0").network == "tf_efficientnet_b0"


def test_a_file_of_linne_says_whose_it_is(tmp_path: Path) -> None:
    torch.manual_seed(0)
    for name in ("efficientnet_b0", "tf_efficientnet_b0"):
        write_weights(tmp_path / "w.safetensors", create(name, classes=3), name, entry(name).pixels)
        assert read_weights(tmp_path / "w.safetensors").network == name
    with pytest.raises(WeightsError):
        read_weights(tmp_path / "w.safetensors", "efficientnet_b0")


@pytest.mark.parametrize("name", ["lenet5_1998", "deit_tiny_distilled", "levit_128s"])
def test_a_new_head_in_the_place_of_a_special_one_comes_back(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = create(name)
    network.replace_head(7)
    write_weights(tmp_path / "w.safetensors", network, name, entry(name).pixels)
    again = create(name, weights=tmp_path / "w.safetensors")
    assert same_state(again.state_dict(), network.state_dict())
    assert create(name, weights=tmp_path / "w.safetensors", classes=3).classifier.out_features == 3


def test_weights_of_another_family_are_told_with_the_keys_that_do_not_fit(tmp_path: Path) -> None:
    torch.manual_seed(0)
    state = create("resnet18", classes=3).state_dict()
    del state["layers.0.0.conv1.norm.bias"]
    state["surplus"] = torch.ones(1)
    save_file(state, tmp_path / "w.safetensors")
    with pytest.raises(WeightsError) as caught:
        read_weights(tmp_path / "w.safetensors", "resnet18")
    assert "layers.0.0.conv1.norm.bias" in str(caught.value)
    assert "surplus" in str(caught.value)
    with pytest.raises(WeightsError) as caught:
        read_weights(tmp_path / "w.safetensors", "vit_tiny_16")
    assert "embedding.class_token" in str(caught.value)


def test_a_whole_file_of_another_family_is_told_with_its_keys_too(tmp_path: Path) -> None:
    torch.manual_seed(0)
    save_file(create("resnet18", classes=3).state_dict(), tmp_path / "w.safetensors")
    with pytest.raises(WeightsError) as caught:
        read_weights(tmp_path / "w.safetensors", "mobilenet_v2")
    assert "resnet18" in str(caught.value)
    assert "stem.conv.weight" in str(caught.value)


def test_a_stray_key_in_another_naming_is_told_by_its_own_name(tmp_path: Path) -> None:
    state = torchvision.models.resnet18(num_classes=3).state_dict()
    save_file({**state, "extra.weight": torch.ones(1)}, tmp_path / "w.safetensors")
    with pytest.raises(WeightsError) as caught:
        read_weights(tmp_path / "w.safetensors", "resnet18")
    assert "extra.weight" in str(caught.value)
    assert "bn1" not in str(caught.value)


def test_names_of_parallel_and_compiled_networks_are_unwrapped(tmp_path: Path) -> None:
    state = torchvision.models.resnet18(num_classes=3).state_dict()
    save_file({f"_orig_mod.module.{key}": value for key, value in state.items()}, tmp_path / "w.safetensors")
    found = read_weights(tmp_path / "w.safetensors")
    assert (found.network, found.naming, found.classes) == ("resnet18", "torchvision", 3)


@pytest.mark.parametrize("tag", ["a1_in1kk", "no_such", "imagenet:no_such"])
def test_a_mistyped_tag_is_told_with_those_that_there_are(tag: str) -> None:
    with pytest.raises(WeightsError) as caught:
        locate(tag, "resnet18")
    assert "a1_in1k" in str(caught.value.remedy)


@pytest.mark.parametrize("dtype", [torch.bool, torch.int8, torch.uint8, torch.int64, torch.complex64])
def test_weights_that_are_no_fractions_are_refused(dtype: torch.dtype, tmp_path: Path) -> None:
    state = {key: value.to(dtype) for key, value in create("lenet5", classes=3).state_dict().items()}
    save_file(state, tmp_path / "w.safetensors")
    with pytest.raises(WeightsError):
        read_weights(tmp_path / "w.safetensors", "lenet5")


def test_a_weight_too_large_for_float32_is_refused(tmp_path: Path) -> None:
    state = {key: value.double() for key, value in create("lenet5", classes=3).state_dict().items()}
    state["c1.weight"].view(-1)[0] = 1e300
    save_file(state, tmp_path / "w.safetensors")
    with pytest.raises(WeightsError) as caught:
        read_weights(tmp_path / "w.safetensors", "lenet5")
    assert caught.value.value == "c1.weight"


def test_files_from_before_batch_norms_counted_are_read(tmp_path: Path) -> None:
    state = torchvision.models.resnet18(num_classes=3).state_dict()
    old = {key: value for key, value in state.items() if not key.endswith("num_batches_tracked")}
    torch.save(old, tmp_path / "old.pth")
    network = create("resnet18", weights=tmp_path / "old.pth")
    assert torch.equal(network.state_dict()["stem.norm.weight"], state["bn1.weight"])
    del old["bn1.weight"]
    torch.save(old, tmp_path / "old.pth")
    with pytest.raises(WeightsError):
        read_weights(tmp_path / "old.pth", "resnet18")


def test_wrapped_a_thousand_times(tmp_path: Path) -> None:
    state = create("lenet5", classes=3).state_dict()
    torch.save({"module." * 3000 + key: value for key, value in state.items()}, tmp_path / "w.pth")
    assert same_state(read_weights(tmp_path / "w.pth").state, state)


@pytest.mark.parametrize("name", ["model_best.pth.tar", "model.th", "weights"])
def test_torch_files_are_known_by_their_bytes(name: str, tmp_path: Path) -> None:
    state = create("lenet5", classes=3).state_dict()
    for zipped in (True, False):
        torch.save(state, tmp_path / name, _use_new_zipfile_serialization=zipped)
        assert same_state(read_weights(tmp_path / name).state, state)


def test_a_safetensors_file_whose_length_begins_like_a_pickle_is_one(tmp_path: Path) -> None:
    for spare in range(256):
        save_file(create("lenet5", classes=3).state_dict(), tmp_path / "w", metadata={"x": "y" * spare})
        if (tmp_path / "w").read_bytes()[0] == 0x80:
            break
    assert (tmp_path / "w").read_bytes()[0] == 0x80
    assert read_weights(tmp_path / "w").network == "lenet5"


@pytest.mark.parametrize("said", ["resnet18", "nonsense"])
def test_a_file_that_says_a_wrong_network_is_refused_whatever_is_asked_for(said: str, tmp_path: Path) -> None:
    save_file(create("lenet5", classes=3).state_dict(), tmp_path / "w.safetensors", metadata={"linne.network": said})
    for network in (None, "resnet18", "lenet5"):
        with pytest.raises(WeightsError) as caught:
            read_weights(tmp_path / "w.safetensors", network)
        assert caught.value.file == str(tmp_path / "w.safetensors")
        assert said in str(caught.value)


def test_no_heads_for_training_but_those_of_the_family_are_left_out(tmp_path: Path) -> None:
    state = {**create("lenet5", classes=3).state_dict(), "auxiliary.evil": torch.zeros(3)}
    save_file(state, tmp_path / "w.safetensors")
    with pytest.raises(WeightsError):
        read_weights(tmp_path / "w.safetensors", "lenet5")


def test_long_keys_are_told_shortened(tmp_path: Path) -> None:
    save_file({"k" * 50_000: torch.zeros(3)}, tmp_path / "w.safetensors")
    for network in (None, "lenet5"):
        with pytest.raises(WeightsError) as caught:
            read_weights(tmp_path / "w.safetensors", network)
        assert len(str(caught.value)) < 1000


def test_tables_of_another_rank_fit_nothing(tmp_path: Path) -> None:
    state = {key: torch.zeros(1) for key in timm.create_model("levit_128s").state_dict()}
    save_file(state, tmp_path / "w.safetensors")
    with pytest.raises(WeightsError):
        read_weights(tmp_path / "w.safetensors", "levit_128s")
