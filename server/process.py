"""One server process: open, listen, serve, close. The log has a line for the start and one for the stop."""

from __future__ import annotations

import logging
import socket
import time
from contextlib import AsyncExitStack

import anyio.lowlevel
import uvloop

from realtime.service import Service
from schema.root import make_schema
from server.app import create_app
from server.demo import running_demo
from server.runtime.descriptors import connection_room
from server.runtime.tuning import giving_memory_back, set_switch_interval, tune_gc, tune_malloc
from server.serve import Server, bind, make_server
from server.settings import Settings
from server.transports.rest.status import boardcast_version
from server.wiring import broker_url, check_broker_url, open_node

__all__ = ["CannotListen", "run"]

log = logging.getLogger(__name__)


class CannotListen(Exception):
    """The port is in use, or the host is no address of this machine."""


def run(settings: Settings) -> None:
    """Serve until a signal. Print the address on standard output when the server accepts connections.

    Raises:
        CannotListen: before anything was opened.
        StoreUnusable: the database cannot be opened.
        BrokerUnusable: the broker cannot be opened.
    """
    check_broker_url(broker_url(settings))
    try:
        listening = bind(settings.host, settings.port)
    except OSError as error:
        reason = error.strerror or error
        raise CannotListen(f"cannot listen on {settings.host} port {settings.port}: {reason}") from error
    tune_malloc()
    uvloop.run(_serve(settings, listening))


async def _serve(settings: Settings, listening: socket.socket) -> None:
    began = time.monotonic()
    server: Server | None = None

    def log_stop() -> None:
        """Log the end of a server that has started, with its reason and its uptime in seconds."""
        # If the server has not started, a line on standard error already has the reason.
        if server is not None and server.started:
            uptime = round(time.monotonic() - began, 3)
            log.info("stopped", extra={"reason": server.stopped_by or "fault", "uptime_seconds": uptime})

    async with AsyncExitStack() as stack:
        stack.callback(log_stop)  # the first callback, so that it runs after everything else is closed
        service = Service(await stack.enter_async_context(open_node(settings)))
        await stack.enter_async_context(giving_memory_back())
        if settings.demo:
            await stack.enter_async_context(running_demo(service, settings.demo_seed, settings.demo_pace))
        room = connection_room(settings.max_connections)
        app = create_app(service, settings, make_schema())
        server = make_server(app, settings, lambda: _report_start(settings, listening), room)
        # It imports the part of anyio for this event loop. The first event stream would hold the loop for 50 ms for it.
        await anyio.lowlevel.checkpoint()
        tune_gc()
        set_switch_interval()
        await server.serve(sockets=[listening])


def _report_start(settings: Settings, listening: socket.socket) -> None:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    address = f"http://{host}:{listening.getsockname()[1]}"
    # Log first: a program that has read the address can rely on the log line.
    log.info("started", extra={"address": address, **_circumstances(settings)})
    print(f"Listening on {address}", flush=True)


def _circumstances(settings: Settings) -> dict[str, str]:
    """Return the facts that an operator needs first when something is wrong, without secrets."""
    return {
        "version": boardcast_version(),
        "database": _without_password(settings.database_url),
        "broker": _without_password(broker_url(settings)),
        "authentication": _authentication(settings),
        "demo": "on" if settings.demo else "off",
    }


def _authentication(settings: Settings) -> str:
    tokens = len(settings.secrets)
    ways = ["1 token" if tokens == 1 else f"{tokens} tokens"] if tokens else []
    if settings.jwt_key.get_secret_value():
        ways.append("JSON Web Tokens")
    return ", ".join(ways) or ("access tokens" if settings.require_token else "none")


def _without_password(url: str) -> str:
    # Drop the query too: database drivers accept passwords there. A URL of PostgreSQL may have several hosts and ports,
    # so no parser of common URLs reads it.
    scheme, _, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    user, at, host = authority.rpartition("@")
    name, colon, _ = user.partition(":")
    return f"{scheme}://{name}{colon and ':***'}{at}{host}{slash}{path}".partition("?")[0]
