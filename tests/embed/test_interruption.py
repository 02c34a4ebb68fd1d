"""What is left when a pass is stopped in the middle?"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from images import encode, place, scene
from small_networks import EAGER, eager, gray_backbone

from linne.embed import one_pass
from linne.embed.embedding import embed
from linne.embed.look import LOOKS_SHELF
from linne.embed.measure import Pick
from linne.embed.store import Shelf
from linne.index.class_folders import read_folder
from linne.records.content import Content
from linne.records.errors import WriteError
from linne.records.index import Index
from linne.records.progress import Silent

IMAGES = 320


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Index:
    root = tmp_path_factory.mktemp("photos")
    for number in range(IMAGES):
        place(root / ("a", "b")[number % 2] / f"{number:03d}.png", encode(scene(20, 24, seed=number), "PNG"))
    return read_folder(root)


class Interrupting(Silent):
    """Ctrl-C at some image."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.finished = False

    def update(self, done: float, note: str = "") -> None:
        if done >= self.at:
            raise KeyboardInterrupt

    def finish(self) -> None:
        self.finished = True


def known(cache: Path) -> tuple[set[bytes], set[bytes]]:
    frozen = gray_backbone()
    return Shelf(cache / LOOKS_SHELF).known(), Shelf(cache / "features" / frozen.shelf("pooled")).known()


def check_the_rest(many: Index, cache: Path, kept: int) -> None:
    """The next pass computes what is missing, and gives what an undisturbed one gives."""
    frozen = gray_backbone()
    after = embed(many, frozen, cache, Silent(), backend=eager(frozen))
    assert after.passed.computed == IMAGES - kept
    whole = embed(many, frozen, cache / "other", Silent(), backend=eager(frozen))
    np.testing.assert_array_equal(after.features, whole.features)
    np.testing.assert_array_equal(after.hash, whole.hash)


@pytest.mark.parametrize("at", [0, 64, 224])
def test_an_interrupt_keeps_what_was_computed(many: Index, tmp_path: Path, at: int) -> None:
    frozen, progress = gray_backbone(), Interrupting(at)
    with pytest.raises(KeyboardInterrupt):
        embed(many, frozen, tmp_path, progress, backend=eager(frozen))
    assert progress.finished
    facts, features = known(tmp_path)
    assert facts == features
    assert len(facts) == at + 1
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("decode")]
    check_the_rest(many, tmp_path, at + 1)


@pytest.mark.parametrize("after", [0, 3])
def test_an_interrupt_in_the_network_loses_nothing_and_mixes_nothing_up(
    many: Index, tmp_path: Path, after: int
) -> None:
    frozen, ran = gray_backbone(), 0
    real = eager(frozen, stage=1)

    def interrupted(batch: np.ndarray) -> list[np.ndarray]:
        nonlocal ran
        ran += 1
        if ran == after + 1:
            raise KeyboardInterrupt
        return real.run(batch)

    with pytest.raises(KeyboardInterrupt):
        embed(many, frozen, tmp_path, Silent(), 1, Pick(EAGER, lambda: interrupted, {}))
    facts, features = known(tmp_path)
    assert facts == features
    assert len(facts) == (after + 1) * 32
    check_the_rest(many, tmp_path, (after + 1) * 32)


def test_a_network_that_fails_loses_only_its_batch(many: Index, tmp_path: Path) -> None:
    frozen, ran = gray_backbone(), 0
    real = eager(frozen)

    def failing(batch: np.ndarray) -> list[np.ndarray]:
        nonlocal ran
        ran += 1
        if ran > 4:
            raise RuntimeError("out of memory")
        return real.run(batch)

    with pytest.raises(RuntimeError):
        embed(many, frozen, tmp_path, Silent(), backend=Pick(EAGER, lambda: failing, {}))
    facts, features = known(tmp_path)
    assert (len(facts), len(features)) == (160, 128)


def test_a_bug_in_a_thread_is_raised_and_what_came_before_is_kept(
    many: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_at = one_pass.look_at

    def failing(content: Content, *rest: object) -> object:
        if content.name.endswith("200.png"):
            raise ZeroDivisionError
        return look_at(content, *rest)

    monkeypatch.setattr(one_pass, "look_at", failing)
    with pytest.raises(ZeroDivisionError):
        embed(many, gray_backbone(), tmp_path, Silent(), backend=eager(gray_backbone()))
    before = many.paths.to_pylist().index("a/200.png")
    assert [len(keys) for keys in known(tmp_path)] == [before, before]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("decode")]


def test_a_store_that_cannot_be_written_is_told_of(many: Index, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    frozen = gray_backbone()
    with pytest.raises(WriteError):
        embed(many, frozen, tmp_path / "file" / "cache", Silent(), backend=eager(frozen))


PASS = """
import sys, time
from pathlib import Path
from linne.embed import one_pass
from linne.embed.embedding import embed
from linne.index.class_folders import read_folder
from linne.records.progress import Silent
from small_networks import EAGER, eager, gray_backbone

class Slow(Silent):
    def update(self, done, note=""):
        print(int(done), flush=True)
        time.sleep(0.1)

one_pass.SHARD = 64
frozen = gray_backbone()
embed(read_folder(Path(sys.argv[1])), frozen, Path(sys.argv[2]), Slow(), backend=eager(frozen))
"""


def stopped(many: Index, cache: Path, how: signal.Signals) -> None:
    """A pass in another process, in shards of 64 images, that gets a signal after 160."""
    command = [sys.executable, "-c", PASS, many.root, str(cache)]
    path = ":".join([str(Path(__file__).parents[1]), *sys.path])
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"PYTHONPATH": path},
    )
    assert process.stdout is not None
    with process.stdout:
        while int(process.stdout.readline()) < 160:
            pass
        time.sleep(0.02)
        process.send_signal(how)
        assert process.wait(timeout=30) != 0


def test_ctrl_c_keeps_what_was_computed(many: Index, tmp_path: Path) -> None:
    stopped(many, tmp_path, signal.SIGINT)
    facts, features = known(tmp_path)
    assert facts == features
    assert 160 < len(facts) < IMAGES
    assert not list(tmp_path.rglob("*.part"))
    check_the_rest(many, tmp_path, len(facts))


def test_a_kill_loses_at_most_a_shard(many: Index, tmp_path: Path) -> None:
    stopped(many, tmp_path, signal.SIGKILL)
    facts, features = known(tmp_path)
    assert facts == features
    assert 160 - 64 < len(facts) < IMAGES
    check_the_rest(many, tmp_path, len(facts))
