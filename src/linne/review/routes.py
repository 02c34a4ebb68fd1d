"""The routes of the page: data, pictures by row of the index, decisions."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from typing import Annotated, Any

import numpy as np
from fastapi import FastAPI, Query, Request
from fastapi.responses import Response
from numpy.typing import NDArray
from starlette.concurrency import run_in_threadpool

from linne.review.bodies import DecideAllBody, DecideBody, ListQuery, TurnBody, read_json
from linne.review.desk import MOST_SHOWN, Desk
from linne.review.pictures import LARGE, SMALL, jpeg
from linne.review.rules import decide, decide_all
from linne.review.told import act_told, outcome, what_is_reviewed, what_stands
from linne.serve.body import RequestError

MOST_CASES = 200
"""In one answer."""

LISTS = 16
"""Filtered lists that are remembered, so that what was decided stays in its place until the page asks anew."""

HISTORY = 200


class _Lists:
    """The last filtered lists, by names that a server started anew does not give again."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, NDArray[np.int32]] = OrderedDict()

    def keep(self, cases: NDArray[np.int64]) -> str:
        name = secrets.token_hex(8)
        self._kept[name] = cases.astype(np.int32)  # of a million cases 4 MB
        while len(self._kept) > LISTS:
            self._kept.popitem(last=False)
        return name

    def get(self, name: str) -> NDArray[np.int32]:
        if name not in self._kept:
            raise RequestError(410, "this list is not remembered any more", "ask for it anew")
        self._kept.move_to_end(name)
        return self._kept[name]


def serve_data(app: FastAPI, desk: Desk) -> None:
    """Answer what the page asks for: what stands, lists and windows of them, cases, history, pictures."""
    lists = _Lists()

    @app.get("/state")
    def state() -> dict[str, Any]:
        with desk.lock:
            desk.catch_up()
            return {**what_stands(desk), **what_is_reviewed(desk)}

    @app.get("/version")
    def version() -> dict[str, Any]:
        return {"version": desk.catch_up(), "edition": desk.edition, "current": desk.is_current}

    @app.get("/lists")
    def make_list(wanted: Annotated[ListQuery, Query()]) -> dict[str, Any]:
        with desk.lock:
            desk.catch_up()
            cases = desk.queue.select(wanted.filter(), desk.decided)
            left = int((~desk.decided[cases]).sum())
            at = np.flatnonzero(cases == wanted.near)
            return {
                "list": lists.keep(cases),
                "total": len(cases),
                "open": left,
                "at": int(at[0]) if len(at) else 0,
                "edition": desk.edition,
            }

    @app.get("/lists/{name}")
    def window(name: str, start: Annotated[int, Query(ge=0)], count: Annotated[int, Query(ge=1, le=MOST_CASES)]) -> Any:
        with desk.lock:
            desk.catch_up()
            chosen = lists.get(name)[start : start + count].tolist()
            return {"start": start, "cases": [desk.shown(desk.cases[case]) for case in chosen]}

    @app.get("/cases/{number}")
    def case(number: int, images: Annotated[int, Query(ge=1)] = MOST_SHOWN) -> dict[str, Any]:
        _refuse_out_of_range(number, len(desk.cases), "case")
        with desk.lock:
            desk.catch_up()
            return desk.shown(desk.cases[number], images)

    @app.get("/history")
    def history() -> dict[str, Any]:
        with desk.lock:
            desk.catch_up()
            acts = desk.standing.acts()
            told = [{**act_told(act), "stands": stands} for (act, stands), _ in zip(acts, range(HISTORY), strict=False)]
            return {"acts": told}

    # By row of the index and never by path: whatever is asked for, nothing outside of the index can be had.
    @app.get("/thumbnails/{row}")
    def thumbnail(row: int) -> Response:
        return _picture(desk, row, SMALL)

    @app.get("/pictures/{row}")
    def picture(row: int) -> Response:
        return _picture(desk, row, LARGE)


def take_decisions(app: FastAPI, desk: Desk) -> None:
    """Take what a person decides, by hand or wholesale, undoes and does again."""

    @app.post("/decide")
    async def decide_one(request: Request) -> dict[str, Any]:
        body = await read_json(request, DecideBody)
        _refuse_other_edition(desk, body.edition)
        _refuse_out_of_range(body.case, len(desk.cases), "case")
        answers = [answer.answer() for answer in body.answers]
        decided = await run_in_threadpool(decide, desk, body.case, answers, body.why, body.seen, body.key)
        return await run_in_threadpool(outcome, desk, decided, body.case, body.images)

    @app.post("/decide-all")
    async def decide_many(request: Request) -> dict[str, Any]:
        body = await read_json(request, DecideAllBody)
        _refuse_other_edition(desk, body.edition)
        decided = await run_in_threadpool(decide_all, desk, body.filter.filter(), body.how, body.why, body.key)
        return await run_in_threadpool(outcome, desk, decided, None)

    @app.post("/turn")
    async def turn(request: Request) -> dict[str, Any]:
        body = await read_json(request, TurnBody)
        _refuse_other_edition(desk, body.edition)
        method = desk.log.undo if body.turn == "undo" else desk.log.redo

        def do() -> dict[str, Any]:
            method(body.act, who=desk.who, index=desk.index.fingerprint, key=body.key)
            with desk.lock:
                desk.catch_up()
                return what_stands(desk)

        return await run_in_threadpool(do)


def _picture(desk: Desk, row: int, side: int) -> Response:
    _refuse_out_of_range(row, len(desk.index), "image")
    # The page asks with the edition in the address, so a picture that was replaced is asked for anew.
    headers = {"Cache-Control": "private, max-age=86400"}
    content = jpeg(desk.index.content(row), side, desk.digest(row))
    return Response(content, media_type="image/jpeg", headers=headers)


def _refuse_out_of_range(number: int, many: int, what: str) -> None:
    if not 0 <= number < many:
        raise RequestError(404, f"no such {what}", "load the page again")


def _refuse_other_edition(desk: Desk, edition: str) -> None:
    if edition != desk.edition:
        raise RequestError(409, "the page shows findings of another audit", "load the page again")
    if not desk.is_current:
        raise RequestError(409, "the folder was audited anew", "start `linne review` again and load the page again")
