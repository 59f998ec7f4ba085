"""The access log: a line for each refusal, and for each act of an admin (docs/operating.md, "Access lines").

A line has the id of the request, the subject and the address. It never has a token, a query or a body.
"""

from __future__ import annotations

import logging
from contextvars import ContextVar
from os import urandom

from realtime.errors import Forbidden, NotAuthenticated, Refused
from realtime.limits import LimitReached
from realtime.rates import CLIENT

__all__ = [
    "CHANGES",
    "LINES",
    "REQUEST",
    "REQUESTS",
    "RequestInfo",
    "network_of_request",
    "note",
    "note_answer",
    "note_change",
    "note_refusal",
    "note_refused",
    "note_stream",
]

#: Logger of lines that a client can repeat without end: the handler writes a few a minute of each address.
LINES = "access"
#: Logger of changes by an admin: the handler writes all. Each of them has changed the store, which costs more.
CHANGES = "access.changes"
#: Logger of requests and streams, if the operator wants a line for each: the handler writes all.
REQUESTS = "access.requests"
#: Refusals with a line. All others are mistakes in a request that the client was allowed to send.
_CODES = frozenset({Forbidden.code, NotAuthenticated.code, LimitReached.code, "board_not_found", "project_not_found"})
#: A client with a secret of `--tokens` is named by a digest. A line has so many characters of the name: enough to tell
#: secrets apart, and too few to test a guess.
_SECRET_NAME, _SECRET_NAME_CHARACTERS = "token ", 10

_lines, _changes, _requests = (logging.getLogger(name) for name in (LINES, CHANGES, REQUESTS))


class RequestInfo:
    """A request over HTTP, or the handshake of a WebSocket and everything that comes on it."""

    __slots__ = ("_id", "address", "network", "path")  # each open connection has one of these

    def __init__(self, address: str, network: str, path: str, id: str | None = None) -> None:
        """`address` is that of the client, "" if it has none; `path` is without the query, which may have a token.

        `id` is the one that a trusted proxy has sent.
        """
        self.address = address
        #: The name of a client without a token: its address; for IPv6 the network of 2^64 addresses around it.
        self.network = network
        self.path = path
        self._id = id

    @property
    def id(self) -> str:
        """The id that the answer has in `X-Request-Id`; made at its first use."""
        if self._id is None:
            # 16 random bytes in hexadecimal digits: a `UUID` takes four times as long to make.
            self._id = urandom(16).hex()
        return self._id


#: The request for which this task works; the tasks that it starts inherit it. None = the server itself.
REQUEST: ContextVar[RequestInfo | None] = ContextVar("request", default=None)


def network_of_request() -> str:
    """Return `RequestInfo.network` of the request of this task; "" for the server itself."""
    request = REQUEST.get()
    return "" if request is None else request.network


def note_refusal(refused: Exception) -> None:
    """Write a line if a client lacks a token or a grant, names an unknown board, or asks too often."""
    if isinstance(refused, Refused) and refused.code in _CODES:
        # The code is a part of the text by which lines count as equal, so one kind does not hide another.
        note_refused(refused.code, refused.message)


def note_refused(code: str, why: str) -> None:
    """Write a line about the refusal of this task's request; `why` is the reason that the client gets."""
    _write(_lines, f"refused: {code}", {"why": why}, CLIENT.get())


def note(sentence: str, client: str | None = None, **fields: object) -> None:
    """Write a line about the request of this task; of many with this sentence a few a minute.

    `client` is the subject, if it is another one than that of the request.
    """
    _write(_lines, sentence, fields, client or CLIENT.get())


def note_change(sentence: str, **fields: object) -> None:
    """Write a line about a change that an admin has made by the request of this task."""
    _write(_changes, sentence, fields, CLIENT.get())


def note_answer(method: str, status: int, seconds: float) -> None:
    """Write a line about the request of this task, which is answered."""
    _write(_requests, "request", {"method": method, "status": status, "duration_ms": _milli(seconds)}, CLIENT.get())


def note_stream(exit: str, reason: str, seconds: float, messages: int) -> None:
    """Write a line about a stream of the request of this task, which has ended."""
    about = {"exit": exit, "reason": reason, "duration_ms": _milli(seconds), "messages": messages}
    _write(_requests, "stream", about, CLIENT.get())


def _milli(seconds: float) -> float:
    return round(seconds * 1000, 3)


def _write(logger: logging.Logger, sentence: str, fields: dict[str, object], client: str | None) -> None:
    request = REQUEST.get()
    # An act of the server itself, such as its demo, is no access.
    if request is not None and logger.isEnabledFor(logging.INFO):
        who = {"subject": _subject(client, request), "address": request.address}
        logger.info(sentence, extra={**fields, **who, "request": request.id, "path": request.path})


def _subject(client: str | None, request: RequestInfo) -> str:
    if client is None or client == request.network:
        return "anonymous"
    return client[:_SECRET_NAME_CHARACTERS] if client.startswith(_SECRET_NAME) else client
