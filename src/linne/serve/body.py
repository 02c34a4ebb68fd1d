"""The images in a request's body, never more of it in memory than allowed."""

from __future__ import annotations

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.types import Message

from linne.records.errors import LinneError

MAX_BODY = 32 << 20
"""Bytes of one request."""

MAX_FILES = 64
"""Files of one request, and as many other form fields."""


class RequestError(LinneError):
    """A request that cannot be answered.

    Parameters
    ----------
    status : int
        HTTP status that says so.
    problem, remedy : str
    """

    def __init__(self, status: int, problem: str, remedy: str) -> None:
        super().__init__(problem, remedy=remedy)
        self.status = status


def is_multipart(request: Request) -> bool:
    """Whether the body is a form with files; any other body is one image."""
    return request.headers.get("content-type", "").lower().startswith("multipart/form-data")


async def read_body(request: Request, limit: int) -> bytes:
    """Read a body whole.

    Raises
    ------
    RequestError
        It has more than `limit` bytes (413).
    """
    return await _bounded(request, limit).body()


async def read_files(request: Request, limit: int) -> list[tuple[str, bytes]]:
    """Read the files of a multipart form, whatever their fields are called.

    Returns
    -------
    list of (str, bytes)
        Name, which may be empty, and content, in their order.

    Raises
    ------
    RequestError
        The form is malformed, has no file or too many (400), or more than `limit` bytes (413).
    """
    remedy = f"send 1 to {MAX_FILES} files as multipart/form-data"
    try:
        async with _bounded(request, limit).form(max_files=MAX_FILES, max_fields=MAX_FILES) as form:
            uploads = [item for _, item in form.multi_items() if isinstance(item, UploadFile)]
            files = [(_sendable(upload.filename or ""), await upload.read()) for upload in uploads]
    except HTTPException as error:
        raise RequestError(error.status_code, error.detail, remedy) from error
    except UnicodeError as error:
        # The request names the charset of its fields; some codecs raise more than Starlette expects.
        raise RequestError(400, "the form's charset does not fit its fields", remedy) from error
    if not files:
        raise RequestError(400, "the form holds no file", remedy)
    return files


def _bounded(request: Request, limit: int) -> Request:
    """Give the same request with a body that raises at the first byte past `limit`."""
    too_large = RequestError(413, f"more than {limit / 2**20:.3g} MiB in one request", "send fewer or smaller images")
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise too_large
    received = 0

    async def receive() -> Message:
        nonlocal received
        message = await request.receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise too_large
        return message

    return Request(request.scope, receive)


def _sendable(name: str) -> str:
    """Replace what UTF-8 cannot hold: half a surrogate pair, which some charsets let in."""
    return name.encode("utf-8", "replace").decode("utf-8")
