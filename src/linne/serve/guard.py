"""Which requests are let in, and the headers that every answer carries."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


_ELSEWHERE = ("cross-site", "same-site")
"""Another port of this machine is of the same site, and may be anybody's."""


def own_files_only(style: str, script: str, images: str) -> str:
    """Give a page's Content-Security-Policy: these sources of style, script and images, this server, nothing else."""
    return (
        f"default-src 'none'; connect-src 'self'; img-src {images}; style-src {style}; script-src {script}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def refusal(status: int, error: str, remedy: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """Give the one form that every error has: a status, what is wrong, and what to do about it."""
    # The answer to an unexpected exception is sent outside `Guard`, so the headers are set here as well.
    return JSONResponse({"error": error, "remedy": remedy}, status, {**HEADERS, **(headers or {})})


class Guard:
    """ASGI middleware that keeps other web sites away from a server on this machine.

    A page from anywhere can make its visitor's browser send requests to 127.0.0.1. A foreign name in
    ``Host`` is DNS rebinding; a foreign ``Origin`` is cross-site request forgery, or an attempt to read;
    ``Sec-Fetch-Site`` tells of pictures and frames, which come without an origin. All are answered 403.

    Parameters
    ----------
    app : ASGI application
    hosts : collection of str or None
        Names, without port or brackets, that ``Host`` may hold; None allows any.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str] | None) -> None:
        self._app = app
        self._hosts = None if hosts is None else frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        answer = self._refuse(Headers(scope=scope)) or self._app
        await answer(scope, receive, send_with_headers)

    def _refuse(self, headers: Headers) -> JSONResponse | None:
        host = headers.get("host", "")
        if self._hosts is not None and _name(host) not in self._hosts:
            return refusal(
                403,
                "this host name is not served",
                "use the address that was printed at the start",
            )
        origin = headers.get("origin")
        # The scheme may differ behind a proxy that ends TLS; host and port may not.
        foreign = origin is not None and origin.partition("://")[2].lower() != host.lower()
        # A link that is followed to here shows our page, not the other one's.
        embedded = headers.get("sec-fetch-site") in _ELSEWHERE and headers.get("sec-fetch-mode") != "navigate"
        if foreign or embedded:
            return refusal(403, "a page of another origin may not ask", "open the page of this server instead")
        return None


def _name(host: str) -> str | None:
    """Give the name in a ``Host`` header, without port and brackets; None if it is malformed."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None
