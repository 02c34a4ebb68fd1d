"""How long does an action of `linne review` take with 100,000 findings?

A made-up audit: a third label doubts, a third copies, a third of a check that is nobody's; a quarter of the images are
test images. Each action is a request to the application itself, as the page makes it, without the network in between;
decisions go to the disk.

Usage: review.py [--findings 100000]
"""

from __future__ import annotations

import argparse
import gc
import itertools
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from harness import Comparison, Table, main
from PIL import Image
from starlette.testclient import TestClient

from linne.records.audited import Audited
from linne.records.digests import write_digests
from linne.records.findings import Finding, Findings
from linne.records.index import NONE, TEST, Index, large_strings
from linne.review.app import create_app
from linne.review.desk import Desk

CLASSES = 50
TIMES = 40
LIMIT = 50.0
"""Milliseconds; what answers sooner feels at once."""


def write_audit(folder: Path, findings: int) -> None:
    """Two images a pair, one for every other finding, of which a hundred are files."""
    chance = np.random.default_rng(0)
    images = findings // 3 * 4 + 100
    paths = [f"class {row % CLASSES:02}/{row:07}.jpg" for row in range(images)]
    labels = tuple(f"class {number:02}" for number in range(CLASSES))
    label = np.arange(images, dtype=np.int32) % CLASSES
    subset = np.where(chance.random(images) < 0.25, TEST, NONE).astype(np.int8)
    index = Index(str(folder / "photos"), labels, large_strings(paths), label, subset, np.full(images, -1, np.int64))
    picture = Image.fromarray(chance.integers(0, 256, (533, 400, 3), np.uint8))
    for path in paths[:100]:
        (folder / "photos" / path).parent.mkdir(parents=True, exist_ok=True)
        picture.save(folder / "photos" / path, quality=85)
    third = findings // 3
    rows = []
    for i in range(third):
        other = labels[(i + 7) % CLASSES]
        rows.append(
            Finding("label doubt", paths[i], 1 - i / third, "looks like it", "", paths[i][:8], other, "look at it")
        )
        one, two = third + 2 * i, third + 2 * i + 1
        rows.append(Finding("near duplicate", paths[two], 0.98, "the same picture", paths[one], paths[two][:8]))
        rows.append(Finding("dark", paths[3 * third + i], 0.5, "is dark", "", paths[3 * third + i][:8]))
    audited = Audited(folder)
    index.write(audited.index)
    write_digests(audited.digests, chance.integers(0, 256, (images, 16), np.uint8), index.fingerprint)
    Findings.of(rows, index.fingerprint).write(audited.findings)


def actions(client: TestClient) -> dict[str, Callable[[int], Any]]:
    """What the page does, each with the number of the time that it is done."""
    state = client.get("/state").json()
    edition, keys = state["edition"], (f"attempt-{number}" for number in itertools.count())

    def listed(**wanted: object) -> Any:
        return client.get("/lists", params=wanted).json()

    opened = listed(state="open")["list"]
    doubts = client.get(f"/lists/{listed(check='label doubt', test='other')['list']}?start=0&count=200").json()["cases"]

    def post(path: str, **body: object) -> Any:
        answer = client.post(path, json={"edition": edition, "key": next(keys), **body})
        assert answer.status_code == 200, answer.text
        return answer

    def relabel(time: int) -> Any:
        case = doubts[time]
        answers = [{"action": "relabel", "image": 0, "to": case["suggestion"]}]
        return post("/decide", case=case["case"], seen=0, answers=answers)

    def turn(kind: str) -> Any:
        return post("/turn", turn=kind, act=client.get("/state").json()[kind]["act"])

    return {
        "what stands": lambda _: client.get("/state"),
        "has anything changed?": lambda _: client.get("/version"),
        "filter: open": lambda _: listed(state="open"),
        "filter: part of a path": lambda time: listed(text=f"{time:03}.JPG"),
        "filter: class and check, by class": lambda _: listed(label="class 03", check="label doubt", sort="class"),
        "sort by path": lambda _: listed(sort="path", state="open"),
        "sixty cases, anywhere": lambda time: client.get(f"/lists/{opened}?start={time * 2000}&count=60"),
        "one case": lambda time: client.get(f"/cases/{time * 2001}"),
        "a picture of 400 x 533, small": lambda time: client.get(f"/thumbnails/{time}"),
        "a picture of 400 x 533, large": lambda time: client.get(f"/pictures/{time}"),
        "relabel": relabel,
        "undo (and what stands)": lambda _: turn("undo"),
        "redo (and what stands)": lambda _: turn("redo"),
        "history": lambda _: client.get("/history"),
    }


def timed(do: Callable[[int], Any]) -> tuple[float, float]:
    """Median and slowest of many times, milliseconds."""
    took = []
    for number in range(TIMES):
        start = time.perf_counter()
        do(number)
        took.append(1e3 * (time.perf_counter() - start))
    return statistics.median(took), max(took)


def measure(given: argparse.Namespace) -> Iterator[Comparison | Table]:
    """Every action many times; then those on all findings once."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_audit(folder, given.findings)
        start = time.perf_counter()
        desk = Desk(folder, "bench")
        opening = time.perf_counter() - start
        gc.freeze()  # as the server does
        client = TestClient(create_app(desk), base_url="http://127.0.0.1:8001")
        rows = [(name, *timed(do)) for name, do in actions(client).items()]
        title = f"{given.findings:,} findings, milliseconds an action"
        yield Table(title, ("", "median", "slowest"), tuple((name, f"{a:.1f}", f"{b:.1f}") for name, a, b in rows))
        slow = [name for name, median, _ in rows if median > LIMIT]
        yield Table(f"slower than {LIMIT:.0f} ms", ("",), tuple((name,) for name in slow or ["none"]))

        body = {"edition": desk.edition, "key": "wholesale", "filter": {}, "how": "keep"}
        whole = {"opening": opening}
        start = time.perf_counter()
        kept = client.post("/decide-all", json=body).json()
        whole[f"keep {kept['images']:,} images, wholesale"] = time.perf_counter() - start
        start = time.perf_counter()
        client.post("/turn", json={"edition": desk.edition, "key": "taken back", "turn": "undo", "act": kept["act"]})
        whole["undo that"] = time.perf_counter() - start
        start = time.perf_counter()
        Desk(folder, "bench").close()
        whole["opening, with all that decided"] = time.perf_counter() - start
        desk.close()
        rows_of_all = tuple((name, f"{seconds:.2f}") for name, seconds in whole.items())
        yield Table("all at once, seconds", ("", "seconds"), rows_of_all)


if __name__ == "__main__":
    main(__doc__, measure, [("--findings", {"type": int, "default": 100_000})])
