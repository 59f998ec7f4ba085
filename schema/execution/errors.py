"""Exceptions → the errors that GraphQL clients see: message and `extensions.code`.

The table in `realtime.endings` has the message and the code of each ending. A refused mutation returns no error:
`schema.refusals` makes the refusal its result.

| what happened | code |
| --- | --- |
| a refusal of `realtime` | its own in capitals: `BOARD_NOT_FOUND`, `CARD_BLOCKED`, … |
| a refusal of fields | `INVALID_PAYLOAD`, with `field` (the first) and `fields` |
| the client asks too often, or for more than the server may store | `RATE_LIMITED`, with `retryAfterSeconds` |
| a time range that cannot be read | `BAD_USER_INPUT`, with `field` and `fields` |
| the subscriber was too slow, with the policy `disconnect` | `SLOW_CONSUMER`, with `cursor` to resume from |
| an option that the server does not allow | `BAD_USER_INPUT`, with `field` and `fields` |
| the stream's board was deleted | `BOARD_DELETED` |
| the server stops | `SERVER_SHUTDOWN`, with `reconnectAfterMs`; not sent where the end gives the reason |
| the connection has reached its lifetime | `CONNECTION_LIFETIME`, as `SERVER_SHUTDOWN` |
| the token of the connection has expired | `UNAUTHENTICATED`, as `SERVER_SHUTDOWN` |
| the store did not answer | `STORE_UNAVAILABLE` |
| an invalid document or invalid variables | `GRAPHQL_PARSE_FAILED`, `GRAPHQL_VALIDATION_FAILED` |
| an operation that is missing or not allowed here | `OPERATION_NOT_AVAILABLE` |
| anything else: a fault of the server, logged once | `INTERNAL_SERVER_ERROR` |
| a cost or a time above the limits | `COST_EXCEEDED`, `TIMEOUT`, `TOO_EXPENSIVE` (made by the modules that find them) |
| `first` out of bounds | `BAD_USER_INPUT`, with `field` and `fields` |
| `after` is no cursor of this list or log | `INVALID_CURSOR` |
| the log cannot continue from `after` | `EPOCH_CHANGED`, `OTHER_BOARD`, `HISTORY_EXPIRED` |
"""

from __future__ import annotations

import logging
from typing import Any

from graphql import GraphQLError, GraphQLSyntaxError
from strawberry.exceptions import MissingQueryError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError

from realtime.dashboard.time_range import InvalidTimeRange
from realtime.endings import FAULT, Ending, ending_of
from realtime.errors import InvalidInput, Refused, StoreUnavailable, StreamEnded, SubscriberTooSlow
from realtime.limits import LimitReached
from realtime.messages.envelopes import Envelope
from realtime.messages.payloads import Goodbye
from realtime.service.access_log import note_refusal
from schema.execution.real_size import CostExceeded

__all__ = ["error_of", "public_error", "stream_ended"]

log = logging.getLogger(__name__)

#: Before a value in the messages of graphql-core.
_REPEATED_VALUE = " cannot represent a non string value: "
_OPERATION_FAULTS = (MissingQueryError, CannotGetOperationTypeError, InvalidOperationTypeError)


def public_error(error: GraphQLError) -> GraphQLError:
    """Return the error that a client may see in place of `error`. A fault of the server is logged, and its text hidden.

    An error that this function has returned before is returned unchanged, and not logged again.
    """
    cause = _cause(error)
    if isinstance(cause, Refused):
        note_refusal(cause)
        return _shown(error, _message(cause), _refusal(cause))
    if cause is not None and (ending := ending_of(cause)) is not FAULT:
        if isinstance(cause, StoreUnavailable):
            log.warning("the store did not answer: %s", cause)
        cursor = {"cursor": cause.cursor} if isinstance(cause, SubscriberTooSlow) else {}
        return _shown(error, ending.graphql_message, {"code": ending.graphql_code, **cursor})
    if isinstance(cause, _OPERATION_FAULTS):
        return _shown(error, error.message, {"code": "OPERATION_NOT_AVAILABLE"})
    if cause is None and (error.path is None or error.original_error is None):
        return _of_document(error)
    log.error("a resolver failed at %s", error.path, exc_info=cause or error)
    return _shown(error, FAULT.graphql_message, {"code": FAULT.graphql_code})


def error_of(ending: Ending, message: str | None = None, **extensions: Any) -> GraphQLError:
    """Return the error of a row in the table of endings, with `message` instead of the row's message."""
    shown = ending.graphql_message if message is None else message
    return GraphQLError(shown, extensions={"code": ending.graphql_code, **extensions})


def stream_ended(ended: StreamEnded, goodbye: Envelope | None) -> GraphQLError:
    """Return the error that ends a subscription whose schema has no `Goodbye` event.

    `goodbye` is the last envelope of the raw stream; its time to reconnect goes into the extensions.
    """
    ending = ending_of(ended)
    payload = goodbye.payload if goodbye else None
    if isinstance(payload, Goodbye) and ending.reconnect:
        return error_of(ending, reconnectAfterMs=payload.reconnect_after_ms)
    return error_of(ending)


def _cause(error: GraphQLError) -> Exception | None:
    cause: Exception | None = error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause


def _message(refusal: Refused) -> str:
    # The message of a bad time range names the parameters of the raw exits, so use the sentences of its fields.
    return "; ".join(map(str, refusal.fields)) if isinstance(refusal, InvalidInput) else refusal.message


def _refusal(refusal: Refused) -> dict[str, Any]:
    code = "BAD_USER_INPUT" if isinstance(refusal, InvalidTimeRange) else refusal.code.upper()
    if isinstance(refusal, LimitReached):
        return {"code": code, "retryAfterSeconds": refusal.retry_after_seconds}
    if isinstance(refusal, CostExceeded):
        return {"code": code, **refusal.extensions}
    if not isinstance(refusal, InvalidInput):
        return {"code": code}
    fields = [{"field": one.field, "message": one.message} for one in refusal.fields]
    return {"code": code, "field": fields[0]["field"] if fields else None, "fields": fields}


def _of_document(error: GraphQLError) -> GraphQLError:
    """Give an error in the client's document a code; an error that has a code is ours, and stays as it is."""
    if "code" in (error.extensions or {}):
        return error
    syntax = isinstance(error, GraphQLSyntaxError)
    code = "GRAPHQL_PARSE_FAILED" if syntax else "GRAPHQL_VALIDATION_FAILED"
    return _shown(error, _without_secret(error), {**(error.extensions or {}), "code": code})


def _without_secret(error: GraphQLError) -> str:
    """Return the message without the value that it repeats, if the value may be the token of `authenticate`."""
    found, repeats, _ = error.message.partition(_REPEATED_VALUE)
    # graphql-core gives the nodes of some values no place.
    texts = [node.loc.source.body if node.loc else "" for node in error.nodes or ()]
    if repeats and any(not text or "authenticate" in text for text in texts):
        return found + repeats.removesuffix(": ")
    return error.message


def _shown(error: GraphQLError, message: str, extensions: dict[str, Any]) -> GraphQLError:
    return GraphQLError(
        message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions=extensions,
    )
