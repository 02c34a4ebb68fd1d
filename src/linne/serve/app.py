"""A bundle over HTTP: the page, the model's card and predictions."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.requests import ClientDisconnect

from linne.records.errors import ImageError
from linne.runtime.cores import available_cores
from linne.serve.body import MAX_BODY, RequestError, is_multipart, read_body, read_files
from linne.serve.guard import LOOPBACK, Guard, own_files_only, refusal
from linne.serve.predictor import Prediction, Predictor, reason

AT_ONCE = 4
"""Most images decoded at the same time, since one may take gigabytes; the others wait as bytes."""

ROUTES = "the routes are GET /, GET /healthz, GET /model, GET /openapi.json and POST /predict"

_BINARY = {"type": "string", "format": "binary"}
_PREDICT_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "image/*": {"schema": _BINARY},
            "application/octet-stream": {"schema": _BINARY},
            "multipart/form-data": {"schema": {"type": "object", "additionalProperties": _BINARY}},
        },
    }
}


def create_app(predictor: Predictor, hosts: Collection[str] | None = LOOPBACK, max_body: int = MAX_BODY) -> FastAPI:
    """Make the HTTP application of a bundle.

    Parameters
    ----------
    predictor : Predictor
    hosts : collection of str or None
        Names by which the server may be asked; None for any, as a server on all interfaces needs.
    max_body : int
        Bytes of one request; more are answered 413.

    Returns
    -------
    FastAPI
    """
    # FastAPI's own documentation pages load scripts from other hosts.
    app = FastAPI(title="linne", docs_url=None, redoc_url=None, redirect_slashes=False)
    app.add_middleware(Guard, hosts=hosts)
    _answer_errors(app)

    page = Path(__file__).with_name("page.html").read_text(encoding="utf-8")
    card = _card(predictor)
    pool = ThreadPoolExecutor(min(AT_ONCE, available_cores()), thread_name_prefix="predict")

    @app.get("/", include_in_schema=False)
    async def show_page() -> HTMLResponse:
        nonce = secrets.token_urlsafe(16)
        policy = own_files_only(f"'nonce-{nonce}'", f"'nonce-{nonce}'", "blob: data:")
        return HTMLResponse(page.replace("{nonce}", nonce), headers={"Content-Security-Policy": policy})

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/model")
    async def model() -> dict[str, Any]:
        return card

    @app.post("/predict", openapi_extra=_PREDICT_BODY)
    async def predict(request: Request, file: str = "image") -> JSONResponse:
        loop = asyncio.get_running_loop()
        if not is_multipart(request):
            content = await read_body(request, max_body)
            return JSONResponse(
                _json(await loop.run_in_executor(pool, predictor.predict_bytes, content, file or "image"))
            )
        files = await read_files(request, max_body)
        tries = [loop.run_in_executor(pool, _try_to_predict, predictor, *named) for named in files]
        answers = await asyncio.gather(*tries)
        if all("error" in answer for answer in answers):
            problem = {"error": "none of the files is a usable image", "remedy": "see the error of each file"}
            return JSONResponse({**problem, "predictions": answers}, 400)
        return JSONResponse({"predictions": answers})

    return app


def _card(predictor: Predictor) -> dict[str, Any]:
    bundle = predictor.bundle
    return {
        "task": bundle.task,
        "labels": list(bundle.labels),
        **({"thresholds": list(bundle.thresholds)} if bundle.task == "multi" else {}),
        "network": bundle.network,
        "pixels": bundle.pixels.to_json(),
        "temperature": bundle.temperature,
        "fingerprint": bundle.fingerprint,
        "parity": asdict(bundle.parity),
    }


def _try_to_predict(predictor: Predictor, name: str, content: bytes) -> dict[str, Any]:
    name = name or "image"
    try:
        return _json(predictor.predict_bytes(content, name))
    except ImageError as error:
        return {"file": name, "error": reason(error)}


def _json(prediction: Prediction) -> dict[str, Any]:
    value = prediction.to_json()
    del value["error"]  # there is none
    return {"file": value.pop("path"), **value}


def _answer_errors(app: FastAPI) -> None:
    """Answer every error as JSON."""

    @app.exception_handler(ImageError)
    async def not_an_image(_: Request, error: ImageError) -> Response:
        return refusal(400, reason(error), error.remedy or "")

    @app.exception_handler(RequestError)
    async def bad_request(_: Request, error: RequestError) -> Response:
        return refusal(error.status, error.problem, error.remedy or "")

    @app.exception_handler(StarletteHTTPException)
    async def no_such_route(_: Request, error: HTTPException) -> Response:
        headers = dict(error.headers or {})
        return refusal(error.status_code, error.detail, ROUTES, headers)

    @app.exception_handler(ClientDisconnect)
    async def gone(_: Request, __: ClientDisconnect) -> Response:
        # Nobody reads this; without it the log would hold a traceback for every upload that was broken off.
        return refusal(400, "the client went away", "send the request again")

    @app.exception_handler(Exception)
    async def unexpected(_: Request, __: Exception) -> Response:
        # Starlette raises it again afterwards, so that the server's log has the traceback.
        return refusal(500, "the server failed on this request", "see the server's log")
