"""GraphQL over HTTP with an answer for each event: SSE, a connection for each operation (graphql-sse, PROTOCOL.md)."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from starlette.requests import Request
from starlette.types import Receive, Scope, Send
from strawberry import Schema

from realtime.node import Node
from schema.context import Context
from server.protocol.graphql_events import COMPLETE, KEEP_ALIVE, next_block
from server.protocol.graphql_request import GraphqlRequest
from server.settings import Settings
from server.transports.graphql_operation import OperationResult, operation_results
from server.transports.graphql_parameters import asked_operation, read_request
from server.transports.http_stream import EVENT_STREAM, StreamFormat, send_stream

__all__ = ["STREAMS", "GraphqlStreaming"]

#: Media types of the answers that stream.
STREAMS = (EVENT_STREAM,)


class GraphqlStreaming:
    """Serves operations of every type to clients that want a stream."""

    def __init__(self, schema: Schema, node: Node, settings: Settings) -> None:
        """Execute `schema` on `node`."""
        self._schema = schema
        self._node = node
        self._events = StreamFormat(EVENT_STREAM, lambda: KEEP_ALIVE, settings.heartbeat_seconds, "Accept")

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request.

        What is wrong with the GraphQL in it goes through the stream: "Validation steps that run before execution of the
        GraphQL operation MUST report errors through an accepted SSE connection by emitting `next` events".

        Raises:
            Problem: it is no well-formed request, or a mutation by GET; nothing was sent.
        """
        request = Request(scope, receive)
        asked = await read_request(request)
        asked_operation(asked, request.method)
        results = self._results(asked, request.headers.get("last-event-id"))
        await send_stream(scope, receive, send, _blocks(results), self._events)

    def _results(self, asked: GraphqlRequest, after: str | None) -> AsyncGenerator[OperationResult, None]:
        return operation_results(asked, self._schema, Context(self._node, after=after))


async def _blocks(results: AsyncGenerator[OperationResult, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(results):
        async for result in results:
            yield next_block(result.body, result.cursor)
    yield COMPLETE
