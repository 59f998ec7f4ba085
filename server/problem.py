"""Problem details (RFC 9457): the one shape of every error over HTTP (docs/departures.md, row 11)."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from realtime.endings import STORE_UNAVAILABLE, status_of
from realtime.errors import FieldError, Forbidden, Refused, StoreUnavailable
from realtime.limits import LimitReached
from realtime.service.access_log import note_refusal

__all__ = ["REFUSED", "Problem", "problem", "problem_bytes", "problem_handlers", "store_problem"]

#: Extension of a request whose body the connection has refused and logged; nothing else logs it again.
REFUSED = "boardcast.refused"

log = logging.getLogger(__name__)


class Problem(HTTPException):
    """Raised by a request handler; the client gets a problem document."""

    def __init__(
        self,
        status: int,
        detail: str | None = None,
        *,
        errors: Iterable[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Store all; `detail` is a sentence for people (default: the name of the status), `errors` names the fields."""
        super().__init__(status, detail or HTTPStatus(status).phrase, headers)
        self.errors = tuple(errors)

    def response(self) -> Response:
        """Return the problem document as a response, with the headers of the problem."""
        return problem(self.status_code, self.detail, self.errors, self.headers)


def problem(
    status: int,
    detail: str | None = None,
    errors: Iterable[FieldError] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return the answer; its keys are in the order of the original."""
    title = HTTPStatus(status).phrase
    body: dict[str, Any] = {"status": status, "detail": detail or title, "type": "about:blank", "title": title}
    listed = [{"field": error.field, "message": error.message} for error in errors]
    if listed:
        body["errors"] = listed
    return Response(orjson.dumps(body), status, headers, media_type="application/problem+json")


def problem_bytes(
    status: int,
    detail: str,
    default_headers: Iterable[tuple[bytes, bytes]] = (),
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """Return all bytes of the response to a request that cannot be parsed; the connection ends after it."""
    named = {
        "Connection": "close",
        "X-Request-Id": str(uuid4()),
        "X-Content-Type-Options": "nosniff",
        **(headers or {}),
    }
    refusal = problem(status, detail, headers=named)
    lines = [b"%b: %b\r\n" % pair for pair in (*default_headers, *refusal.raw_headers)]
    reason = HTTPStatus(status).phrase.encode()
    return b"HTTP/1.1 %d %b\r\n%b\r\n%b" % (status, reason, b"".join(lines), bytes(refusal.body))


async def _http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise TypeError(error)
    if isinstance(error, Problem):
        if isinstance(error.__cause__, Refused):
            note_refusal(error.__cause__)
        return error.response()
    return problem(error.status_code, error.detail, headers=error.headers)


async def _forbidden(_: Request, error: Exception) -> Response:
    note_refusal(error)
    return problem(status_of(error), str(error))


def store_problem(error: Exception) -> Response:
    """Return the answer to a request that the store could not serve."""
    headers = {"Retry-After": str(STORE_UNAVAILABLE.retry_after_seconds)}
    return problem(status_of(error), f"The store does not answer: {error}", headers=headers)


async def _store(request: Request, error: Exception) -> Response:
    return store_problem(error)


async def _limit(request: Request, error: Exception) -> Response:
    if not isinstance(error, LimitReached):
        raise TypeError(error)
    note_refusal(error)
    return problem(status_of(error), error.message, error.fields, {"Retry-After": str(error.retry_after_seconds)})


async def _left(request: Request, error: Exception) -> Response:
    # The client has left and reads no answer, and nothing was changed. An unfinished request is no fault of the server.
    if REFUSED not in request.scope.get("extensions", {}):
        extra = {"method": request.method, "path": request.url.path}
        log.info("a client left in the middle of its request", extra=extra)
    return problem(400, "expected the rest of the body, the client left")


async def _fault(request: Request, error: Exception) -> Response:
    # Starlette logs the error once, with the traceback. The client gets no details.
    return problem(status_of(error), "Unexpected error")


#: Type of exception → its handler, for Starlette.
problem_handlers: Mapping[Any, Any] = {
    HTTPException: _http,
    Forbidden: _forbidden,
    StoreUnavailable: _store,
    LimitReached: _limit,
    ClientDisconnect: _left,
    Exception: _fault,
}
