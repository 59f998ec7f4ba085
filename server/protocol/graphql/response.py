"""A GraphQL response as it travels: its body for every transport, its status for each media type over HTTP."""

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
#: What we can answer with; the first goes to who does not care. It is the older one, as the audit wants it: who asks
#: for nothing in particular was written before there was another.
MEDIA_TYPES = (PLAIN_JSON, GRAPHQL_JSON)
#: Codes of requests that do not fit (`schema.execution.errors`).
_REFUSALS = frozenset(
    {
        "COST_EXCEEDED",
        "GRAPHQL_PARSE_FAILED",
        "GRAPHQL_VALIDATION_FAILED",
        "OPERATION_NOT_AVAILABLE",
        "PERSISTED_QUERY_NOT_SUPPORTED",
    }
)


def is_request_error(result: ExecutionResult) -> bool:
    """Tell whether nothing was executed, or a subscription's source failed: no field has met the errors.

    An error of a field always has its path, even when it takes the whole of `data` with it.
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

    A client of plain JSON cannot tell our statuses from those of a proxy and always gets 200.
    """
    if media_type == PLAIN_JSON or "data" in body:
        return 200
    codes = {error.get("extensions", {}).get("code") for error in body["errors"]}
    faults = (row.status for row in (FAULT, OPERATION_TIMEOUT, STORE_UNAVAILABLE) if row.graphql_code in codes)
    return next(faults, None) or 400


def was_refused(body: Mapping[str, Any]) -> bool:
    """Tell whether a response says that the request itself does not fit: its document, its operation or variables."""
    codes = {error.get("extensions", {}).get("code") for error in body.get("errors", ())}
    return "data" not in body and bool(codes & _REFUSALS)


def reconnect_after_ms(body: Mapping[str, Any]) -> int | None:
    """Return when to come back, in milliseconds, if a response says that the server ends the connection."""
    hints = (error.get("extensions", {}).get("reconnectAfterMs") for error in body.get("errors", ()))
    return next((hint for hint in hints if hint is not None), None)
