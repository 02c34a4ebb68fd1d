"""Are cached pixels those that were put, whoever was killed and whatever disk is full?"""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from full_disk import full_disk
from images import noise

from linne.pixels.cache import FORMAT, ROW, PixelCache

ROWS = 40
DIGESTS = np.arange(ROWS * 16, dtype=np.uint8).reshape(ROWS, 16)
PLENTY = 10**9


def picture(row: int) -> np.ndarray:
    return noise(20 + row, 60 - row, 3, seed=row)


def opened(folder: Path, limit: int = PLENTY, digests: np.ndarray = DIGESTS, side: int = 20) -> PixelCache:
    return PixelCache(folder, digests, 3, side, limit)


def filled(folder: Path, **more: object) -> PixelCache:
    cache = opened(folder, **more)
    for row in range(ROWS):
        cache.put(row, picture(row))
    return cache


def held(cache: PixelCache) -> list[int]:
    """Rows that are there; each is the picture that was put."""
    found = {row: cache.get(row) for row in range(ROWS)}
    for row, pixels in found.items():
        assert pixels is None or np.array_equal(pixels, picture(row))
    return [row for row, pixels in found.items() if pixels is not None]


def test_pictures_come_back_in_this_process_and_the_next(tmp_path: Path) -> None:
    cache = filled(tmp_path)
    assert held(cache) == list(range(ROWS))
    given = cache.get(3)
    cache.close()
    assert np.array_equal(given, picture(3))
    again = opened(tmp_path)
    assert held(again) == list(range(ROWS))
    assert not again.get(0).flags.writeable
    again.close()


def test_other_files_sides_or_orders_are_other_caches(tmp_path: Path) -> None:
    filled(tmp_path).close()
    for cache in (opened(tmp_path, digests=DIGESTS[::-1].copy()), opened(tmp_path, side=21)):
        assert held(cache) == []
        cache.close()


def test_another_format_is_another_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as later:
        later.setattr("linne.pixels.cache.FORMAT", FORMAT + 1)
        newer = filled(tmp_path)
    assert held(newer) == list(range(ROWS))
    newer.close()
    before = newer._pixels.read_bytes()
    cache = opened(tmp_path)
    assert held(cache) == []
    cache.put(0, picture(1))
    cache.close()
    assert newer._pixels.read_bytes() == before


def test_threads_may_share_it(tmp_path: Path) -> None:
    cache = opened(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda row: cache.put(row, picture(row)), range(ROWS)))
        assert all(pool.map(lambda row: np.array_equal(cache.get(row), picture(row)), range(ROWS)))
    cache.close()


def test_no_more_than_the_limit_is_kept(tmp_path: Path) -> None:
    limit = sum(picture(row).nbytes for row in range(ROWS)) // 2
    cache = filled(tmp_path, limit=limit)
    assert not cache.keeps
    assert 15 < len(held(cache)) < 25
    cache.close()
    assert sum(path.stat().st_size for path in tmp_path.glob("*.pixels")) <= limit


def test_the_oldest_other_cache_makes_room_but_not_one_in_use(tmp_path: Path) -> None:
    first, second = filled(tmp_path, side=30), filled(tmp_path, side=31)
    size = next(tmp_path.glob("*.pixels")).stat().st_size
    first.close()
    os.utime(first._pixels, (0, 0))
    third = filled(tmp_path, side=32, limit=5 * size // 2)
    assert held(third) == list(range(ROWS))
    assert not first._pixels.exists()
    assert held(second) == list(range(ROWS))
    second.close()
    third.close()


def test_a_second_process_reads_what_the_first_writes(tmp_path: Path) -> None:
    first = opened(tmp_path)
    first.put(0, picture(0))
    second = opened(tmp_path)
    assert not second.keeps
    assert held(second) == [0]
    second.put(1, picture(1))
    assert held(first) == [0]
    first.put(2, picture(2))
    assert held(second) == [0, 2]
    second.close()
    first.close()
    third = opened(tmp_path)
    assert third.keeps
    third.close()


def test_damage_is_found_by_the_checksum(tmp_path: Path) -> None:
    cache = filled(tmp_path)
    cache.close()
    content = bytearray(cache._pixels.read_bytes())
    content[10] ^= 1
    cache._pixels.write_bytes(content[: len(content) // 2])
    again = opened(tmp_path)
    assert 0 not in held(again)
    assert 1 in held(again)
    assert ROWS - 1 not in held(again)
    again.put(0, picture(0))
    assert 0 in held(again)
    again.close()


def test_lines_of_another_length_begin_anew(tmp_path: Path) -> None:
    cache = filled(tmp_path)
    cache.close()
    with cache._rows.open("ab") as file:
        file.write(b"x")
    again = opened(tmp_path)
    assert held(again) == []
    again.put(5, picture(5))
    assert held(again) == [5]
    again.close()


def test_rubbish_in_the_lines_is_no_picture(tmp_path: Path) -> None:
    cache = filled(tmp_path)
    cache.close()
    cache._rows.write_bytes(np.random.default_rng(0).bytes(ROWS * ROW.itemsize))
    again = opened(tmp_path)
    assert held(again) == []
    again.close()


KILLED = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_cache import ROWS, opened, picture
cache = opened(Path(sys.argv[1]))
print("begun", flush=True)
while True:
    for row in range(ROWS):
        cache.put(row, picture(row))
"""


def test_a_kill_at_any_moment_leaves_whole_pictures(tmp_path: Path) -> None:
    for attempt in range(5):
        child = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(tmp_path), str(Path(__file__).parent)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        )
        assert child.stdout.readline() == b"begun\n"
        time.sleep(0.002 * attempt)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        cache = opened(tmp_path)
        assert cache.keeps
        held(cache)
        cache.close()


def test_a_full_disk_or_a_folder_that_cannot_be_written_keeps_nothing_more(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        cache = opened(folder)
        assert not cache.keeps
        cache.put(0, picture(0))
        assert cache.get(0) is None
        cache.close()
    cache = opened(tmp_path / "cache")
    with full_disk(20_000):
        for row in range(ROWS):
            cache.put(row, picture(row))
    assert not cache.keeps
    assert cache.problem == os.strerror(errno.EFBIG)
    assert 0 < len(held(cache)) < 10
    cache.close()


def test_a_disk_that_is_nearly_full_is_left_to_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = opened(tmp_path)
    old.put(0, picture(0))
    old.close()
    monkeypatch.setattr("linne.pixels.cache.LEFT_FREE", 1 << 60)
    cache = filled(tmp_path)
    assert held(cache) == [0]
    assert cache.problem != "its size is reached"
    cache.close()


def test_an_old_cache_makes_room_on_a_disk_that_is_nearly_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "old.pixels"
    with old.open("wb") as file:
        file.truncate(2 << 30)
    monkeypatch.setattr("linne.pixels.cache.LEFT_FREE", shutil.disk_usage(tmp_path).free + (1 << 30))
    cache = filled(tmp_path, limit=10 << 30)
    assert held(cache) == list(range(ROWS))
    assert not old.exists()
    cache.close()


@pytest.mark.parametrize("size", [(1, 70_000), (70_000, 1)])
def test_a_picture_too_long_for_the_lines_is_not_kept(size: tuple[int, int], tmp_path: Path) -> None:
    cache = opened(tmp_path)
    cache.put(0, np.zeros((*size, 3), np.uint8))
    assert cache.get(0) is None
    assert cache.keeps
    cache.close()
