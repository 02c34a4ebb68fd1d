"""The page over an audited folder."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from audited_photos import OWNER, write_audit, write_photos
from review_page import CHROMIUM, Server, Tab
from starlette.testclient import TestClient

from linne.index.photos import read_photos
from linne.review.app import create_app
from linne.review.desk import Desk


@pytest.fixture(scope="session")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos and their audit; tests leave both as they are."""
    made = tmp_path_factory.mktemp("made")
    return write_audit(made / "audit", read_photos(write_photos(made / "photos")))


@pytest.fixture
def folder(audited: Path, tmp_path: Path) -> Path:
    """The audit for one test, to decide on."""
    return Path(shutil.copytree(audited, tmp_path / "audit"))


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


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    running = Server(write_audit(tmp_path / "audit", read_photos(write_photos(tmp_path / "photos"))))
    yield running
    if running.process.poll() is None:
        running.end()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def tab(chromium: Any, server: Server) -> Iterator[Tab]:
    context = chromium.new_context(viewport={"width": 1200, "height": 800})
    made = Tab(context, server.url)
    yield made
    context.close()
