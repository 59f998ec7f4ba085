"""How streams, connections and requests end: one table, with a column for each exit.

The columns are plain numbers and words, so that each exit reads its own column: the metrics, the raw streams, GraphQL,
and the HTTP responses. `tests/rules/test_endings.py` compares docs/protocol.md ("How a stream ends") and
docs/graphql.md ("Close codes") with this table. It also requires a test with a live server for each row.

Four kinds of errors have no row. `StoreUnusable` and `BrokerUnusable` end the process before it serves anybody.
`BrokerUnavailable` is only a reason in `readyz`. The
server handles some errors itself: after `UnitConflict` and `BoardMoved` the bus decides again, after `PositionLost` and
`EnvelopesLost` the client gets a `gap` and its stream continues, after `ChannelGone` the stream stays open. The base
classes `RealtimeError`, `Refused` and `StreamEnded` are never raised.
"""

from __future__ import annotations

from realtime.ending import (
    FAULT_FRAME,
    FAULT_REASON,
    FAULT_STATUS,
    MAX_REASON_BYTES,
    CloseFrame,
    Conduct,
    Ending,
    Exits,
)
from realtime.errors import (
    BoardGone,
    Conflict,
    Draining,
    Forbidden,
    GrantsReduced,
    InvalidInput,
    KeyReused,
    LifetimeReached,
    NotAuthenticated,
    NotFound,
    StoreUnavailable,
    SubscriberTooSlow,
    TokenExpired,
    TokenRevoked,
)
from realtime.limits import LimitReached

__all__ = [
    "ALREADY_SUBSCRIBED",
    "BAD_FRAME",
    "BAD_TEXT",
    "BOARD_DELETED",
    "BOARD_NOT_FOUND",
    "CLIENT_LEFT",
    "CONFLICT",
    "CONNECTION_LIFETIME",
    "ENDINGS",
    "FAULT",
    "FORBIDDEN",
    "GRANTS_REDUCED",
    "HEARTBEAT_TIMEOUT",
    "INIT_LIMITED",
    "INIT_TIMEOUT",
    "INIT_UNDECIDED",
    "INVALID_INPUT",
    "INVALID_MESSAGE",
    "KEY_REUSED",
    "LIMIT_REACHED",
    "MAX_REASON_BYTES",
    "MESSAGE_TOO_BIG",
    "NOT_AUTHENTICATED",
    "NOT_GRANTED",
    "OPERATION_TIMEOUT",
    "PING_TIMEOUT",
    "SEND_TIMEOUT",
    "SERVER_SHUTDOWN",
    "SLOW_CONSUMER",
    "STORE_UNAVAILABLE",
    "TERMINATED",
    "TOKEN_EXPIRED",
    "TOKEN_REVOKED",
    "TOO_EXPENSIVE",
    "TOO_MANY_INITS",
    "UNAUTHORIZED",
    "UNKNOWN_SUBPROTOCOL",
    "CloseFrame",
    "Ending",
    "Exits",
    "close_frame_of",
    "ending_of",
    "is_fault",
    "status_of",
]

# Streams

