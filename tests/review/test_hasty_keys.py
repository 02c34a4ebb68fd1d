"""Keys pressed faster than findings come, in a real Chromium: each decides on the finding it was meant for."""

from __future__ import annotations

import re
from typing import Any

import pytest
from review_page import CHROMIUM, PATIENCE, Server, Tab

from linne.records.audited import Audited
from linne.records.decision_log import DecisionLog

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")]


def slow_down(tab: Tab, latency: int) -> None:
    network = tab.page.context.new_cdp_session(tab.page)
    network.send("Network.enable")
    conditions = {"offline": False, "latency": latency, "downloadThroughput": -1, "uploadThroughput": -1}
    network.send("Network.emulateNetworkConditions", conditions)


def decided(server: Server) -> list[tuple[str, str]]:
    with DecisionLog(Audited(server.folder).decisions) as log:
        return [(act.decisions[0].action, act.decisions[0].path) for act in log.standing.since(0)]


@pytest.mark.parametrize(("latency", "gap"), [(0, 0), (300, 100)])
def test_each_key_decides_on_the_next_finding(tab: Tab, server: Server, latency: int, gap: int) -> None:
    tab.page.get_by_role("button", name=re.compile("^label doubt")).click()
    tab.question("cat → dog?")
    slow_down(tab, latency)
    for key in ("d", "s", "Enter"):
        tab.press(key)
        tab.page.wait_for_timeout(gap)
    tab.progress(4)  # the image that is dropped was dark, too
    assert decided(server) == [("drop", "train/cat/3.jpg"), ("relabel", "test/dog/1.jpg"), ("keep", "train/owl/0.jpg")]
    assert tab.wrong == []


def test_undo_takes_its_turn(tab: Tab, server: Server) -> None:
    tab.page.get_by_role("button", name=re.compile("^label doubt")).click()
    tab.question("cat → dog?")
    slow_down(tab, 200)
    tab.press("d", "u", "Enter", "j", "d")
    tab.sees("#said", "train/owl/0.jpg dropped")
    with DecisionLog(Audited(server.folder).decisions) as log:
        stand = [(act.decisions[0].action, act.decisions[0].path) for act, stands in log.standing.acts() if stands]
    assert stand == [("drop", "train/owl/0.jpg"), ("keep", "train/cat/3.jpg")]


def test_typed_letters_are_for_the_window_that_opens(tab: Tab, server: Server) -> None:
    slow_down(tab, 300)
    tab.press("j", "r", "d", "o", "g")
    tab.page.wait_for_timeout(1500)
    assert decided(server) == []
    assert tab.wrong == []


def test_two_findings_on_one_class(tab: Tab, server: Server) -> None:
    tab.page.get_by_role("button", name=re.compile("^classes alike")).click()
    tab.question("owl → dog?")
    tab.page.get_by_role("button", name=re.compile("^all")).click()
    tab.sees("#stage .tag", "classes alike")
    held: list[Any] = []
    tab.page.route("**/decide", lambda route: route.continue_() if held else held.append(route))
    tab.press("Enter")
    tab.sees("#stage .tag", "imbalance")  # drawn before the first is saved
    tab.press("Enter")
    tab.page.wait_for_timeout(200)
    held[0].continue_()
    tab.progress(2)
    assert tab.wrong == []
    assert decided(server) == [("keep", ""), ("keep", "")]


def test_a_key_held_down_decides_once(tab: Tab, server: Server) -> None:
    tab.page.keyboard.down("d")
    for _ in range(5):
        tab.page.keyboard.down("d")
    tab.page.keyboard.up("d")
    playwright.expect(tab.page.locator("#progress")).to_contain_text("1 of 11 decided", timeout=PATIENCE)
    assert decided(server) == [("drop", "train/owl/3.jpg")]
