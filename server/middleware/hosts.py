"""The host names under which clients may reach the server: a protection against DNS rebinding (docs/protocol.md).

An attacker can make the name of their page resolve to 127.0.0.1. To the browser, that page and the server then have the
same origin. Only its `Host` header distinguishes the page from the operator's own pages.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable
from functools import lru_cache
from typing import NamedTuple

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from realtime.errors import quoted
from realtime.service.access_log import note_refused
from server.problem import problem
from server.setting_texts import is_loopback

__all__ = ["Authority", "HostGate", "Hosts", "is_local_name", "parse_authority"]

_AUTHORITY = re.compile(r"(\[[0-9a-f:.]{2,45}\]|[^\s/?#@:\[\],]{1,255})(?::(\d{0,5}))?")
#: Most answers that are kept, and the longest value of a Host header among them.
_KNOWN = 64
_KNOWN_CHARACTERS = 255


class Authority(NamedTuple):
    """A host and its port (RFC 3986 §3.2), the name in lower case and without a dot at the end."""

    name: str
    #: None = the default port of the scheme.
    port: int | None


class Hosts:
    """The names of this server."""

    def __init__(self, allowed: frozenset[str], *, are_local_welcome: bool) -> None:
        """Accept the names in `allowed` (lower case, with or without a port; `*` = all).

        `are_local_welcome`: the server needs no token and only this machine reaches it. Then loopback names and
        addresses are accepted as well, and no other name. Otherwise an empty `allowed` accepts every name.
        """
        self._any = "*" in allowed or (not allowed and not are_local_welcome)
        self._allowed = frozenset(one for name in allowed if (one := parse_authority(name)) is not None)
        self._are_local_welcome = are_local_welcome
        self._known = lru_cache(_KNOWN)(self._is_accepted)

    def accepts(self, host: str) -> bool:
        """Return whether `host`, the value of a Host header, is a name of this server."""
        if self._any:
            return True
        return self._known(host) if len(host) <= _KNOWN_CHARACTERS else self._is_accepted(host)

    def _is_accepted(self, host: str) -> bool:
        given = parse_authority(host)
        if given is None:
            return False
        if not self._allowed.isdisjoint((given, Authority(given.name, None))):
            return True
        return self._are_local_welcome and is_local_name(given.name)


class HostGate:
    """ASGI middleware: refuses each request and upgrade with another host name (421)."""

    def __init__(self, app: ASGIApp, hosts: Hosts) -> None:
        """Pass requests with a host that `hosts` accepts to `app`."""
        self._app = app
        self._hosts = hosts

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Handle one connection. Not `async`: an open stream then holds no coroutine of this middleware."""
        hosts = Headers(scope=scope).getlist("host")
        if all(map(self._hosts.accepts, hosts or [""])):
            return self._app(scope, receive, send)
        sentence = f"Host: expected a name of this server, got {quoted(', '.join(hosts))}; see --allowed-hosts"
        note_refused("host_not_allowed", sentence)
        return problem(421, sentence)(scope, receive, send)


def parse_authority(text: str) -> Authority | None:
    """Parse `name`, `name:port` or `[address]:port`; None = the text is none of these."""
    found = _AUTHORITY.fullmatch(text.strip().lower())
    if found is None:
        return None
    name, port = found.groups()
    return Authority(name.removesuffix(".") or name, int(port) if port else None)


def is_local_name(name: str) -> bool:
    """Return whether every browser resolves `name` to this machine: a loopback address or `localhost`.

    See RFC 6761 §6.3.
    """
    return is_loopback(name) or name.endswith(".localhost")