#: The upgrade was accepted before: as in the original, the server looks for the board afterwards.
BOARD_NOT_FOUND = Ending(
    why="there is no such board",
    exits=Exits.STREAMS,
    reconnect=False,
    errors=(NotFound,),
    close=CloseFrame(1008, "Board not found"),
    graphql_code="BOARD_NOT_FOUND",
    status=404,
)
#: Only for the dashboard: a board that a client may not read does not exist for it.
NOT_GRANTED = Ending(
    why="the grants of the token do not allow it",
    exits=Exits.STREAMS,
    reconnect=False,
    errors=(Forbidden,),
    close=CloseFrame(4403, "Forbidden"),
    graphql_code="FORBIDDEN",
    status=403,
)
#: No close frame: clients of the original keep the WebSocket of a deleted board (docs/departures.md, row 8). GraphQL
#: has a code for subscriptions without a `Goodbye` event.
BOARD_DELETED = Ending(
    why="the board was deleted",
    exits=Exits.STREAMS,
    reconnect=False,
    errors=(BoardGone,),
    reason=BoardGone.code,
    has_goodbye=True,
    conduct=Conduct.STAYS_OPEN,
    graphql_code="BOARD_DELETED",
    graphql_message="The board was deleted",
)
#: A private code, because no registered code tells the client to reconnect with its cursor.
SLOW_CONSUMER = Ending(
    why="the client was too slow, and chose `disconnect`",
    exits=Exits.STREAMS,
    reconnect=True,
    errors=(SubscriberTooSlow,),
    reason=SubscriberTooSlow.code,
    has_goodbye=True,
    close=CloseFrame(4013, "Too slow"),
    graphql_code="SLOW_CONSUMER",
    graphql_message="This reader was too slow; subscribe again",
)
#: 1012 is "service restart"; GraphQL clients reconnect after it by themselves.
SERVER_SHUTDOWN = Ending(
    why="the server stops",
    exits=Exits.STREAMS,
    reconnect=True,
    errors=(Draining,),
    reason=Draining.code,
    has_goodbye=True,
    close=CloseFrame(1012, "Server restarts"),
    ends_connection=True,
    graphql_code="SERVER_SHUTDOWN",
    graphql_message="The server stops; subscribe again after a while",
)
#: The same close code as for a restart, because clients reconnect after it; only the reason differs.
CONNECTION_LIFETIME = Ending(
    why="the connection has lasted as long as one may",
    exits=Exits.STREAMS,
    reconnect=True,
    errors=(LifetimeReached,),
    reason=LifetimeReached.code,
    has_goodbye=True,
    close=CloseFrame(1012, "Connection lifetime reached"),
    ends_connection=True,
    graphql_code="CONNECTION_LIFETIME",
    graphql_message="The connection lasted as long as one may; subscribe again",
)
#: npm graphql-ws never reconnects after 4401.
TOKEN_EXPIRED = Ending(
    why="the token has expired",
    exits=Exits.STREAMS,
    reconnect=True,
    errors=(TokenExpired,),
    reason=TokenExpired.code,
    has_goodbye=True,
    close=CloseFrame(4401, "Token expired"),
    graphql_close=CloseFrame(4403, "Token expired"),
    ends_connection=True,
    graphql_code="UNAUTHENTICATED",
    graphql_message="The token has expired; subscribe again with a new one",
)
TOKEN_REVOKED = Ending(
    why="the token was revoked",
    exits=Exits.STREAMS,
    reconnect=True,
    errors=(TokenRevoked,),
    reason=TokenRevoked.code,
    has_goodbye=True,
    close=CloseFrame(4401, "Token revoked"),
    graphql_close=CloseFrame(4403, "Token revoked"),
    ends_connection=True,
    graphql_code="UNAUTHENTICATED",
    graphql_message="The token was revoked; subscribe again with another one",
)
#: On a GraphQL WebSocket only the subscription ends.
GRANTS_REDUCED = Ending(
    why="the client has sent a new token, whose grants do not allow it",
    exits=Exits.STREAMS,
    reconnect=False,
    errors=(GrantsReduced,),
    reason=GrantsReduced.code,
    has_goodbye=True,
    close=CloseFrame(4403, "Forbidden"),
    graphql_code="FORBIDDEN",
    graphql_message="The grants of the new token do not allow this subscription",
)
#: 1013 is "try again later". There is no `goodbye`, because its cursor could not be read.
STORE_UNAVAILABLE = Ending(
    why="the store did not answer",
    exits=Exits.STREAMS,
    reconnect=True,
    errors=(StoreUnavailable,),
    reason="store_unavailable",
    close=CloseFrame(1013, "Store unavailable"),
    graphql_code="STORE_UNAVAILABLE",
    graphql_message="The store did not answer; nothing was changed, try again",
    status=503,
    retry_after_seconds=1,
)
#: Every error without its own row. The client gets no details; the log has the traceback, once.
FAULT = Ending(
    why="a fault of the server",
    exits=Exits.STREAMS,
    reconnect=True,
    reason=FAULT_REASON,
    close=FAULT_FRAME,
    ends_connection=True,
    graphql_code="INTERNAL_SERVER_ERROR",
    graphql_message="Internal error",
    status=FAULT_STATUS,
)
#: No status, because no client is left to read a response.
CLIENT_LEFT = Ending(
    why="the client left",
    exits=Exits.STREAMS,
    reconnect=True,
    reason="client_left",
    conduct=Conduct.IS_CUT,
)
SEND_TIMEOUT = Ending(
    why="the client takes nothing for `--send-timeout-seconds`",
    exits=Exits.STREAMS,
    reconnect=True,
    reason="send_timeout",
    conduct=Conduct.IS_CUT,
)

# WebSockets

#: The close code of the original.
HEARTBEAT_TIMEOUT = Ending(
    why="no JSON message for `--heartbeat-timeout-seconds`",
    exits=Exits.RAW_SOCKET,
    reconnect=True,
    reason="heartbeat_timeout",
    close=CloseFrame(4000, "Heartbeat timeout"),
)
#: uvicorn's code and reason.
PING_TIMEOUT = Ending(
    why="no pong, and nothing taken",
    exits=Exits.SOCKETS,
    reconnect=True,
    reason="ping_timeout",
    close=CloseFrame(1011, "keepalive ping timeout"),
)


def _bad_frame(code: int, why: str) -> Ending:
    # Each case has its own reason. The metrics count the stream as left by its client, which caused the end.
    close = CloseFrame(code, "")
    return Ending(why=why, exits=Exits.SOCKETS, reconnect=False, reason="client_left", close=close)


#: The parser of the package `websockets` chooses this code.
BAD_FRAME = _bad_frame(1002, "a frame breaks RFC 6455")
BAD_TEXT = _bad_frame(1007, "a text is not UTF-8, or a compressed message is no deflate")
#: The parser chooses this code for a frame that is too long.
MESSAGE_TOO_BIG = _bad_frame(1009, "a message is over `--max-frame-bytes`, or has more than 1,024 frames")

