"""The review over HTTP: what is served, what is refused, and nothing beside the index."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import httpx
import pytest
from audited_photos import COPIES, DOUBT, FOUND, OWNER, TEST_DOUBT, write_audit
from starlette.testclient import TestClient

from linne.records.audited import Audited
from linne.records.index import Index
from linne.review.app import PAGE

keys = (f"attempt-{number}" for number in itertools.count())


def body(client: TestClient, case: int = DOUBT, *answers: dict[str, Any], **more: Any) -> dict[str, Any]:
    state = client.get("/state").json()
    given = list(answers) or [{"action": "drop", "image": 0}]
    return {
        "edition": state["edition"],
        "case": case,
        "seen": state["version"],
        "answers": given,
        "key": next(keys),
        **more,
    }


def is_error(answer: httpx.Response, status: int) -> bool:
    value = answer.json()
    return answer.status_code == status and all(isinstance(value[name], str) for name in ("error", "remedy"))


def test_a_whole_session(client: TestClient) -> None:
    state = client.get("/state").json()
    assert (state["who"], state["total"], state["open"], state["test"]) == (OWNER, 11, 11, 6)
    listed = client.get("/lists", params={"check": "label doubt", "state": "open", "near": DOUBT}).json()
    assert (listed["total"], listed["at"]) == (3, 0)
    window = client.get(f"/lists/{listed['list']}", params={"start": 0, "count": 2}).json()
    assert [shown["case"] for shown in window["cases"]] == [DOUBT, TEST_DOUBT]

    answer = client.post(
        "/decide", json=body(client, DOUBT, {"action": "relabel", "image": 0, "to": "dog"}, why="a dog")
    )
    told = answer.json()
    assert answer.status_code == 200
    assert told["shown"]["images"][0]["answer"] | {"when": ""} == {
        "action": "relabel",
        "to": "dog",
        "who": OWNER,
        "when": "",
        "why": "a dog",
    }
    assert (told["open"], told["undo"]["subject"]) == (10, "train/cat/3.jpg")
    # What was decided stays in its list until that is asked for anew.
    assert client.get(f"/lists/{listed['list']}", params={"start": 0, "count": 2}).json()["cases"][0]["decided"]
    assert client.get("/lists", params={"check": "label doubt", "state": "open"}).json()["total"] == 2

    turn = {"edition": state["edition"], "act": 1, "key": next(keys)}
    assert client.post("/turn", json={**turn, "turn": "undo"}).json()["open"] == 11
    assert is_error(client.post("/turn", json={**turn, "turn": "undo", "key": next(keys)}), 409)
    assert client.post("/turn", json={**turn, "turn": "redo", "key": next(keys)}).json()["open"] == 10
    (act,) = client.get("/history").json()["acts"]
    assert (act["who"], act["why"], act["stands"]) == (OWNER, "a dog", True)
    assert client.get("/version").json()["version"] == 3


def test_wholesale(client: TestClient) -> None:
    edition = client.get("/state").json()["edition"]
    asked = {"edition": edition, "key": next(keys), "filter": {"check": "label doubt"}, "how": "keep"}
    told = client.post("/decide-all", json=asked).json()
    assert (told["images"], told["test_left"], told["open"]) == (2, 1, 9)
    assert client.post("/decide-all", json=asked).json() == told  # sent again: counts once, and is told the same


def test_a_second_try_counts_once_and_a_stale_one_not_at_all(client: TestClient) -> None:
    asked = body(client)
    first, second = client.post("/decide", json=asked).json(), client.post("/decide", json=asked).json()
    assert first["act"] == second["act"] == 1
    assert is_error(client.post("/decide", json={**asked, "key": next(keys)}), 409)


def test_a_test_image_must_have_been_shown_as_one(client: TestClient) -> None:
    assert is_error(client.post("/decide", json=body(client, TEST_DOUBT)), 409)
    shown = {"action": "drop", "image": 0, "test": True}
    assert client.post("/decide", json=body(client, TEST_DOUBT, shown)).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/thumbnails/-1", "/thumbnails/22", "/thumbnails/99999999999999999999", "/thumbnails/1.5", "/thumbnails/",
        "/thumbnails/..%2f..%2fetc%2fpasswd", "/pictures/%2fetc%2fpasswd", "/pictures/train/cat/0.jpg",
        "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd", "/..%5c..%5cwindows", "/page.html",
        "/style.css/..%2f..%2fapp.py", "/app.py", "/main.js%00", "/decisions.sqlite", "/cases/11", "/cases/-1",
        "/cases/x", "/docs", "/openapi.json", "/lists/nothing?start=0&count=1", "/lists?sort=random", "/lists?near=x",
    ],
)  # fmt: skip
def test_nothing_beside_the_index_is_served(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code in (400, 404, 410)
    assert set(answer.json()) == {"error", "remedy"}


def test_windows_are_bounded(client: TestClient) -> None:
    name = client.get("/lists").json()["list"]
    for start, count in ((-1, 1), (0, 0), (0, 201), ("x", 1)):
        assert is_error(client.get(f"/lists/{name}", params={"start": start, "count": count}), 400)
    assert client.get(f"/lists/{name}", params={"start": 10**6, "count": 200}).json()["cases"] == []


ASKED = ["/", "/main.js", "/state", "/lists", "/cases/0", "/thumbnails/0", "/pictures/0", "/history"]


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8001", "", "192.0.2.7:8001", "["])
def test_other_host_names_are_refused(client: TestClient, host: str) -> None:
    for path in ASKED:
        assert is_error(client.get(path, headers={"host": host}), 403)
    assert is_error(client.post("/decide", json=body(client), headers={"host": host}), 403)


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:9000", "http://127.0.0.1"])
def test_other_origins_may_neither_decide_nor_read(client: TestClient, origin: str) -> None:
    for path in ASKED:
        assert is_error(client.get(path, headers={"origin": origin}), 403)
    for path in ("/decide", "/decide-all", "/turn"):
        assert is_error(client.post(path, json=body(client), headers={"origin": origin}), 403)
    for method in ("PUT", "DELETE", "OPTIONS"):
        assert is_error(client.request(method, "/decide", headers={"origin": origin}), 403)
    assert client.get("/version").json()["version"] == 0


def test_pictures_are_not_for_pages_of_other_sites(client: TestClient) -> None:
    for site in ("cross-site", "same-site"):
        headers = {"sec-fetch-site": site, "sec-fetch-mode": "no-cors"}
        assert is_error(client.get("/thumbnails/0", headers=headers), 403)
        assert client.get("/", headers={**headers, "sec-fetch-mode": "navigate"}).status_code == 200  # a link to here
    assert client.get("/thumbnails/0", headers={"sec-fetch-site": "same-origin"}).status_code == 200


def test_its_own_origin_may(client: TestClient) -> None:
    headers = {"origin": "http://127.0.0.1:8001"}
    answer = client.post("/decide", json=body(client), headers=headers)
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers


def test_the_page_loads_nothing_from_elsewhere(client: TestClient) -> None:
    for address in PAGE:
        answer = client.get(f"/{address}")
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        text = answer.text.replace("http://www.w3.org/2000/svg", "")
        assert "http://" not in text
        assert "https://" not in text
        assert "innerHTML" not in text


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None])
def test_bodies_come_as_json_only(client: TestClient, kind: str | None) -> None:
    headers = {"content-type": kind} if kind else {}
    assert is_error(client.post("/decide", content=b"{}", headers=headers), 415)


@pytest.mark.parametrize(
    "change",
    [
        {"case": -1}, {"case": "0"}, {"seen": None}, {"answers": []}, {"answers": [{"action": "burn", "image": 0}]},
        {"answers": [{"action": "drop", "image": True}]}, {"answers": [{"action": "drop", "path": "/etc/passwd"}]},
        {"why": "x" * 2001}, {"key": "short"}, {"more": 1},
        {"answers": [{"action": "relabel", "image": 0, "to": "\ud800"}]},
    ],
)  # fmt: skip
def test_bodies_that_do_not_fit(client: TestClient, change: dict[str, Any]) -> None:
    import json

    content = json.dumps({**body(client), **change})
    assert is_error(client.post("/decide", content=content, headers={"content-type": "application/json"}), 400)
    assert client.get("/version").json()["version"] == 0


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"{", b"\xff", b"[" * 100_000])
def test_bodies_that_are_no_json_object(client: TestClient, content: bytes) -> None:
    assert is_error(client.post("/turn", content=content, headers={"content-type": "application/json"}), 400)


def test_bodies_that_are_too_large(client: TestClient) -> None:
    headers = {"content-type": "application/json"}
    assert is_error(client.post("/decide", content=b" " * (2 << 20), headers=headers), 413)
    assert is_error(client.post("/decide", content=iter([b" " * (1 << 19)] * 5), headers=headers), 413)


def test_an_image_out_of_the_case_and_a_case_out_of_the_audit(client: TestClient) -> None:
    assert is_error(client.post("/decide", json=body(client, COPIES, {"action": "drop", "image": 3})), 400)
    assert is_error(client.post("/decide", json=body(client, 11)), 404)


def test_a_page_of_another_audit_decides_nothing(client: TestClient) -> None:
    assert is_error(client.post("/decide", json=body(client, edition="0" * 32)), 409)


def test_a_folder_that_was_audited_anew_takes_no_decisions_on_the_old_findings(
    client: TestClient, folder: Path
) -> None:
    asked = body(client)
    write_audit(folder, Index.read(Audited(folder).index))  # and found the same
    assert client.get("/version").json()["current"]
    assert client.post("/decide", json=asked).status_code == 200
    write_audit(folder, Index.read(Audited(folder).index), FOUND[5:])
    assert not client.get("/version").json()["current"]
    assert is_error(client.post("/decide", json={**asked, "key": next(keys), "seen": 1}), 409)
    wholesale = {"edition": asked["edition"], "key": next(keys), "filter": {}, "how": "drop"}
    assert is_error(client.post("/decide-all", json=wholesale), 409)
    assert is_error(
        client.post("/turn", json={"edition": asked["edition"], "key": next(keys), "act": 1, "turn": "undo"}), 409
    )
    assert client.get("/version").json()["version"] == 1
