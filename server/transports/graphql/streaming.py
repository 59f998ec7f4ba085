"""GraphQL over HTTP as a stream: one connection for each operation, with a result for each event.

SSE by graphql-sse's PROTOCOL.md ("distinct connections"), multipart by Apollo's protocol for subscriptions.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from starlette.requests import Request
from starlette.types import Send
from strawberry import Schema
from strawberry.types.graphql import OperationType

from realtime.lifetimes.connection_lifetime import ConnectionLifetime
from realtime.service import Service
from schema.execution.context import Context
from server.protocol.graphql.events import COMPLETE, KEEP_ALIVE, next_block, retry_block
from server.protocol.graphql.parts import CLOSING, CONTENT_TYPE, HEARTBEAT, MULTIPART, OPENING, ended_part, result_part
from server.protocol.graphql.response import MEDIA_TYPES
from server.protocol.http.media_types import preferred
from server.settings import Settings
from server.transports.callers import caller_of
from server.transports.direct_writers import event_blocks, result_parts, stream_results
from server.transports.graphql.operation import OperationResult, operation_results
from server.transports.graphql.parameters import allowed_by, asked_operation, read_request
from server.transports.gzip_stream import Secret
from server.transports.http_stream import EVENT_STREAM, StreamFormat, send_stream

__all__ = ["STREAMS", "GraphqlStreaming"]

#: Media types of streamed answers.
STREAMS = (EVENT_STREAM, MULTIPART)
#: Most seconds between two heartbeats of multipart. Apollo's router sends one every 5 seconds, and clients expect that.
PART_SECONDS = 5.0

_Results = AsyncGenerator[OperationResult, None]


class GraphqlStreaming:
    """Serves operations to clients that accept a stream."""

    def __init__(self, schema: Schema, service: Service, settings: Settings) -> None:
        """Execute `schema` on `service`."""
        self._schema = schema
        self._service = service
        self._seconds = settings.heartbeat_seconds
        self._limits = settings.operation_limits

    async def media_type_for(self, request: Request, wanted: str | None) -> str | None:
        """Return the media type of the streamed answer; None = the answer is no stream.

        `wanted` is the media type that the client prefers. A client that prefers SSE gets every operation as SSE. A
        subscription can only be answered by a stream, so every client that accepts a stream gets one.

        Raises:
            Problem: the choice depends on the operation, and the request is not well-formed.
        """
        if wanted == EVENT_STREAM:
            return wanted
        stream = wanted if wanted in STREAMS else preferred(request.headers.get("accept"), STREAMS)
        if stream is None or wanted not in (*STREAMS, *MEDIA_TYPES):
            return None
        kind = await asked_operation(await read_request(request), request.method, self._limits.documents)
        return stream if kind is OperationType.SUBSCRIPTION else None

    async def serve(self, request: Request, send: Send, media_type: str) -> None:
        """Answer one request.

        Errors in the GraphQL document go through the stream: "Validation steps that run before execution of the GraphQL
        operation MUST report errors through an accepted SSE connection by emitting `next` events".

        Raises:
            Problem: the request is not well-formed, or is a mutation by GET; nothing was sent.
        """
        asked = await read_request(request)
        await asked_operation(asked, request.method, self._limits.documents)
        metrics = self._service.metrics("graphql-multipart" if media_type == MULTIPART else "graphql-sse")
        form = result_parts if media_type == MULTIPART else event_blocks
        caller, lifetime = caller_of(request), ConnectionLifetime()
        context = Context(
            self._service,
            caller,
            after=request.headers.get("last-event-id")
            or None,  # some clients send an empty header when they have no id
            metrics=metrics,
            lifetime=lifetime,
            limits=self._limits,
            write_nowait=stream_results(request.scope, form),
        )
        results = operation_results(asked, self._schema, context, allowed_by(request.method))
        if media_type == MULTIPART:
            parts = _Parts(results)
            keep_alive, seconds = parts.heartbeat, min(PART_SECONDS, self._seconds)
            format = StreamFormat(CONTENT_TYPE, keep_alive, seconds, "Accept", is_compressible=True)
            chunks = parts.chunks()
        else:
            format = StreamFormat(EVENT_STREAM, lambda: KEEP_ALIVE, self._seconds, "Accept", is_compressible=True)
            chunks = _blocks(results)
        with self._service.lifetimes.open(lifetime, caller.credential):
            await send_stream(request.scope, request.receive, send, chunks, format, metrics, lifetime)


async def _blocks(results: _Results) -> AsyncGenerator[bytes, None]:
    async with aclosing(results):
        async for result in results:
            if result.reconnect_after_ms is not None:
                yield retry_block(result.reconnect_after_ms)
                return
            block = next_block(result.body, result.cursor)
            yield Secret(block) if result.has_secret else block
            del result, block
    yield COMPLETE


class _Parts:
    def __init__(self, results: _Results) -> None:
        self._results = results
        self._is_open = False

    def heartbeat(self) -> bytes:
        """Return the bytes that keep the connection alive at this moment, perhaps none."""
        # A heartbeat outside the boundaries would be no part: send none while the first or last bytes wait in a send.
        return HEARTBEAT if self._is_open else b""

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the opening, a part for each result, and the closing. Closes the results."""
        yield OPENING
        self._is_open = True
        has_begun = False
        async with aclosing(self._results) as results:
            async for result in results:
                # An error before the first event is the result of the operation; a later error ends the stream.
                part = ended_part(result.body["errors"]) if result.failed and has_begun else result_part(result.body)
                yield Secret(part) if result.has_secret else part
                has_begun = True
                del result, part
        self._is_open = False
        yield CLOSING
