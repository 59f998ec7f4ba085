"""Executes one GraphQL operation for every transport: from the request to its results in order."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from strawberry import Schema
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from realtime.endings import FAULT
from schema.execution.context import Context
from schema.execution.errors import error_of
from server.protocol.graphql.request import GraphqlRequest, with_document
from server.protocol.graphql.response import body_of, is_request_error, reconnect_after_ms

__all__ = ["MAX_EXECUTING", "OperationResult", "fault_body", "operation_results"]

log = logging.getLogger(__name__)
_ANY = frozenset(OperationType)
#: Most operations of one connection that execute something at once, or have a result that its client has not taken. A
#: result may have megabytes, so the others wait without one.
MAX_EXECUTING = 8


@dataclass(frozen=True, slots=True)
class OperationResult:
    """One result, ready for `orjson`."""

    #: The response of GraphQL (section 7): `data`, `errors`, `extensions`. Plain values; for an event that is already
    #: encoded, `data` is an `orjson.Fragment`.
    body: dict[str, Any]
    #: Whether nothing was executed or the subscription's source ended with an error. Such a result has no `data` and is
    #: the last one.
    failed: bool
    #: The cursor after the event of a subscription; None for other results.
    cursor: str | None = None
    #: Milliseconds after which to reconnect, because the server ends the connection; None = it does not. No client that
    #: we know subscribes again after an error or a `complete`; all do when the connection ends without these.
    reconnect_after_ms: int | None = None
    #: Whether the body has the secret of a token. Such a body is not compressed.
    has_secret: bool = False


async def operation_results(
    request: GraphqlRequest, schema: Schema, context: Context, allowed: Collection[OperationType] = _ANY
) -> AsyncGenerator[OperationResult, None]:
    """Execute `request`; yield its single result, or each result of a subscription.

    If the request has `extensions: {"cost": true}`, the result of a query or mutation has its cost.

    `context` belongs to this operation only. A fault of the server is logged and is the last result. Consume the
    generator inside `aclosing`: closing it closes the generators of the operation first.
    """
    request = with_document(request, context.limits.documents)
    if request.refusal is not None:
        yield OperationResult({"errors": [request.refusal]}, failed=True)
        return
    context.encoded = True  # only `orjson` reads a body
    try:
        results = await schema.stream(
            request.query,
            variable_values=request.variables,
            context_value=context,
            operation_name=request.operation_name,
            allowed_operation_types=allowed,
            operation_extensions=request.extensions,
        )
        shows_cost = (request.extensions or {}).get("cost") is True
        del request  # a sleeping generator must not keep the document in memory
        async with aclosing(results):
            async for result in results:
                ready = _ready(result, context)
                if shows_cost and context.cost is not None and context.cursor is None:
                    ready.body["extensions"] = {"cost": {"cost": context.cost, "maxCost": context.limits.max_cost}}
                del result
                yield ready
                if ready.failed:
                    return
                del ready
    except Exception:
        log.exception("an operation failed outside its resolvers")
        yield OperationResult(fault_body(), failed=True)


def fault_body() -> dict[str, Any]:
    """Return the response of an operation that failed by a fault of the server."""
    return {"errors": [error_of(FAULT).formatted]}


def _ready(result: object, context: Context) -> OperationResult:
    if not isinstance(result, ExecutionResult):
        raise TypeError(f"expected no incremental results, got {result}")
    failed = is_request_error(result)
    body = body_of(result)
    reconnect = reconnect_after_ms(body) if failed else None
    return OperationResult(body, failed, context.cursor, reconnect, context.has_secret)
