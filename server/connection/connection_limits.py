"""The limits of connections: their number, in total and of each client, and the seconds of each phase of HTTP.

A client is the name of its token, else its address (for IPv6 its network). It is known only when a request has come.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from realtime.limits import LimitReached
from server.protocol.http.addresses import TrustedProxies, network_of, plain_address
from server.settings import Settings

__all__ = ["BUSY_SECONDS", "MAX_REFUSED", "PROXIES", "Admission", "Guest", "HttpLimits", "http_limits"]

#: Most refused connections that stay open until the client has read the refusal; further ones are closed at once.
MAX_REFUSED = 32
#: Seconds after which a client may try again when there are too many connections.
BUSY_SECONDS = 5
#: Stands for all trusted proxies: the name of their connections that serve no request. No client has this name.
PROXIES = "proxies"


class Guest:
    """One client with at least one connection; its connections share this object."""

    __slots__ = ("_admission", "connections", "name")

    def __init__(self, admission: Admission, name: str) -> None:
        """Begin without a connection."""
        self._admission = admission
        self.name = name
        self.connections = 0

    def move(self, name: str) -> Guest:
        """Count one connection of this client for the client `name` instead, and return that one.

        Raises:
            LimitReached: the client `name` has as many connections as it may; nothing was changed.
        """
        return self if name == self.name else self._admission.move(self, name)

    def move_home(self, name: str) -> Guest:
        """Count one connection for the peer `name` again, also beyond its limit: the connection is there already."""
        return self if name == self.name else self._admission.move(self, name, is_refusable=False)

    def leave(self) -> None:
        """Count one connection less. Call it once for each admitted connection."""
        self._admission.left(self)


class Admission:
    """Counts connections, and refuses more than the limits allow.

    A connection counts for the address of its peer at first. It moves to the client of its request once that is known.
    """

    def __init__(self, max_connections: int, max_of_client: int, proxies: TrustedProxies | None = None) -> None:
        """Admit at most `max_connections` in total, and `max_of_client` of each client.

        The connections of `proxies` have no limit of their own until the client behind them is known.
        """
        self._max_connections = max_connections
        self._max_of_client = max_of_client
        self._proxies = proxies or TrustedProxies()
        self._guests: dict[str, Guest] = {}
        self._connections = 0
        #: Number of open connections that were refused.
        self.refused = 0

    def __len__(self) -> int:
        """Return the number of admitted connections."""
        return self._connections

    def count_of(self, name: str) -> int:
        """Return the number of connections that count for the client `name`."""
        return self._guests[name].connections if name in self._guests else 0

    def home_of(self, peer: str) -> str:
        """Return the name under which a connection of the address `peer` counts while it serves no request."""
        address = plain_address(peer) or peer
        return PROXIES if self._proxies.trusts(address) else network_of(address)

    def enter(self, name: str) -> Guest | None:
        """Admit one more connection of the client `name`; None = a limit is reached."""
        if self._connections >= self._max_connections or self._is_full(name):
            return None
        self._connections += 1
        return self._join(name)

    def move(self, guest: Guest, name: str, *, is_refusable: bool = True) -> Guest:
        """Count one connection of `guest` for the client `name` instead.

        Raises:
            LimitReached: that client has as many connections as it may; nothing was changed.
        """
        if is_refusable and self._is_full(name):
            sentence = f"expected at most {self._max_of_client} connections of a client, got one more"
            raise LimitReached(sentence, BUSY_SECONDS)
        self._drop(guest)
        return self._join(name)

    def left(self, guest: Guest) -> None:
        """Count one connection of `guest` less."""
        self._connections -= 1
        self._drop(guest)

    def _is_full(self, name: str) -> bool:
        guest = self._guests.get(name)
        return guest is not None and guest.connections >= self._max_of_client and name != PROXIES

    def _join(self, name: str) -> Guest:
        guest = self._guests.get(name)
        if guest is None:
            guest = self._guests[name] = Guest(self, name)
        guest.connections += 1
        return guest

    def _drop(self, guest: Guest) -> None:
        guest.connections -= 1
        if not guest.connections:
            del self._guests[guest.name]


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """The limits that all connections of a server share."""

    #: Seconds from the first byte (on a new connection: from its start) to the end of a request's head.
    head_seconds: float = 10.0
    #: Most seconds without a byte of a body. A whole body may take so many, and those that `MIN_BODY_RATE` adds.
    body_seconds: float = 30.0
    #: Most seconds in which the client takes no byte of a response, where no application has seen the request.
    send_seconds: float = 30.0
    admission: Admission = field(default_factory=lambda: Admission(20_000, 20_000))


def http_limits(settings: Settings, max_connections: int | None = None) -> HttpLimits:
    """Return the limits in `settings`; `max_connections` is the number for which the system has descriptors."""
    most = settings.max_connections if max_connections is None else min(max_connections, settings.max_connections)
    return HttpLimits(
        head_seconds=settings.head_timeout_seconds,
        body_seconds=settings.body_timeout_seconds,
        send_seconds=settings.send_timeout_seconds,
        admission=Admission(most, settings.max_connections_per_client, TrustedProxies(settings.proxies)),
    )
