"""Thousands of copies in one case: frames of a video, say."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from audited_photos import OWNER, write_audit, write_photos
from starlette.testclient import TestClient

from linne.index.photos import read_photos
from linne.records.findings import Finding
from linne.review.app import create_app
from linne.review.desk import MOST_SHOWN, Desk
from linne.review.rules import Answer, decide

MANY = 3000


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A group under two checks, with a test image."""
    made = tmp_path_factory.mktemp("frames")
    photos = write_photos(made / "photos")
    content = (photos / "train/cat/0.jpg").read_bytes()
    for number in range(MANY - 1):
        (photos / f"train/cat/f{number:04}.jpg").write_bytes(content)
    names = [f"train/cat/f{number:04}.jpg" for number in range(MANY - 1)] + ["test/cat/0.jpg"]
    checks = ("near duplicate", "leak")
    found = tuple(Finding(c, a, 1.0, f"as {b}", b) for a, b in itertools.pairwise(names) for c in checks)
    return write_audit(made / "audit", read_photos(photos), found)


@pytest.fixture
def desk(frames: Path) -> Iterator[Desk]:
    (frames / "decisions.sqlite").unlink(missing_ok=True)
    opened = Desk(frames, OWNER)
    yield opened
    opened.close()


def quickest(run: Callable[[], object]) -> float:
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def test_a_case_is_shown_in_windows(desk: Desk) -> None:
    client = TestClient(create_app(desk), base_url="http://127.0.0.1:8001")
    shown = client.get("/cases/0").json()
    assert (shown["count"], len(shown["images"]), shown["tests"]) == (MANY, MOST_SHOWN, 1)
    assert len(shown["findings"]) == MOST_SHOWN
    assert len(client.get("/cases/0", params={"images": MANY}).json()["images"]) == MANY


def test_what_it_costs(desk: Desk) -> None:
    (case,) = desk.cases
    assert quickest(lambda: desk.shown(case, MOST_SHOWN)) < 0.1  # 0.01 on a machine that does nothing else
    assert quickest(lambda: desk.shown(case, MANY)) < 1.0  # it was half a minute


def test_one_answer_for_all_of_any_number(desk: Desk) -> None:
    test = next(place for place, row in enumerate(desk.cases[0].rows) if desk.is_test(row))
    only = decide(desk, 0, [Answer("keep", 7 if test != 7 else 8, rest="drop")], "", 0, "")
    assert (only.images, only.test_left) == (MANY - 1, 1)
    images = desk.shown(desk.cases[0], MANY)["images"]
    assert sum(image["gone"] for image in images) == MANY - 2
    assert not images[test]["gone"]
    assert not desk.decided[0]  # the test image has a copy still
    every = decide(desk, 0, [Answer("keep", 0, rest="keep")], "", 1, "")
    assert (every.images, every.test_left) == (MANY, 0)
    assert desk.decided[0]
    assert not any(image["gone"] for image in desk.shown(desk.cases[0], MANY)["images"])
