"""One row of the table of endings (`realtime.endings`): a cause, and its form at each exit."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

__all__ = [
    "FAULT_FRAME",
    "FAULT_REASON",
    "FAULT_STATUS",
    "MAX_REASON_BYTES",
    "CloseFrame",
    "Conduct",
    "Ending",
    "Exits",
]

#: Most bytes of a reason: a control frame has 125, and the code takes two of them (RFC 6455, 5.5).
MAX_REASON_BYTES = 123


class CloseFrame(NamedTuple):
    """The end of a WebSocket. Codes below 4000 are those of RFC 6455 (7.4) and its registry."""

    code: int
    reason: str


FAULT_FRAME, FAULT_REASON = CloseFrame(1011, "Internal error"), "internal_error"
#: Status of the HTTP response when the cause has none of its own.
FAULT_STATUS = 500


class Exits(Enum):
    """The exits at which a row can occur."""

    STREAMS = "every stream"
    SOCKETS = "every WebSocket"
    RAW_SOCKET = "a board's raw WebSocket"
    GRAPHQL = "GraphQL"
    GRAPHQL_SOCKET = "GraphQL over WebSocket"
    REQUESTS = "one request"


class Conduct(Enum):
    """How a raw stream ends."""

    #: A WebSocket with a close frame, SSE with the end of the response.
    CLOSES = "closes"
    #: It stays open and silent.
    STAYS_OPEN = "stays open"
    #: The connection is cut, because the client accepts no data or has left.
    IS_CUT = "connection cut"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """One row: a cause, and its form at each exit. An empty column means that the exit has no form of its own."""

    #: The cause in words, for the pages.
    why: str
    exits: Exits
    #: Whether a client should connect again.
    reconnect: bool
    #: The errors of `realtime` with this cause.
    errors: tuple[type[Exception], ...] = ()
    #: The word in `boardcast_readers_ended_total` and in a `goodbye`, if there is one. None = no stream has begun.
    reason: str | None = None
    #: Whether the last envelope of the stream is a `goodbye`.
    has_goodbye: bool = False
    conduct: Conduct = Conduct.CLOSES
    close: CloseFrame | None = None
    #: The close frame of a GraphQL socket, where it differs.
    graphql_close: CloseFrame | None = None
    #: Whether the GraphQL connection ends; otherwise only the operation ends.
    ends_connection: bool = False
    #: `extensions.code` of a GraphQL error. Refusals have their own code, in capitals.
    graphql_code: str | None = None
    #: The message of that error, if it is always the same.
    graphql_message: str = ""
    #: Status of the HTTP response, if nothing of it was sent before.
    status: int | None = None
    #: Value of the header `Retry-After`; None = the header is absent, or the error has the value.
    retry_after_seconds: int | None = None

    @property
    def metric(self) -> str:
        """The word under which the stream is counted."""
        return self.reason or FAULT_REASON

    def frame(self, reason: str | None = None) -> CloseFrame:
        """Return the close frame, with `reason` in place of the row's own reason, cut to the bytes that fit.

        A row without a close frame ends no WebSocket. If it has ended one anyway, the frame is that of a server fault.
        """
        code, own = self.close or FAULT_FRAME
        fitting = own if reason is None else reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore")
        return CloseFrame(code, fitting)
