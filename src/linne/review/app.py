"""The review over HTTP: the page, its data, pictures by row of the index, and decisions."""

from __future__ import annotations

import secrets
import shlex
from collections import OrderedDict
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from fastapi import FastAPI, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from numpy.typing import NDArray
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException as StarletteHTTPException

from linne.records.decisions import Act, DecidedMeanwhileError
from linne.records.errors import ImageError, LinneError, RunError, WriteError, printable
from linne.review.bodies import DecideAllBody, DecideBody, ListQuery, TurnBody, read_json
from linne.review.desk import Desk
from linne.review.pictures import LARGE, SMALL, jpeg
from linne.review.rules import Decided, TestImageError, decide, decide_all
from linne.serve.body import RequestError
from linne.serve.guard import LOOPBACK, Guard, own_files_only, refusal

MOST_CASES = 200
"""In one answer."""

LISTS = 64
"""Filtered lists that are remembered, so that what was decided stays in its place until the page asks anew."""

HISTORY = 200

PAGE = {
    "": ("page.html", "text/html; charset=utf-8"),
    "style.css": ("style.css", "text/css; charset=utf-8"),
    **{
        f"{name}.js": (f"{name}.js", "text/javascript; charset=utf-8")
        for name in ("main", "server", "grid", "stage", "dialogs")
    },
}
"""Everything of the page, by address; there is nothing else to be had."""

_STATUS: dict[type[LinneError], int] = {
    DecidedMeanwhileError: 409,
    TestImageError: 409,
    ImageError: 422,
    WriteError: 500,
    RunError: 500,
}


