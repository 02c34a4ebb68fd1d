"""Several processes: parts of a batch, what is told, and one alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from linne.fit.order import Order
from linne.fit.processes import ALONE, Processes, join
from linne.records.errors import LinneError

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


@pytest.mark.slow
def test_what_two_processes_compute_together_is_what_one_computes():
    script = Path(__file__).with_name("parts_of_a_batch.py")
    done = subprocess.run([*TORCHRUN, str(script)], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("all agree") == 2


@pytest.mark.slow
def test_a_process_that_does_not_answer_ends_the_others():
    script = Path(__file__).with_name("silent_process.py")
    done = subprocess.run([*TORCHRUN, str(script)], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode != 0
    assert done.stdout == "lost False\n"


@pytest.mark.parametrize(("images", "batch_size", "world"), [(23, 7, 2), (23, 7, 3), (5, 2, 3), (4, 64, 2)])
def test_the_parts_of_a_batch_are_the_batch(images, batch_size, world):
    whole = Order.of(images, batch_size, 3)
    parts = [Order(images, whole.batch_size, 3, None, Processes(rank, world)) for rank in range(world)]
    for number, batch in enumerate(whole.batches(2)):
        pieces = [part.batches(2)[number] for part in parts]
        assert np.array_equal(np.concatenate(pieces), batch)
        assert max(map(len, pieces)) == parts[0].part_size


def test_alone_nothing_is_exchanged():
    assert join() is ALONE
    assert ALONE.first
    assert ALONE.alone
    assert ALONE.told(1.5) == [1.5]
    assert ALONE.gather(b"x") == [b"x"]
    assert torch.equal(ALONE.rolled(torch.arange(3)), torch.tensor([2, 0, 1]))


def test_one_process_alone_cannot_shard():
    with pytest.raises(LinneError, match="several processes"):
        join(shard=True)


def test_one_process_alone_starts_no_process_group():
    code = (
        "import torch.distributed as dist\n"
        "from linne.fit.processes import join\n"
        "join().wait()\n"
        "assert not dist.is_initialized()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
