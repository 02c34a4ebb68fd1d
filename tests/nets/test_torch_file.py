"""Are torch's own files read without running what they say?"""

from __future__ import annotations

import os
import pickle
import zipfile
from argparse import Namespace
from collections import Counter, OrderedDict, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_networks import same_state, small_network

from linne.nets.weights.torch_file import read_torch_file
from linne.records.errors import WeightsError

DTYPES = [
    torch.float32,
    torch.float64,
    torch.float16,
    torch.bfloat16,
    torch.int64,
    torch.int32,
    torch.uint8,
    torch.bool,
]


@pytest.mark.parametrize("zipped", [True, False])
def test_a_state_dict_comes_back(zipped: bool, tmp_path: Path) -> None:
    state = small_network().state_dict()
    torch.save(state, tmp_path / "a.pth", _use_new_zipfile_serialization=zipped)
    assert same_state(read_torch_file(tmp_path / "a.pth"), state)


@pytest.mark.parametrize("zipped", [True, False])
def test_views_parameters_and_every_type(zipped: bool, tmp_path: Path) -> None:
    whole = torch.arange(24.0).reshape(4, 6)
    state: dict[str, Any] = {str(dtype): torch.ones(3, dtype=dtype) for dtype in DTYPES}
    state |= {
        "part": whole[1:3, ::2],
        "turned": whole.T,
        "parameter": torch.nn.Parameter(whole.clone()),
        "scalar": torch.tensor(7),
        "empty": torch.empty(0, 3),
    }
    torch.save(state, tmp_path / "a.pth", _use_new_zipfile_serialization=zipped)
    found = read_torch_file(tmp_path / "a.pth")
    assert same_state(found, {key: value.detach() for key, value in state.items()})
    assert all(found[key].dtype == state[key].dtype for key in state)


@pytest.mark.parametrize("key", ["state_dict", "model", "model_state_dict"])
def test_a_checkpoint_of_a_training_script(key: str, tmp_path: Path) -> None:
    state = OrderedDict(weight=torch.ones(2), bias=torch.zeros(2))
    torch.save({key: state, "epoch": 3, "loss": 0.5, "lr": [0.1], "name": "x"}, tmp_path / "a.pth")
    assert same_state(read_torch_file(tmp_path / "a.pth"), dict(state))