class _Lists:
    """The last filtered lists, by names that a server started anew does not give again."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, NDArray[np.int64]] = OrderedDict()

    def keep(self, cases: NDArray[np.int64]) -> str:
        name = secrets.token_hex(8)
        self._kept[name] = cases
        while len(self._kept) > LISTS:
            self._kept.popitem(last=False)
        return name

    def get(self, name: str) -> NDArray[np.int64]:
        if name not in self._kept:
            raise RequestError(410, "this list is not remembered any more", "ask for it anew")
        self._kept.move_to_end(name)
        return self._kept[name]


def create_app(desk: Desk, hosts: Collection[str] | None = LOOPBACK) -> FastAPI:
    """Make the HTTP application of a review.

    Parameters
    ----------
    desk : Desk
    hosts : collection of str or None
        Names by which the server may be asked.

    Returns
    -------
    FastAPI
    """
    app = FastAPI(title="linne review", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.add_middleware(Guard, hosts=hosts)
    _answer_errors(app)
    _serve_page(app)
    _serve_data(app, desk)
    _take_decisions(app, desk)
    return app


def _serve_page(app: FastAPI) -> None:
    here = Path(__file__).with_name("page")
    policy = own_files_only("'self'", "'self'", "'self' data:")
    for address, (name, kind) in PAGE.items():
        content = (here / name).read_bytes()
        headers = {"Content-Security-Policy": policy, "Cache-Control": "no-cache"}

        def answer(content: bytes = content, kind: str = kind, headers: dict[str, str] = headers) -> Response:
            return Response(content, media_type=kind, headers=headers)

        app.get(f"/{address}")(_without_arguments(answer))


def _serve_data(app: FastAPI, desk: Desk) -> None:
    lists = _Lists()

    @app.get("/state")
    def state() -> dict[str, Any]:
        with desk.lock:
            desk.catch_up()
            return {**_standing(desk), **_fixed(desk)}

    @app.get("/version")
    def version() -> dict[str, Any]:
        return {"version": desk.catch_up(), "edition": desk.edition}

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

    @app.get("/lists/{number}")
    def window(name: str, start: Annotated[int, Query(ge=0)], count: Annotated[int, Query(ge=1, le=MOST_CASES)]) -> Any:
        with desk.lock:
            desk.catch_up()
            chosen = lists.get(name)[start : start + count].tolist()
            return {"start": start, "cases": [desk.shown(desk.cases[case]) for case in chosen]}

    @app.get("/cases/{number}")
    def case(number: int) -> dict[str, Any]:
        _refuse_out_of_range(number, len(desk.cases), "case")
        with desk.lock:
            desk.catch_up()
            return desk.shown(desk.cases[number], None)

    @app.get("/history")
    def history() -> dict[str, Any]:
        with desk.lock:
            desk.catch_up()
            acts = desk.standing.acts()
            told = [{**_act(act), "stands": stands} for (act, stands), _ in zip(acts, range(HISTORY), strict=False)]
            return {"acts": told}

    # By row of the index and never by path: whatever is asked for, nothing outside of the index can be had.
    @app.get("/thumbnails/{row}")
    def thumbnail(row: int) -> Response:
        return _picture(desk, row, SMALL)

    @app.get("/pictures/{row}")
    def picture(row: int) -> Response:
        return _picture(desk, row, LARGE)


def _take_decisions(app: FastAPI, desk: Desk) -> None:
    @app.post("/decide")
    async def decide_one(request: Request) -> JSONResponse:
        body = await read_json(request, DecideBody)
        _refuse_other_edition(desk, body.edition)
        _refuse_out_of_range(body.case, len(desk.cases), "case")
        answers = [answer.answer() for answer in body.answers]
        decided = await run_in_threadpool(decide, desk, body.case, answers, body.why, body.seen, body.key)
        return await run_in_threadpool(_outcome, desk, decided, body.case)

    @app.post("/decide-all")
    async def decide_many(request: Request) -> JSONResponse:
        body = await read_json(request, DecideAllBody)
        _refuse_other_edition(desk, body.edition)
        decided = await run_in_threadpool(decide_all, desk, body.filter.filter(), body.how, body.why, body.key)
        return await run_in_threadpool(_outcome, desk, decided, None)

    @app.post("/turn")
    async def turn(request: Request) -> JSONResponse:
        body = await read_json(request, TurnBody)
        _refuse_other_edition(desk, body.edition)
        method = desk.log.undo if body.turn == "undo" else desk.log.redo

        def do() -> JSONResponse:
            method(body.act, who=desk.who, index=desk.index.fingerprint, key=body.key)
            with desk.lock:
                desk.catch_up()
                return JSONResponse(_standing(desk))

        return await run_in_threadpool(do)


def _standing(desk: Desk) -> dict[str, Any]:
    """What changes with decisions."""
    decided = desk.decided
    undo, redo = desk.standing.next_undo(), desk.standing.next_redo()
    return {
        "version": desk.standing.version,
        "edition": desk.edition,
        "total": len(desk.cases),
        "open": int((~decided).sum()),
        "checks": [{"check": name, "total": total, "open": left} for name, total, left in desk.queue.counts(decided)],
        "classes": desk.known_classes(),
        "undo": None if undo is None else _act(undo),
        "redo": None if redo is None else _act(redo),
    }


def _fixed(desk: Desk) -> dict[str, Any]:
    return {
        "name": desk.index.name,
        "folder": str(desk.folder),
        "who": desk.who,
        "run": desk.is_run,
        "images": len(desk.index),
        "test": int(desk.test.sum()),
        "labels": list(desk.index.labels),
        "suggestions": sorted({case.suggestion for case in desk.cases if case.suggestion}),
        "notes": list(desk.notes),
        "apply": f"linne audit --apply {shlex.quote(str(desk.folder))}",
        "export": f"linne audit {shlex.quote(str(desk.folder))} --export-csv findings.csv",
    }


def _act(act: Act) -> dict[str, Any]:
    """An act with its first decision, and of how many images or classes it is."""
    first = act.decisions[0]
    return {
        "act": act.number,
        "who": act.who,
        "when": act.when,
        "why": act.why,
        "action": first.action if len({d.action for d in act.decisions}) == 1 else "several",
        "subject": first.path or first.label,
        "to": first.to,
        "count": len({d.path or d.label for d in act.decisions}),
        "test": sum(d.test for d in act.decisions),
    }


def _outcome(desk: Desk, decided: Decided, number: int | None) -> JSONResponse:
    with desk.lock:
        told: dict[str, Any] = {
            "act": None if decided.act is None else decided.act.number,
            "images": decided.images,
            "test_left": decided.test_left,
            "others_left": decided.others_left,
            **_standing(desk),
        }
        if number is not None:
            told["shown"] = desk.shown(desk.cases[number], None)
        return JSONResponse(told)


def _picture(desk: Desk, row: int, side: int) -> Response:
    _refuse_out_of_range(row, len(desk.index), "image")
    # The page asks with the edition in the address, so a picture that was replaced is asked for anew.
    headers = {"Cache-Control": "private, max-age=86400"}
    return Response(jpeg(desk.index.content(row), side), media_type="image/jpeg", headers=headers)


def _refuse_out_of_range(number: int, many: int, what: str) -> None:
    if not 0 <= number < many:
        raise RequestError(404, f"no such {what}", "load the page again")


def _refuse_other_edition(desk: Desk, edition: str) -> None:
    if edition != desk.edition:
        raise RequestError(409, "the page shows findings of another audit", "load the page again")


def _without_arguments(answer: Any) -> Any:
    """Hide a function's defaults, which FastAPI would take for parameters of the request."""
    return lambda: answer()


def _answer_errors(app: FastAPI) -> None:
    """Answer every error as JSON."""

    @app.exception_handler(RequestError)
    async def bad_request(_: Request, error: RequestError) -> Response:
        return refusal(error.status, error.problem, error.remedy or "")

    @app.exception_handler(LinneError)
    async def refused(_: Request, error: LinneError) -> Response:
        status = next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 400)
        problem = error.problem if error.value is None else f"{error.problem} ({error.value})"
        return refusal(status, printable(" ".join(problem.split())), error.remedy or "")

    @app.exception_handler(RequestValidationError)
    async def not_understood(_: Request, __: RequestValidationError) -> Response:
        return refusal(400, "the request does not fit", "load the page again")

    @app.exception_handler(StarletteHTTPException)
    async def no_such_route(_: Request, error: HTTPException) -> Response:
        return refusal(error.status_code, error.detail, "open the page at /", dict(error.headers or {}))

    @app.exception_handler(Exception)
    async def unexpected(_: Request, __: Exception) -> Response:
        # Starlette raises it again afterwards, so that the server's log has the traceback.
        return refusal(500, "the server failed on this request", "see where `linne review` was started")
