"""One operation on a graphql-transport-ws connection: from the request to the messages that answer it."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing

import orjson
from graphql import GraphQLError
from strawberry import Schema
from strawberry.types import ExecutionResult

from schema.context import Context
from schema.errors import INTERNAL_ERROR
from server.protocol.graphql_conversation import Start, complete_message, error_message, next_message
from server.protocol.graphql_response import body_of, is_request_error

__all__ = ["operation_messages"]

log = logging.getLogger(__name__)


async def operation_messages(start: Start, schema: Schema, context: Context) -> AsyncGenerator[tuple[str, bool], None]:
    """Execute `start.request`; yield each message as it travels, and whether it is the last one.

    A fault of ours is logged and ends this operation alone. Closing the generator closes those of the operation.
    """
    results = _results(start, schema, context)
    try:
        async with aclosing(results):
            async for result in results:
                if is_request_error(result):
                    yield _text(error_message(start.id, body_of(result)["errors"])), True
                    return
                yield _text(next_message(start.id, body_of(result))), False
    except Exception:
        log.exception("an operation failed outside its resolvers")
        fault = GraphQLError(INTERNAL_ERROR, extensions={"code": "INTERNAL_SERVER_ERROR"})
        yield _text(error_message(start.id, [fault.formatted])), True
        return
    yield _text(complete_message(start.id)), True


async def _results(start: Start, schema: Schema, context: Context) -> AsyncGenerator[ExecutionResult, None]:
    request = start.request
    stream = await schema.stream(
        request.query,
        variable_values=request.variables,
        context_value=context,
        operation_name=request.operation_name,
        operation_extensions=request.extensions,
    )
    async with aclosing(stream):
        async for result in stream:
            if not isinstance(result, ExecutionResult):
                raise TypeError(f"expected no incremental results, got {result}")
            yield result


def _text(message: object) -> str:
    return orjson.dumps(message).decode()