def test_a_checkpoint_with_what_only_its_script_knows(tmp_path: Path) -> None:
    """`torch.load` with ``weights_only`` refuses such files, which common training scripts write."""
    layer = torch.nn.Linear(2, 3)
    optimizer = torch.optim.AdamW(layer.parameters())
    layer(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    checkpoint = {
        "args": Namespace(lr=0.1, parent=Namespace(epochs=3)),
        "counts": Counter(steps=3),
        "moments": defaultdict(list, {"first": [torch.ones(4)]}),
        "state_dict": layer.state_dict(),
        "optimizer": optimizer.state_dict(),
        "out": Path("runs"),
        "metric": np.float64(0.5),
    }
    for zipped in (True, False):
        torch.save(checkpoint, tmp_path / "a.pth", _use_new_zipfile_serialization=zipped)
        assert same_state(read_torch_file(tmp_path / "a.pth"), layer.state_dict())


class Attack:
    """What pickles are feared for."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.file),)


@pytest.mark.parametrize("zipped", [True, False])
def test_nothing_is_run(zipped: bool, tmp_path: Path) -> None:
    victim = tmp_path / "made"
    torch.save(
        {"weight": torch.ones(2), "x": Attack(victim)}, tmp_path / "a.pth", _use_new_zipfile_serialization=zipped
    )
    with pytest.raises(WeightsError) as caught:
        read_torch_file(tmp_path / "a.pth")
    assert caught.value.file == str(tmp_path / "a.pth")
    assert "mkdir" in str(caught.value.value)
    state = {"weight": torch.ones(2)}
    torch.save({"model": state, "x": Attack(victim)}, tmp_path / "b.pth", _use_new_zipfile_serialization=zipped)
    assert same_state(read_torch_file(tmp_path / "b.pth"), state)
    assert not victim.exists()


def test_a_plain_pickle_a_whole_network_and_rubbish_are_refused(tmp_path: Path) -> None:
    (tmp_path / "plain.pth").write_bytes(pickle.dumps({"weight": 1}))
    (tmp_path / "empty.pth").write_bytes(b"")
    (tmp_path / "text.pth").write_text("weights")
    torch.save(torch.nn.Linear(2, 2), tmp_path / "network.pth")
    torch.save([torch.ones(2)], tmp_path / "list.pth")
    torch.save({}, tmp_path / "nothing.pth")
    for name in ("plain", "empty", "text", "network", "list", "nothing", "gone"):
        with pytest.raises(WeightsError):
            read_torch_file(tmp_path / f"{name}.pth")


def test_a_storage_that_is_compressed_or_too_short_is_refused(tmp_path: Path) -> None:
    torch.save({"weight": torch.ones(64)}, tmp_path / "a.pth")
    for name, compression, cut in (("bomb", zipfile.ZIP_DEFLATED, 0), ("short", zipfile.ZIP_STORED, 4)):
        changed = tmp_path / f"{name}.pth"
        with zipfile.ZipFile(tmp_path / "a.pth") as old, zipfile.ZipFile(changed, "w", compression) as new:
            for entry in old.namelist():
                data = old.read(entry)
                new.writestr(entry, data[: len(data) - cut] if "/data/" in entry else data)
        with pytest.raises(WeightsError):
            read_torch_file(changed)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 10**6), byte=st.integers(0, 255), zipped=st.booleans())
def test_a_damaged_file_is_read_or_refused(at: int, byte: int, zipped: bool, tmp_path: Path) -> None:
    file = tmp_path / f"{zipped}.pth"
    torch.save({"weight": torch.ones(3, 2), "bias": torch.zeros(3)}, file, _use_new_zipfile_serialization=zipped)
    data = bytearray(file.read_bytes())
    data[at % len(data)] = byte
    file.write_bytes(data)
    try:
        state = read_torch_file(file)
    except WeightsError:
        return
    assert all(isinstance(value, torch.Tensor) for value in state.values())


def test_a_tensor_larger_than_its_storage_is_refused(tmp_path: Path) -> None:
    torch.save({"a": torch.ones(1).expand(1_000_000, 1000)}, tmp_path / "a.pth")
    with pytest.raises(WeightsError):
        read_torch_file(tmp_path / "a.pth")


def pickled(program: bytes, file: Path, **more: bytes) -> Path:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {"data.pkl": program, **more}.items():
            archive.writestr(f"a/{name}", data)
    return file


def doubled(times: int, start: bytes) -> bytes:
    """Instructions for a tuple of a tuple twice, of a tuple twice, ...: exponentially large for whoever walks it."""
    return start + b"".join(b"q" + bytes([i]) + b"h" + bytes([i]) + b"\x86" for i in range(times))


TEXT = b"X\x08\0\0\0AAAAAAAA"


@pytest.mark.parametrize(
    "program",
    {
        "a key as deep as a stack": b"\x80\x02})" + b"\x85" * 1_000_000 + b"Ns.",
        "a key that takes years to hash": b"\x80\x02}" + doubled(60, b")") + b"Ns.",
        "a call of what takes years to print": b"\x80\x02" + doubled(60, TEXT) + b")R.",
        "a name that takes years to print": b"\x80\x04" + doubled(60, TEXT) + b"X\x01\0\0\0A\x93.",
        "marks by the thousand": b"\x80\x02" + b"N" * 100_000 + b"(t" * 100_000 + b".",
        "no mark": b"\x80\x02t.",
    }.values(),
)
def test_programs_that_would_hang_or_crash_are_refused(program: bytes, tmp_path: Path) -> None:
    with pytest.raises(WeightsError) as caught:
        read_torch_file(pickled(program, tmp_path / "a.pth"))
    assert len(str(caught.value)) < 500


def test_a_bomb_beside_the_program_is_not_unpacked(tmp_path: Path) -> None:
    with pytest.raises(WeightsError):
        read_torch_file(pickled(b"\x80\x02}.", tmp_path / "a.pth", byteorder=bytes(200_000_000)))


def test_tied_weights_are_read_and_a_thousand_views_of_one_storage_are_not(tmp_path: Path) -> None:
    values = torch.arange(1000.0)
    torch.save({"a": values, "b": values}, tmp_path / "tied.pth")
    assert same_state(read_torch_file(tmp_path / "tied.pth"), {"a": values, "b": values})
    torch.save({str(i): values for i in range(1000)}, tmp_path / "bomb.pth")
    with pytest.raises(WeightsError):
        read_torch_file(tmp_path / "bomb.pth")


def test_numbers_and_text_between_tensors_are_passed_over(tmp_path: Path) -> None:
    torch.save({"weight": torch.ones(2), "epoch": 3, "name": "x", "best": None}, tmp_path / "a.pth")
    assert same_state(read_torch_file(tmp_path / "a.pth"), {"weight": torch.ones(2)})
