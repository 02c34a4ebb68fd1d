"""An application listened to until Ctrl-C: what the server of bundles and the review page share."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from contextlib import suppress

import uvicorn
from starlette.types import ASGIApp

from linne.records.errors import LinneError
from linne.serve.guard import LOOPBACK

EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - recognised here, not bound
"""Addresses that mean every interface, and where this machine itself finds them."""

GRACE = 5
"""Seconds that requests under way have after Ctrl-C."""

MakeApp = Callable[[frozenset[str] | None], ASGIApp]


class _Server(uvicorn.Server):
    """Uvicorn that tells when it accepts connections."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._started = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._started()


def listen(make_app: MakeApp, host: str, port: int, on_ready: Callable[[str], None] | None = None) -> None:
    """Answer over HTTP until Ctrl-C.

    Parameters
    ----------
    make_app : callable
        Gives the application, from the names by which it may be asked: None for any, on all interfaces.
    host : str
        Address or name to listen on.
    port : int
        0 picks a free one.
    on_ready : callable, optional
        Called with the URL as soon as requests are answered.

    Raises
    ------
    LinneError
        The port is in use, or the host cannot be listened on.
    """
    with _bound(host, port) as listener:
        address, taken = listener.getsockname()[:2]
        name = EVERYWHERE.get(address, host)
        url = f"http://{f'[{name}]' if ':' in name else name}:{taken}"
        config = uvicorn.Config(
            make_app(None if address in EVERYWHERE else LOOPBACK | {host, address}),
            access_log=False,
            log_level="warning",
            lifespan="off",
            ws="none",
            server_header=False,
            timeout_graceful_shutdown=GRACE,
        )
        # Uvicorn shuts down in order on Ctrl-C and then raises it again.
        with suppress(KeyboardInterrupt):
            _Server(config, lambda: on_ready(url) if on_ready else None).run(sockets=[listener])


def _bound(host: str, port: int) -> socket.socket:
    if not 0 <= port <= 65535:
        raise LinneError("no such port", value=port, remedy="give one of 1..65535, or `--port 0` for any free one")
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address, family=family)
    except (OSError, UnicodeError) as error:
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            raise LinneError(
                "the port is in use",
                value=port,
                remedy="stop what uses it, or take a free one with `--port 0`",
            ) from error
        if isinstance(error, PermissionError):
            raise LinneError(
                "this user may not listen on the port", value=port, remedy="take one above 1023 with `--port`"
            ) from error
        raise LinneError(
            "cannot listen on the host", value=host, remedy="give an address of this machine with `--host`"
        ) from error
