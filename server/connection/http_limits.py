"""What a connection over HTTP may take, in seconds and in connections."""

from __future__ import annotations

from dataclasses import dataclass, field

from server.connection.admission import Admission
from server.settings import Settings

__all__ = ["HttpLimits", "http_limits"]


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
