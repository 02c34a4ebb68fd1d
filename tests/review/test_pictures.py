"""Pictures of the index over HTTP, and why there may be none."""

from __future__ import annotations

import io
from dataclasses import replace

import httpx
import pytest
from audited_photos import UNREADABLE
from PIL import Image
from starlette.testclient import TestClient

from linne.review.desk import Desk


def why_none(answer: httpx.Response) -> str:
    assert answer.status_code == 422
    return str(answer.json()["error"])


def test_pictures_are_small_upright_jpegs(client: TestClient, desk: Desk) -> None:
    turned = desk.index.row_of("train/dog/4.jpg")
    for kind in ("thumbnails", "pictures"):
        answer = client.get(f"/{kind}/{turned}")
        assert answer.headers["content-type"] == "image/jpeg"
        assert answer.headers["cache-control"].startswith("private")
        picture = Image.open(io.BytesIO(answer.content))
        assert (picture.format, picture.size) == ("JPEG", (40, 80))


def test_a_picture_that_cannot_be_shown_says_why(client: TestClient, desk: Desk) -> None:
    answer = client.get(f"/thumbnails/{desk.cases[UNREADABLE].rows[0]}")
    assert why_none(answer)
    assert "cache-control" not in answer.headers


def test_a_picture_that_is_gone_says_so(client: TestClient, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "index", replace(desk.index, root="/nowhere"))
    assert why_none(client.get("/pictures/0"))


def test_a_picture_that_was_replaced_is_not_shown_for_the_one_that_was_audited(
    client: TestClient, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "_digest", desk._digest ^ 1)
    answer = client.get("/thumbnails/0")
    assert "replaced" in why_none(answer)
