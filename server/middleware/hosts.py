"""Which names a client may call the server by: what stands against DNS rebinding (docs/protocol.md).

A page whose own name was pointed at 127.0.0.1 is of the same origin as the server, as its browser sees it. Only the
`Host` it sends tells it from the operator's own pages.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable
from typing import NamedTuple

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from realtime.errors import quoted
from server.problem import problem
from server.settings import is_loopback

__all__ = ["Authority", "HostGate", "Hosts", "is_local_name", "parse_authority"]

_AUTHORITY = re.compile(r"(\[[0-9a-f:.]{2,45}\]|[^\s/?#@:\[\],]{1,255})(?::(\d{0,5}))?")


class Authority(NamedTuple):
    """A host and its port (RFC 3986 §3.2), the name in lower case and without the dot of the root."""

    name: str
    #: None: the default port of whatever scheme is spoken.
    port: int | None


class Hosts:
    """The names of this server."""

    def __init__(self, allowed: frozenset[str], *, are_local_welcome: bool) -> None:
        """Know the server by the names in `allowed` (lower case, with or without a port; `*` = all).

        `are_local_welcome`: nothing authenticates and only this machine reaches the server, so it is known by loopback
        names and addresses as well, and by no other name. Otherwise an empty `allowed` lets every name pass.
        """
        self._any = "*" in allowed or (not allowed and not are_local_welcome)
        self._allowed = frozenset(one for name in allowed if (one := parse_authority(name)) is not None)
        self._are_local_welcome = are_local_welcome

    def accepts(self, host: str) -> bool:
        """Tell whether `host`, as a Host header has it, is a name of this server."""
        if self._any:
            return True
        given = parse_authority(host)
        if given is None:
            return False
        if not self._allowed.isdisjoint((given, Authority(given.name, None))):
            return True
        return self._are_local_welcome and is_local_name(given.name)


class HostGate:
    """ASGI middleware: refuses a request, upgrades included, that calls the server by another name (421)."""

    def __init__(self, app: ASGIApp, hosts: Hosts) -> None:
        """Let through to `app` what `hosts` accepts."""
        self._app = app
        self._hosts = hosts

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Handle one connection. No coroutine of our own: each open stream would hold one."""
        hosts = Headers(scope=scope).getlist("host")
        if all(map(self._hosts.accepts, hosts or [""])):
            return self._app(scope, receive, send)
        sentence = f"Host: expected a name of this server, got {quoted(', '.join(hosts))}; see --allowed-hosts"
        return problem(421, sentence)(scope, receive, send)


def parse_authority(text: str) -> Authority | None:
    """Read `name`, `name:port` or `[address]:port`; None when it is none of them."""
    found = _AUTHORITY.fullmatch(text.strip().lower())
    if found is None:
        return None
    name, port = found.groups()
    return Authority(name.removesuffix(".") or name, int(port) if port else None)


def is_local_name(name: str) -> bool:
    """Tell whether a name means this machine to every browser: a loopback address, or `localhost` (RFC 6761 §6.3)."""
    return is_loopback(name) or name.endswith(".localhost")
