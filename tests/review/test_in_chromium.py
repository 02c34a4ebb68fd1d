"""The page driven in a real Chromium, as a person would: keys, reloads, two tabs, and a server that is killed."""

from __future__ import annotations

import re
import signal
from typing import Any

import pytest
from review_page import CHROMIUM, PATIENCE, Server, Tab

import linne
from linne.records.audited import Audited
from linne.records.decision_log import DecisionLog

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")]


def test_a_whole_session(tab: Tab, server: Server) -> None:
    page = tab.page
    page.get_by_role("button", name=re.compile("^label doubt")).click()
    tab.question("cat → dog?")
    tab.press("s")
    tab.sees("#said", "train/cat/3.jpg now dog")
    tab.question("dog → cat?")  # a test image, and the page says so
    tab.sees("#stage .tag.test", "TEST IMAGE")
    tab.press("j")
    tab.question("owl → dog?")
    tab.press("r")
    page.wait_for_selector("#picker[open]")
    page.keyboard.type("barn owl")
    tab.sees("#picker-list", "a new class")
    tab.press("Enter")
    tab.progress(2)
    tab.press("u", "u")
    tab.progress(0)
    tab.press("U")
    tab.progress(1)
    tab.press("Control+Shift+z")
    tab.progress(2)

    # A search, which the keys of decisions do not reach.
    page.get_by_role("button", name=re.compile("^all")).click()
    tab.press("/")
    page.keyboard.type("cat/2")
    tab.question("3 images that go together")
    tab.press("Escape", "2", "n")
    page.keyboard.type("sharpest")
    tab.press("Enter", "o")
    tab.progress(3)

    page.reload()
    tab.settled()
    tab.progress(3)
    assert page.input_value("#text") == "cat/2"
    tab.press("h")
    tab.sees("#acts-list", "sharpest")
    tab.press("Escape")
    page.fill("#text", "")
    page.select_option("#state", "open")
    tab.press("Escape")
    page.get_by_role("button", name=re.compile("^classes alike")).click()
    tab.question("owl → dog?")
    tab.press("s")
    tab.sees("#said", "owl merged into dog")
    tab.progress(4)
    tab.press("?")
    page.wait_for_selector("#keys[open]")
    tab.press("Escape")
    page.get_by_role("button", name="Apply…").click()
    tab.sees("#apply", "linne audit --apply")
    assert tab.wrong == []

    server.end()
    index = linne.apply(server.folder)
    made = index.corrections
    assert made is not None
    assert index.labels == ("barn owl", "cat", "dog")
    assert (made.relabelled, made.dropped, made.merged) == (2, 2, (("owl", "dog"),))
    assert index.row_of("train/cat/0.jpg") is None
    assert index.row_of("train/cat/1.jpg") is not None


def test_a_test_image_by_hand_and_never_wholesale(tab: Tab, server: Server) -> None:
    page = tab.page
    page.get_by_role("button", name=re.compile("^label doubt")).click()
    tab.question("cat → dog?")
    tab.press("a")
    page.get_by_role("button", name=re.compile("^Follow every suggestion")).click()
    tab.sees("#said", "2 decided; 1 with test images left")
    tab.press("j")
    tab.question("dog → cat?")
    tab.press("s")
    tab.sees("#said", "(test image)")
    tab.progress(3)
    assert tab.wrong == []
    with DecisionLog(Audited(server.folder).decisions) as log:
        assert [[decision.test for decision in act.decisions] for act in log.standing.since(0)] == [[False] * 2, [True]]


def test_two_tabs_at_once(tab: Tab, server: Server) -> None:
    other = Tab(tab.page.context, server.url + "#check=dark")
    tab.page.get_by_role("button", name=re.compile("^label doubt")).click()
    tab.question("cat → dog?")
    other.question("cat")
    tab.press("d")
    other.sees("#stage .answer", "Dropped by anna")  # of itself, and without a reload
    other.progress(2)
    other.press("Enter")
    other.progress(1)  # it stays, so its label is in doubt again
    tab.progress(1)
    other.press("u")
    tab.progress(2)
    assert tab.wrong == other.wrong == []


def test_a_server_that_is_killed_loses_nothing(tab: Tab, server: Server) -> None:
    page = tab.page
    page.get_by_role("button", name=re.compile("^label doubt")).click()
    tab.question("cat → dog?")
    tab.press("s")
    tab.progress(1)
    tab.press("j")
    tab.question("owl → dog?")
    server.end(signal.SIGKILL)
    tab.press("d")
    tab.sees("#gone", "1 decision is not saved yet")
    server.start()
    playwright.expect(page.locator("#gone")).to_be_hidden(timeout=PATIENCE)
    tab.progress(2)
    page.reload()
    tab.progress(2)
    with DecisionLog(Audited(server.folder).decisions) as log:
        assert [act.decisions[0].action for act in log.standing.since(0)] == ["relabel", "drop"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_all_that_is_needed(chromium: Any, server: Server, scheme: str) -> None:
    context = chromium.new_context(viewport={"width": 390, "height": 844}, color_scheme=scheme, has_touch=True)
    tab = Tab(context, server.url + "#check=label+doubt")
    tab.page.locator("#do-follow").tap()
    tab.progress(1)
    assert tab.page.evaluate("document.documentElement.scrollWidth") == 390
    background = tab.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", background)[:3])) > 384) == (scheme == "light")
    assert tab.wrong == []
    context.close()
