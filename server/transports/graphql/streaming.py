"""GraphQL over HTTP with an answer for each event, a connection for each operation.

SSE by graphql-sse's PROTOCOL.md ("distinct connections"), multipart by Apollo's protocol for subscriptions.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from starlette.requests import Request
from starlette.types import Send
from strawberry import Schema
from strawberry.types.graphql import OperationType

from realtime.service import Service
from schema.execution.context import Context
from server.protocol.graphql.events import COMPLETE, KEEP_ALIVE, next_block, retry_block
from server.protocol.graphql.parts import CLOSING, CONTENT_TYPE, HEARTBEAT, MULTIPART, OPENING, ended_part, result_part
from server.protocol.graphql.response import MEDIA_TYPES
from server.protocol.http.media_types import preferred
from server.settings import Settings
from server.transports.callers import caller_of
from server.transports.direct_writers import event_chunk, part_chunk, stream_results
from server.transports.graphql.operation import OperationResult, operation_results
from server.transports.graphql.parameters import allowed_by, asked_operation, read_request
from server.transports.http_stream import EVENT_STREAM, StreamFormat, send_stream

__all__ = ["STREAMS", "GraphqlStreaming"]

#: Media types of the answers that stream.
STREAMS = (EVENT_STREAM, MULTIPART)
#: Most seconds between two heartbeats of multipart. Apollo's router has 5, and clients are written for it; nobody is
#: spared anything by fewer, because there is one connection for each subscription already.
PART_SECONDS = 5.0

_Results = AsyncGenerator[OperationResult, None]


class GraphqlStreaming:
    """Serves operations to clients that want a stream."""

    def __init__(self, schema: Schema, service: Service, settings: Settings) -> None:
        """Execute `schema` on `service`."""
        self._schema = schema
        self._service = service
        self._seconds = settings.heartbeat_seconds
        self._limits = settings.operation_limits

    async def media_type_for(self, request: Request, wanted: str | None) -> str | None:
        """Return the media type of the stream that is the answer; None where the answer is another.

        `wanted` is what the client wants best. As SSE all operations are answered, to clients that want that best. A
        subscription has no other answer than a stream, so every client gets one that takes one at all.

        Raises:
            Problem: that depends on the operation, and it is no well-formed request.
        """
        if wanted == EVENT_STREAM:
            return wanted
        stream = wanted if wanted in STREAMS else preferred(request.headers.get("accept"), STREAMS)
        if stream is None or wanted not in (*STREAMS, *MEDIA_TYPES):
            return None
        kind = await asked_operation(await read_request(request), request.method)
        return stream if kind is OperationType.SUBSCRIPTION else None

    async def serve(self, request: Request, send: Send, media_type: str) -> None:
        """Answer one request.

        What is wrong with the GraphQL in it goes through the stream: "Validation steps that run before execution of the
        GraphQL operation MUST report errors through an accepted SSE connection by emitting `next` events".

        Raises:
            Problem: it is no well-formed request, or a mutation by GET; nothing was sent.
        """
        asked = await read_request(request)
        await asked_operation(asked, request.method)
        metrics = self._service.metrics("graphql-multipart" if media_type == MULTIPART else "graphql-sse")
        form = part_chunk if media_type == MULTIPART else event_chunk
        context = Context(
            self._service,
            caller_of(request),
            after=request.headers.get("last-event-id") or None,  # an empty one is how some clients have none
            metrics=metrics,
            limits=self._limits,
            write_nowait=stream_results(request.scope, form),
        )
        results = operation_results(asked, self._schema, context, allowed_by(request.method))
        if media_type == MULTIPART:
            parts = _Parts(results)
            format = StreamFormat(CONTENT_TYPE, parts.heartbeat, min(PART_SECONDS, self._seconds), "Accept")
            chunks = parts.chunks()
        else:
            format = StreamFormat(EVENT_STREAM, lambda: KEEP_ALIVE, self._seconds, "Accept")
            chunks = _blocks(results)
        await send_stream(request.scope, request.receive, send, chunks, format, metrics)


async def _blocks(results: _Results) -> AsyncGenerator[bytes, None]:
    async with aclosing(results):
        async for result in results:
            if result.reconnect_after_ms is not None:
                yield retry_block(result.reconnect_after_ms)
                return
            yield next_block(result.body, result.cursor)
            del result
    yield COMPLETE


class _Parts:
    def __init__(self, results: _Results) -> None:
        self._results = results
        self._is_open = False

    def heartbeat(self) -> bytes:
        # Outside the boundaries it would be no part: nothing, should the first or last bytes be stuck in a send.
        return HEARTBEAT if self._is_open else b""

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        yield OPENING
        self._is_open = True
        has_begun = False
        async with aclosing(self._results) as results:
            async for result in results:
                # An error before the first event answers the operation, one behind it breaks the stream off.
                yield ended_part(result.body["errors"]) if result.failed and has_begun else result_part(result.body)
                has_begun = True
                del result
        self._is_open = False
        yield CLOSING
