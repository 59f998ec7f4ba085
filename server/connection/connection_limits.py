"""The limits of connections: how many there may be, in all and of one client, and how long one may take.

A client is an address.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from server.settings import Settings

__all__ = ["MAX_REFUSED", "Admission", "Guest", "HttpLimits", "http_limits"]

#: Connections that are refused and may have the time to read so; the others are closed at once.
MAX_REFUSED = 32


class Guest:
    """A client that has connections; all of them share this."""

    __slots__ = ("_admission", "_name", "connections")

    def __init__(self, admission: Admission, name: str) -> None:
        """Begin without a connection."""
        self._admission = admission
        self._name = name
        self.connections = 0

    def leave(self) -> None:
        """End one connection; once for each that was admitted."""
        self._admission.left(self._name)


class Admission:
    """Counts connections, and says when there are enough."""

    def __init__(self, max_connections: int, max_of_client: int) -> None:
        """Admit at most so many in all, and of each client."""
        self._max_connections = max_connections
        self._max_of_client = max_of_client
        self._guests: dict[str, Guest] = {}
        self._connections = 0
        #: Connections that are being refused.
        self.refused = 0

    def __len__(self) -> int:
        """How many connections there are."""
        return self._connections

    def enter(self, name: str) -> Guest | None:
        """Admit one more connection of the client `name`; None = there are too many."""
        guest = self._guests.get(name)
        if self._connections >= self._max_connections:
            return None
        if guest is None:
            guest = self._guests[name] = Guest(self, name)
        elif guest.connections >= self._max_of_client:
            return None
        guest.connections += 1
        self._connections += 1
        return guest

    def left(self, name: str) -> None:
        """Count one connection of `name` less."""
        guest = self._guests[name]
        guest.connections -= 1
        self._connections -= 1
        if not guest.connections:
            del self._guests[name]


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """The limits that all connections of a server share."""

    #: Seconds from the first byte, or from the connection's beginning, to the end of a request's head.
    head_seconds: float = 10.0
    #: Seconds without a byte of a body; and so many for a body, beside those that `MIN_BODY_RATE` allows.
    body_seconds: float = 30.0
    #: Seconds without a byte taken of a response whose length is known.
    send_seconds: float = 30.0
    admission: Admission = field(default_factory=lambda: Admission(20_000, 20_000))


def http_limits(settings: Settings, max_connections: int | None = None) -> HttpLimits:
    """Return what `settings` say; `max_connections` is what the system has room for."""
    most = settings.max_connections if max_connections is None else min(max_connections, settings.max_connections)
    return HttpLimits(
        head_seconds=settings.head_timeout_seconds,
        body_seconds=settings.body_timeout_seconds,
        send_seconds=settings.send_timeout_seconds,
        admission=Admission(most, settings.max_connections_per_client),
    )
