"""The limits of connections: their number, in total and of each client, and the seconds of each phase of HTTP.

A client is an address.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from server.settings import Settings

__all__ = ["MAX_REFUSED", "Admission", "Guest", "HttpLimits", "http_limits"]

#: Most refused connections that stay open until the client has read the refusal; further ones are closed at once.
MAX_REFUSED = 32


class Guest:
    """One client with at least one connection; its connections share this object."""

    __slots__ = ("_admission", "_name", "connections")

    def __init__(self, admission: Admission, name: str) -> None:
        """Begin without a connection."""
        self._admission = admission
        self._name = name
        self.connections = 0

    def leave(self) -> None:
        """Count one connection less. Call it once for each admitted connection."""
        self._admission.left(self._name)


class Admission:
    """Counts connections, and refuses more than the limits allow."""

    def __init__(self, max_connections: int, max_of_client: int) -> None:
        """Admit at most `max_connections` in total, and `max_of_client` of each client."""
        self._max_connections = max_connections
        self._max_of_client = max_of_client
        self._guests: dict[str, Guest] = {}
        self._connections = 0
        #: Number of open connections that were refused.
        self.refused = 0

    def __len__(self) -> int:
        """Return the number of admitted connections."""
        return self._connections

    def enter(self, name: str) -> Guest | None:
        """Admit one more connection of the client `name`; None = a limit is reached."""
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
        admission=Admission(most, settings.max_connections_per_client),
    )
