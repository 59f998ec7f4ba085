"""One process that serves: open, listen, serve, close."""

from __future__ import annotations

import socket
from contextlib import AsyncExitStack

import uvloop

from schema.root import make_schema
from server.app import create_app
from server.collector import calm_collector
from server.demo import running_demo
from server.serve import bind, make_server
from server.settings import Settings
from server.switching import switch_soon
from server.wiring import open_node

__all__ = ["CannotListen", "run"]


class CannotListen(Exception):
    """The address is taken, or not ours."""


def run(settings: Settings) -> None:
    """Serve until a signal; the address is said on standard output once connections are accepted.

    Raises:
        CannotListen: before anything was opened.
        StoreUnusable: the database cannot be opened.
    """
    try:
        listening = bind(settings.host, settings.port)
    except OSError as error:
        reason = error.strerror or error
        raise CannotListen(f"cannot listen on {settings.host} port {settings.port}: {reason}") from error
    uvloop.run(_serve(settings, listening))


async def _serve(settings: Settings, listening: socket.socket) -> None:
    async with AsyncExitStack() as stack:
        node = await stack.enter_async_context(open_node(settings))
        if settings.demo:
            await stack.enter_async_context(running_demo(node, settings.demo_seed, settings.demo_pace))
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        address = f"http://{host}:{listening.getsockname()[1]}"
        app = create_app(node, settings, make_schema())
        server = make_server(app, settings, lambda: print(f"Listening on {address}", flush=True))
        calm_collector()
        switch_soon()
        await server.serve(sockets=[listening])
