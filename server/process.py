"""One server process: open, serve, close. The log has a line for the start and one for the stop, except of a worker."""

from __future__ import annotations

import logging
import re
import secrets
import socket
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Protocol

import anyio.lowlevel
import uvloop

from realtime.node import Identity
from realtime.service import Service
from schema.root import make_schema
from server.app import create_app
from server.demo import running_demo
from server.runtime.descriptors import connection_room
from server.runtime.listening import address_of, listen
from server.runtime.tuning import giving_memory_back, set_switch_interval, tune_gc, tune_malloc
from server.runtime.version import boardcast_version
from server.serve import Obey, Server, make_server
from server.settings import Settings
from server.starting import report_start
from server.wiring import broker_url, check_broker_url, open_node

__all__ = ["Reporter", "run", "run_on"]

#: Most characters of the host in the name of a node.
MAX_HOST = 40

log = logging.getLogger(__name__)


class Reporter(Protocol):
    """Learns that a process has started and stopped."""

    def started(self, circumstances: Mapping[str, str]) -> None:
        """Note that the server accepts connections. `circumstances` are facts for an operator, without secrets."""

    def stopped(self, reason: str, uptime_seconds: float) -> None:
        """Note that a server that had started has closed everything."""


class _Log:
    """Reports a process of its own."""

    def __init__(self, address: str) -> None:
        self._address = address

    def started(self, circumstances: Mapping[str, str]) -> None:
        """Print the address."""
        report_start(self._address, circumstances)

    def stopped(self, reason: str, uptime_seconds: float) -> None:
        """Log the end."""
        log.info("stopped", extra={"reason": reason, "uptime_seconds": uptime_seconds})


def run(settings: Settings) -> None:
    """Serve until a signal. Print the address on standard output when the server accepts connections.

    Raises:
        CannotListen: before anything was opened.
        StoreUnusable: the database cannot be opened.
        BrokerUnusable: the broker cannot be opened.
    """
    check_broker_url(broker_url(settings))
    listening = listen(settings.host, settings.port)
    run_on(listening, settings, _Log(address_of(settings.host, listening)))


def run_on(
    listening: socket.socket,
    settings: Settings,
    reporter: Reporter,
    obey: Obey | None = None,
    worker: int | None = None,
) -> None:
    """Serve at a socket until a signal, or until `obey` stops the server. `worker` is the number of a worker.

    Raises:
        StoreUnusable: the database cannot be opened.
        BrokerUnusable: the broker cannot be opened.
    """
    check_broker_url(broker_url(settings))
    tune_malloc()
    uvloop.run(_serve(settings, listening, reporter, obey, _identity(settings, listening, worker)))


async def _serve(
    settings: Settings, listening: socket.socket, reporter: Reporter, obey: Obey | None, identity: Identity
) -> None:
    began = time.monotonic()
    server: Server | None = None

    def report_stop() -> None:
        # If the server has not started, a line on standard error already has the reason.
        if server is not None and server.started:
            reporter.stopped(server.stopped_by or "fault", round(time.monotonic() - began, 3))

    async with AsyncExitStack() as stack:
        stack.callback(report_stop)  # the first callback, so that it runs after everything else is closed
        service = Service(await stack.enter_async_context(open_node(settings, identity)))
        await stack.enter_async_context(giving_memory_back())
        if settings.demo:
            await stack.enter_async_context(running_demo(service, settings.demo_seed, settings.demo_pace))
        room = connection_room(settings.max_connections)
        app = create_app(service, settings, make_schema())
        server = make_server(app, settings, lambda: reporter.started(_circumstances(settings)), room, obey)
        # It imports the part of anyio for this event loop. The first event stream would hold the loop for 50 ms for it.
        await anyio.lowlevel.checkpoint()
        tune_gc()
        set_switch_interval()
        await server.serve(sockets=[listening])


def _identity(settings: Settings, listening: socket.socket, worker: int | None) -> Identity:
    port = listening.getsockname()[1]
    name = settings.node_name or re.sub("[^A-Za-z0-9_]+", "-", socket.gethostname())[:MAX_HOST] + f"-{port}"
    # A proxy that knows the name of a node knows those of its workers, too: they begin with it.
    suffix = "" if worker is None else f"-{worker}"
    return Identity(secrets.token_hex(8), name + suffix, boardcast_version(), address_of(settings.host, listening))


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
