"""The page over an audited folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from audited_photos import OWNER, write_audit, write_photos
from starlette.testclient import TestClient

from linne.index.photos import read_photos
from linne.review.app import create_app
from linne.review.desk import Desk


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return write_photos(tmp_path / "photos")


@pytest.fixture
def folder(photos: Path, tmp_path: Path) -> Path:
    return write_audit(tmp_path / "audit", read_photos(photos))


@pytest.fixture
def open_desk(folder: Path) -> Iterator[Callable[..., Desk]]:
    desks: list[Desk] = []

    def make(who: str = OWNER) -> Desk:
        desks.append(Desk(folder, who))
        return desks[-1]

    yield make
    for desk in desks:
        desk.close()


@pytest.fixture
def desk(open_desk: Callable[..., Desk]) -> Desk:
    return open_desk()


@pytest.fixture
def client(desk: Desk) -> TestClient:
    return TestClient(create_app(desk), base_url="http://127.0.0.1:8001", raise_server_exceptions=False)
