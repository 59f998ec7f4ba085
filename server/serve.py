"""Runs the application under uvicorn, and stops it so that every stream gets its goodbye."""

from __future__ import annotations

import asyncio
import math
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial

import uvicorn
from sse_starlette.sse import AppStatus
from starlette.applications import Starlette

from realtime.lifetimes.connection_lifetimes import ConnectionLifetimes
from server.concurrency.tasks import first_to_end
from server.connection.connection_limits import http_limits
from server.connection.http_connection import HttpConnection
from server.connection.websocket_connection import WebSocketConnection
from server.runtime.listening import BACKLOG
from server.settings import Settings

__all__ = ["LAST_RESORT_SECONDS", "Obey", "Server", "make_server"]

#: Part of the grace period over which the goodbyes are spread; in the rest of it the connections close.
PACED_PART = 0.5
#: Seconds after the grace period in which the connections that were cut must be gone.
LAST_RESORT_SECONDS = 2
#: SIGHUP is the signal of a terminal that closes. It stops the server even if it was ignored before (`nohup`).
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
#: Lets the server be stopped by something for the length of a block, which runs while it serves.
Obey = Callable[["Server"], AbstractContextManager[None]]


def make_server(
    app: Starlette,
    settings: Settings,
    on_start: Callable[[], None] | None = None,
    max_connections: int | None = None,
    obey: Obey | None = None,
) -> Server:
    """Return a server for `app`, which must have its service in `app.state`.

    The server calls `on_start` once it accepts connections and can be stopped, by `obey` or else by signals.
    `max_connections` is the number for which the system has descriptors; None = as many as the settings allow.
    """
    config = uvicorn.Config(
        app,
        http=partial(HttpConnection, limits=http_limits(settings, max_connections)),  # type: ignore[arg-type]
        ws=WebSocketConnection,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # `middleware.client_address` reads them
        ws_max_size=settings.max_frame_bytes,
        ws_ping_interval=settings.ping_seconds,
        ws_ping_timeout=settings.ping_seconds,
        ws_per_message_deflate=settings.compression,
        # uvicorn's own limit is the last resort, and logs errors. Before it, we have cut every connection ourselves.
        backlog=BACKLOG,
        timeout_graceful_shutdown=math.ceil(settings.shutdown_grace_seconds) + LAST_RESORT_SECONDS,
    )
    state = app.state
    grace = settings.shutdown_grace_seconds
    return Server(config, state.service.lifetimes, grace, on_start, state.access.aclose, obey or _obey_signals)


class Server(uvicorn.Server):
    """uvicorn's server, which says goodbye before it waits for connections.

    uvicorn waits for open responses first and would wait for a stream for ever.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        lifetimes: ConnectionLifetimes,
        grace_seconds: float,
        on_start: Callable[[], None] | None = None,
        on_stop: Callable[[], Awaitable[None]] | None = None,
        obey: Obey | None = None,
    ) -> None:
        """Serve `config.app`, whose connections have `lifetimes`; await `on_stop` when streams have ended.

        Requests may still run then, and may wait for what `on_stop` ends. `obey` runs while the server serves.
        """
        super().__init__(config)
        self._lifetimes = lifetimes
        self._grace_seconds = grace_seconds
        self._on_start = on_start
        self._on_stop = on_stop
        self._obey = obey or _obey_signals
        self._hurried = asyncio.Event()
        #: The signal, or whatever else stopped the server; None while it runs, or after a fault.
        self.stopped_by: str | None = None
        # Our shutdown says goodbye first; that of sse-starlette would cut the streams before.
        AppStatus.enable_automatic_graceful_drain = False

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Obey in place of uvicorn, which would raise the signal again afterwards; so the process exits with 0."""
        with self._obey(self):
            yield

    def stop(self, why: str) -> None:
        """Begin to stop, unless the server does so already."""
        if not self.should_exit:
            self.stopped_by = why
            self.should_exit = True

    def cut(self) -> None:
        """Stop, and end all connections at once."""
        self.should_exit = self.force_exit = True
        self._hurried.set()
        self._cut_all()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept connections, and then report the start."""
        await super().startup(sockets)
        if self._on_start is not None:
            self._on_start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting, end the streams, then the connections; cut the rest when the grace period is over."""
        for server in self.servers:
            server.close()
        cut = asyncio.get_running_loop().call_later(self._grace_seconds, self._cut_all)
        try:
            await first_to_end(self._drained(), self._hurried.wait())
            if self._on_stop is not None:
                await self._on_stop()
            await super().shutdown(sockets)
        finally:
            cut.cancel()

    async def _drained(self) -> None:
        try:
            # A little longer than the grace period, because a stream that is cut needs time to end.
            async with asyncio.timeout(self._grace_seconds + LAST_RESORT_SECONDS):
                await self._lifetimes.drain(self._grace_seconds * PACED_PART)
                await self._lifetimes.vacated()
        except TimeoutError:
            return

    def _cut_all(self) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()


@contextmanager
def _obey_signals(server: Server) -> Iterator[None]:
    """Stop at the first signal, and at once at the second."""
    loop = asyncio.get_running_loop()

    def obey(number: signal.Signals) -> None:
        if server.should_exit:
            server.cut()
        else:
            server.stop(number.name)

    try:
        for number in SIGNALS:
            loop.add_signal_handler(number, obey, number)
    except (NotImplementedError, RuntimeError, ValueError):
        yield  # only the main thread can handle signals
        return
    try:
        yield
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)