# GraphQL over WebSocket: graphql-transport-ws, PROTOCOL.md. `reconnect` is the reaction of npm graphql-ws to each code.
# The older graphql-ws has no codes; there `connection_error` has the same text.


def _subprotocol(code: int, reason: str, why: str, *, reconnect: bool = False) -> Ending:
    return Ending(why=why, exits=Exits.GRAPHQL_SOCKET, reconnect=reconnect, close=CloseFrame(code, reason))


INVALID_MESSAGE = _subprotocol(4400, "Invalid message", "a message breaks the protocol")
UNAUTHORIZED = _subprotocol(4401, "Unauthorized", "`subscribe` before `connection_init`")
FORBIDDEN = _subprotocol(4403, "Forbidden", "the token is missing or wrong")
#: The token came in `connection_init`. A client whose handshake has it gets the status 503 or 429.
INIT_LIMITED = _subprotocol(
    1013, "Rate limited", "the client has too many connections, or sends too many wrong tokens", reconnect=True
)
#: Another server may have made the token. A client whose handshake has it gets the status 503.
INIT_UNDECIDED = _subprotocol(
    1013, "Store unavailable", "the store did not answer, so the token could not be checked", reconnect=True
)
#: A close code, not a refused upgrade, because browsers show scripts nothing of an HTTP response to an upgrade.
UNKNOWN_SUBPROTOCOL = _subprotocol(4406, "Subprotocol not acceptable", "no subprotocol that the server speaks")
#: The client may only have been slow to authenticate.
INIT_TIMEOUT = _subprotocol(4408, "Connection initialisation timeout", "no `connection_init` in time", reconnect=True)
ALREADY_SUBSCRIBED = _subprotocol(4409, "Subscriber already exists", "the id of a running operation is used again")
TOO_MANY_INITS = _subprotocol(4429, "Too many initialisation requests", "`connection_init` twice")
TERMINATED = _subprotocol(1000, "Terminated", "a client of the older subprotocol sent `connection_terminate`")

# GraphQL operations: the connection continues.

OPERATION_TIMEOUT = Ending(
    why="the operation took too long", exits=Exits.GRAPHQL, reconnect=False, graphql_code="TIMEOUT", status=503
)
TOO_EXPENSIVE = Ending(
    why="the events of the subscription cost too much",
    exits=Exits.GRAPHQL,
    reconnect=False,
    graphql_code="TOO_EXPENSIVE",
    graphql_message=(
        "expected a subscription whose events take at most a tenth of the server's time for a minute, and less than "
        "the deadline each, got one that takes more; ask for less"
    ),
)

# Requests. A refusal has its own code and message; the table has its status. A batch of events with invalid fields gets
# 422 instead (docs/ingest.md), because its JSON was valid.

CONFLICT = Ending(
    why="the state of the board forbids it", exits=Exits.REQUESTS, reconnect=False, errors=(Conflict,), status=409
)
NOT_AUTHENTICATED = Ending(
    why="a token that was sent on the connection is not valid",
    exits=Exits.REQUESTS,
    reconnect=False,
    errors=(NotAuthenticated,),
    status=401,
)
INVALID_INPUT = Ending(
    why="fields do not fit", exits=Exits.REQUESTS, reconnect=False, errors=(InvalidInput,), status=400
)
KEY_REUSED = Ending(
    why="another request has used this idempotency key",
    exits=Exits.REQUESTS,
    reconnect=False,
    errors=(KeyReused,),
    status=422,
)
LIMIT_REACHED = Ending(
    why="a limit is reached", exits=Exits.REQUESTS, reconnect=True, errors=(LimitReached,), status=429
)

#: The whole table by name of the row.
ENDINGS: dict[str, Ending] = {name: row for name, row in list(globals().items()) if isinstance(row, Ending)}

_OF_ERRORS = {error: row for row in ENDINGS.values() for error in row.errors}


def ending_of(error: BaseException) -> Ending:
    """Return the row of `error`: that of its nearest class with a row, else `FAULT`."""
    return next((_OF_ERRORS[kind] for kind in type(error).__mro__ if kind in _OF_ERRORS), FAULT)


def close_frame_of(error: BaseException, *, of_graphql: bool = False) -> CloseFrame:
    """Return the close frame of a WebSocket that `error` ends; for a slow client it has the cursor to resume with."""
    row = ending_of(error)
    if isinstance(error, SubscriberTooSlow) and error.cursor is not None:
        return row.frame(f"{row.frame().reason}; come back with after={error.cursor}")
    return row.graphql_close if of_graphql and row.graphql_close else row.frame()


def status_of(error: BaseException) -> int:
    """Return the status of the HTTP response to a request that `error` ends, if no part of a response was sent."""
    return ending_of(error).status or FAULT_STATUS


def is_fault(error: BaseException) -> bool:
    """Return whether a stream that `error` ends has met a fault of the server, which must be logged."""
    row = ending_of(error)
    return row is FAULT or (row.close is None and row.conduct is Conduct.CLOSES)
