"""The review over HTTP: the page, and errors as JSON."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException as StarletteHTTPException

from linne.records.decisions import DecidedMeanwhileError
from linne.records.errors import ImageError, LinneError, RunError, WriteError, printable
from linne.review.desk import Desk
from linne.review.routes import serve_data, take_decisions
from linne.review.rules import OfTestSetError
from linne.serve.body import RequestError
from linne.serve.guard import LOOPBACK, Guard, own_files_only, refusal

PAGE = {
    "": ("page.html", "text/html; charset=utf-8"),
    "style.css": ("style.css", "text/css; charset=utf-8"),
    **{
        f"{name}.js": (f"{name}.js", "text/javascript; charset=utf-8")
        for name in ("main", "now", "showing", "deciding", "keys", "waiting", "server", "grid", "stage", "dialogs")
    },
}
"""Everything of the page, by address; there is nothing else to be had."""

_STATUS: dict[type[LinneError], int] = {
    DecidedMeanwhileError: 409,
    OfTestSetError: 409,
    ImageError: 422,
    WriteError: 500,
    RunError: 500,
}


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
    serve_data(app, desk)
    take_decisions(app, desk)
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
