"""One GraphQL operation, whatever carries it: from the request to the results, one after the other."""

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
from server.protocol.graphql.request import GraphqlRequest
from server.protocol.graphql.response import body_of, is_request_error, reconnect_after_ms

__all__ = ["OperationResult", "fault_body", "operation_results"]

log = logging.getLogger(__name__)
_ANY = frozenset(OperationType)


@dataclass(frozen=True, slots=True)
class OperationResult:
    """One result, ready for `orjson`."""

    #: `data`, `errors`, `extensions`: the response as GraphQL has it (section 7). Plain values; of an event that was
    #: encoded already, `data` is an `orjson.Fragment`.
    body: dict[str, Any]
    #: Nothing was executed, or the subscription's source ended with an error: there is no `data`, and this is the last.
    failed: bool
    #: Where the reader stands after an event of a subscription, None for anything else.
    cursor: str | None = None
    #: The server ends the connection: milliseconds after which to come back. No client that we know subscribes again
    #: after an error or a `complete`, and every one does when its connection ends without them. None for anything else.
    reconnect_after_ms: int | None = None


async def operation_results(
    request: GraphqlRequest, schema: Schema, context: Context, allowed: Collection[OperationType] = _ANY
) -> AsyncGenerator[OperationResult, None]:
    """Execute `request`; yield its one result, or each of a subscription's.

    With `extensions: {"cost": true}` of the request the result of a query or mutation says what it costs.

    `context` belongs to this operation alone. A fault of ours is logged and is the last result. Consume it inside
    `aclosing`: closing it closes the generators of the operation before anything else happens.
    """
    if request.refusal is not None:
        yield OperationResult({"errors": [request.refusal]}, failed=True)
        return
    context.encoded = True  # a body is for `orjson` alone
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
        del request  # what sleeps holds on to nothing: documents may be long
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
    """Return the response of an operation that has failed by our own fault."""
    return {"errors": [error_of(FAULT).formatted]}


def _ready(result: object, context: Context) -> OperationResult:
    if not isinstance(result, ExecutionResult):
        raise TypeError(f"expected no incremental results, got {result}")
    failed = is_request_error(result)
    body = body_of(result)
    return OperationResult(body, failed, context.cursor, reconnect_after_ms(body) if failed else None)
