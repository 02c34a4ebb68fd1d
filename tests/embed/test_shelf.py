"""Does the store give back what was put in, whatever happened to its files?"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linne.embed.store import Shelf
from linne.records.errors import WriteError
from linne.records.fingerprint import DIGEST_BYTES, of_bytes
from linne.records.places import user_cache


def digests(*names: object) -> list[bytes]:
    return [of_bytes(str(name).encode()) for name in names]


def rows(keys: list[bytes]) -> np.ndarray:
    return np.frombuffer(b"".join(keys), np.uint8).reshape(-1, DIGEST_BYTES)


def values(count: int, start: int = 0) -> dict[str, np.ndarray]:
    return {"values": np.arange(start, start + count, dtype=np.float32)[:, None] + np.array([0, 0.5], np.float32)}


def test_round_trip_in_any_order(tmp_path: Path) -> None:
    keys, shelf = digests(*range(30)), Shelf(tmp_path)
    for start in (0, 10, 20):
        shelf.append(keys[start : start + 10], values(10, start))
    order = np.random.default_rng(0).permutation(30)
    for opened in (shelf, Shelf(tmp_path)):
        assert len(opened) == 30
        assert opened.known() == set(keys)
        np.testing.assert_array_equal(opened.gather(rows(keys)[order])["values"], values(30)["values"][order])
        np.testing.assert_array_equal(opened.gather(rows(keys)[[4, 4, 25]])["values"][:, 0], [4, 4, 25])


def test_nothing_is_made_until_something_is_kept(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "shelf")
    assert (len(shelf), shelf.known(), shelf.gather(rows([]))) == (0, set(), {})
    assert not (tmp_path / "shelf").exists()


@pytest.mark.parametrize("filled", [False, True])
def test_a_missing_digest_is_a_key_error(tmp_path: Path, filled: bool) -> None:
    shelf = Shelf(tmp_path)
    if filled:
        shelf.append(digests("a"), values(1))
    for key in (*digests("b"), b"\0" * 16, b"\xff" * 16):
        with pytest.raises(KeyError):
            shelf.gather(rows([*digests("a"), key] if filled else [key]))


def test_a_digest_is_kept_once(tmp_path: Path) -> None:
    shelf, keys = Shelf(tmp_path), digests("a", "b", "c")
    shelf.append([keys[0], keys[1], keys[0]], values(3))
    shelf.append(keys, values(3, 100))
    shelf.append(keys, values(3, 200))
    for opened in (shelf, Shelf(tmp_path)):
        np.testing.assert_array_equal(opened.gather(rows(keys))["values"][:, 0], [0, 1, 102])
    assert sum(len(np.load(path)["keys"]) for path in tmp_path.glob("*.npz")) == 3


@given(st.lists(st.binary(max_size=DIGEST_BYTES), min_size=1, max_size=8, unique=True))
def test_digests_that_end_in_zero_bytes_are_told_apart(tmp_path: Path, starts: list[bytes]) -> None:
    keys = list({start.ljust(DIGEST_BYTES, b"\0") for start in starts} | {b"\0" * 15 + b"\1", b"\1" + b"\0" * 15})
    shelf = Shelf(tmp_path / os.urandom(8).hex())
    shelf.append(keys, values(len(keys)))
    for opened in (shelf, Shelf(shelf.folder)):
        assert opened.known() == set(keys)
        np.testing.assert_array_equal(opened.gather(rows(keys))["values"], values(len(keys))["values"])


def test_columns_are_chosen(tmp_path: Path) -> None:
    shelf, keys = Shelf(tmp_path), digests("a", "b")
    shelf.append(keys, {"width": np.array([3, 5], np.int32), "height": np.array([4, 6], np.int32)})
    found = shelf.gather(rows(keys[::-1]), ("width",))
    assert found.keys() == {"width"}
    assert found["width"].tolist() == [5, 3]


def test_a_truncated_shard_is_passed_over(tmp_path: Path) -> None:
    Shelf(tmp_path / "whole").append(digests("a", "b"), values(2))
    (shard,) = (tmp_path / "whole").iterdir()
    content = shard.read_bytes()
    for length in range(len(content)):
        folder = tmp_path / str(length)
        folder.mkdir()
        (folder / shard.name).write_bytes(content[:length])
        assert not Shelf(folder).known()


def test_a_flipped_byte_is_noticed(tmp_path: Path) -> None:
    Shelf(tmp_path / "whole").append(digests("a", "b"), values(2))
    (shard,) = (tmp_path / "whole").iterdir()
    content = shard.read_bytes()
    for place in range(len(content)):
        folder = tmp_path / str(place)
        folder.mkdir()
        (folder / shard.name).write_bytes(content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1 :])
        assert not Shelf(folder).known()


def test_a_damaged_shard_does_not_hide_the_others_and_can_be_written_again(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.append(digests("a"), values(1))
    (damaged,) = tmp_path.iterdir()
    shelf.append(digests("b"), values(1, 1))
    damaged.write_bytes(damaged.read_bytes()[:-10])
    opened = Shelf(tmp_path)
    assert opened.known() == set(digests("b"))
    opened.append(digests("a"), values(1, 7))
    np.testing.assert_array_equal(Shelf(tmp_path).gather(rows(digests("a", "b")))["values"][:, 0], [7, 1])


def test_a_folder_that_cannot_be_written_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    shelf = Shelf(tmp_path / "file" / "shelf")
    with pytest.raises(WriteError):
        shelf.append(digests("a"), values(1))
    assert not shelf.known()


WRITER = """
import sys
from pathlib import Path
import numpy as np
from linne.embed.store import Shelf
from linne.records.fingerprint import of_bytes
shelf, start, count = Shelf(Path(sys.argv[1])), int(sys.argv[2]), int(sys.argv[3])
print("ready", flush=True)
for number in range(start, start + count):
    shelf.append([of_bytes(str(number).encode())], {"values": np.full((1, 2000), number, np.float32)})
"""


def writer(folder: Path, start: int, count: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", WRITER, str(folder), str(start), str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def test_two_processes_write_at_once(tmp_path: Path) -> None:
    processes = [writer(tmp_path, start, 40) for start in (0, 20)]  # half of the digests are the same
    for process in processes:
        process.communicate(timeout=60)
        assert process.returncode == 0
    shelf = Shelf(tmp_path)
    assert shelf.known() == set(digests(*range(60)))
    np.testing.assert_array_equal(shelf.gather(rows(digests(*range(60))))["values"][:, 0], np.arange(60))


def test_a_kill_leaves_whole_shards_only(tmp_path: Path) -> None:
    process = writer(tmp_path, 0, 100_000)
    assert process.stdout is not None
    with process.stdout:
        process.stdout.readline()
        while not len(list(tmp_path.glob("*.npz"))) > 5:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=30)
    shards = list(tmp_path.glob("*.npz"))
    shelf = Shelf(tmp_path)
    assert len(shelf) == len(shards)
    assert shelf.known() == set(digests(*range(len(shards))))


def test_the_default_folder_is_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert user_cache() == tmp_path / "linne"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert user_cache() == Path.home() / ".cache" / "linne"
