"""Is a checkpoint whole, or refused?"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from full_disk import full_disk
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import save_file

from linne.fit import checkpoint
from linne.fit.checkpoint import Checkpoints, elapsed_of
from linne.records.errors import RunError, WriteError

TENSORS = {
    "weights": torch.arange(12, dtype=torch.float32).reshape(3, 4).t(),
    "images": torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(0)).to(memory_format=torch.channels_last),
    "steps": torch.tensor(7),
    "right": torch.tensor([True, False]),
    "empty": torch.zeros(0, dtype=torch.float64),
}
FACTS = {"losses": [0.1, 1 / 3, 5e-324], "position": {"epoch": 3}, "hurried": None, "seconds": 12.5}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "deep" / "last.safetensors", "a plan")
    assert checkpoints.read() is None
    assert elapsed_of(checkpoints.path) == 0
    checkpoints.write(TENSORS, FACTS)
    tensors, facts = checkpoints.read()
    assert tensors.keys() == TENSORS.keys()
    for name, tensor in tensors.items():
        assert torch.equal(tensor, TENSORS[name])
        assert tensor.dtype == TENSORS[name].dtype
    assert {name: facts[name] for name in FACTS} == FACTS
    assert elapsed_of(checkpoints.path) == 12.5
    assert [path.name for path in checkpoints.path.parent.iterdir()] == ["last.safetensors"]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("written") / "last"
    Checkpoints(path, "a plan").write(TENSORS, FACTS)
    return path.read_bytes()


@given(st.data())
def test_a_flipped_bit_anywhere_is_refused_or_changes_nothing(
    written: bytes, tmp_path: Path, data: st.DataObject
) -> None:
    place, bit = data.draw(st.integers(0, len(written) - 1)), data.draw(st.integers(0, 7))
    path = tmp_path / "last"
    path.write_bytes(written[:place] + bytes([written[place] ^ 1 << bit]) + written[place + 1 :])
    elapsed_of(path)
    try:
        tensors, facts = Checkpoints(path, "a plan").read()
    except RunError:
        return
    assert {name: facts[name] for name in FACTS} == FACTS  # padding of the header, the order of its keys
    assert all(torch.equal(tensors[name], TENSORS[name]) for name in TENSORS)


@given(st.integers(0, 10**6))
def test_a_truncated_one_is_refused(written: bytes, tmp_path: Path, length: int) -> None:
    path = tmp_path / "last"
    path.write_bytes(written[: length % len(written)])
    assert elapsed_of(path) in (0.0, 12.5)
    with pytest.raises(RunError):
        Checkpoints(path, "a plan").read()


@pytest.mark.parametrize("content", [b"", b"no", b"\xff" * 100, b"{}" * 50])
def test_rubbish_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "last").write_bytes(content)
    assert elapsed_of(tmp_path / "last") == 0
    with pytest.raises(RunError):
        Checkpoints(tmp_path / "last", "a plan").read()


def test_what_another_program_wrote_is_refused(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(2)}, tmp_path / "last")
    with pytest.raises(RunError):
        Checkpoints(tmp_path / "last", "a plan").read()
    save_file({"a": torch.zeros(2)}, tmp_path / "last", {"linne": "[1]"})
    assert elapsed_of(tmp_path / "last") == 0
    with pytest.raises(RunError):
        Checkpoints(tmp_path / "last", "a plan").read()


def test_altered_facts_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "last"
    Checkpoints(path, "a plan").write(TENSORS, FACTS)
    with safe_open(path, "pt") as file:
        said = file.metadata()["linne"]
    save_file(
        {n: t.contiguous() for n, t in TENSORS.items()}, path, {"linne": said.replace('"epoch": 3', '"epoch": 4')}
    )
    with pytest.raises(RunError):
        Checkpoints(path, "a plan").read()


def test_that_of_another_plan_is_refused(tmp_path: Path) -> None:
    Checkpoints(tmp_path / "last", "a plan").write(TENSORS, FACTS)
    with pytest.raises(RunError) as error:
        Checkpoints(tmp_path / "last", "another plan").read()
    assert "plan.json" in str(error.value.remedy)


def test_on_a_full_disk_the_one_before_stands(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "last", "a plan")
    checkpoints.write(TENSORS, FACTS)
    with full_disk(2000), pytest.raises(WriteError):
        checkpoints.write({"large": torch.zeros(1000)}, FACTS)
    assert checkpoints.read()[0].keys() == TENSORS.keys()
    assert [path.name for path in tmp_path.iterdir()] == ["last"]


def test_it_is_due_after_a_while_and_less_often_where_it_is_dear(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, cost = 100.0, 0.0
    monkeypatch.setattr(checkpoint.time, "monotonic", lambda: now)
    checkpoints = Checkpoints(tmp_path / "last", "a plan")
    for cost, wait in ((0.0, 30.0), (0.1, 30.0), (5.0, 250.0)):
        save = checkpoint.save

        def slow(*args: object, save: object = save, cost: float = cost, **more: object) -> bytes:
            nonlocal now
            now += cost
            return save(*args, **more)

        monkeypatch.setattr(checkpoint, "save", slow)
        checkpoints.write(TENSORS, FACTS)
        monkeypatch.setattr(checkpoint, "save", save)
        assert not checkpoints.due()
        now += wait
        assert not checkpoints.due()
        now += 0.1
        assert checkpoints.due()
