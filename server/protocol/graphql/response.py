"""The body of a GraphQL response for every transport, and its HTTP status for each media type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from strawberry.types import ExecutionResult

from realtime.endings import FAULT, OPERATION_TIMEOUT, STORE_UNAVAILABLE

__all__ = [
    "GRAPHQL_JSON",
    "MEDIA_TYPES",
    "PLAIN_JSON",
    "body_of",
    "is_request_error",
    "reconnect_after_ms",
    "status_of",
    "was_refused",
]

PLAIN_JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"
#: The media types of our answers. A client that states no preference gets the first, which is the older one, as the
#: graphql-http audit wants it: such a client may have been written before the newer type existed.
MEDIA_TYPES = (PLAIN_JSON, GRAPHQL_JSON)
#: Error codes of requests that the server refused to execute (`schema.execution.errors`).
_REFUSALS = frozenset(
    {
        "COST_EXCEEDED",
        "DOCUMENT_NOT_TRUSTED",
        "GRAPHQL_PARSE_FAILED",
        "GRAPHQL_VALIDATION_FAILED",
        "OPERATION_NOT_AVAILABLE",
        "PERSISTED_QUERY_NOT_FOUND",
        "PERSISTED_QUERY_NOT_SUPPORTED",
    }
)


def is_request_error(result: ExecutionResult) -> bool:
    """Return whether the errors belong to no field: nothing was executed, or the source of a subscription failed.

    An error of a field always has a path, even when the error makes the whole of `data` null.
    """
    return result.data is None and bool(result.errors) and all(error.path is None for error in result.errors or ())


def body_of(result: ExecutionResult) -> dict[str, Any]:
    """Return the response as plain values.

    "If the request raised a request error, the data entry must not be present in the result" (GraphQL, 7.1).
    """
    body: dict[str, Any] = {} if is_request_error(result) else {"data": result.data}
    if result.errors:
        body["errors"] = [error.formatted for error in result.errors]
    if result.extensions:
        body["extensions"] = result.extensions
    return body


def status_of(body: Mapping[str, Any], media_type: str) -> int:
    """Return the status of a response to a well-formed request (GraphQL over HTTP, "Status Codes").

    A client that accepts plain JSON cannot distinguish our statuses from those of a proxy, so it always gets 200.
    """
    if media_type == PLAIN_JSON or "data" in body:
        return 200
    codes = {error.get("extensions", {}).get("code") for error in body["errors"]}
    faults = (row.status for row in (FAULT, OPERATION_TIMEOUT, STORE_UNAVAILABLE) if row.graphql_code in codes)
    return next(faults, None) or 400


def was_refused(body: Mapping[str, Any]) -> bool:
    """Return whether the server refused the request because of its document, its operation or its variables."""
    codes = {error.get("extensions", {}).get("code") for error in body.get("errors", ())}
    return "data" not in body and bool(codes & _REFUSALS)


def reconnect_after_ms(body: Mapping[str, Any]) -> int | None:
    """Return after how many milliseconds to reconnect; None = the response does not end the connection."""
    hints = (error.get("extensions", {}).get("reconnectAfterMs") for error in body.get("errors", ()))
    return next((hint for hint in hints if hint is not None), None)
