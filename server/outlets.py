"""Outlets: how what the hub publishes gets to the sockets of readers that keep up, without waking their streams.

`realtime.hub` gives a batch to each reader's `Subscriber`; while the stream of that reader sleeps, its outlet writes
the batch to the connection. The bytes are made by the first reader and kept in the batch for all others, so what a
reader costs is the call into its transport. Where a connection has no room, the batch waits in the queue, and the
stream sends it by ASGI when there is; so it does under servers whose connections cannot be written to.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import Any

import orjson

from realtime.batches import Batch
from realtime.counters import ExitCounters
from realtime.subscriber import Outlet
from schema.context import ResultWriter
from schema.telling import Result, Results
from server.connections import Write, writer
from server.protocol.graphql_conversation import RESULT_END
from server.protocol.graphql_events import next_block
from server.protocol.graphql_parts import result_part
from server.protocol.http_chunk import chunk
from server.protocol.kanban_messages import frames
from server.protocol.sse_format import blocks
from server.protocol.websocket_frame import text_head

__all__ = [
    "SocketResults",
    "event_chunk",
    "event_stream_outlet",
    "part_chunk",
    "socket_outlet",
    "stream_results",
]


class BatchOutlet:
    """Writes whole batches, in bytes that are the same for all readers."""

    __slots__ = ("_counters", "_form", "_write")

    def __init__(self, write: Write, form: Callable[[Batch], bytes], counters: ExitCounters) -> None:
        """Write what `form` makes of a batch."""
        self._write = write
        self._form = form
        self._counters = counters

    def write_nowait(self, batch: Batch) -> bool:
        """Write `batch`; see `realtime.subscriber.Outlet`."""
        if not self._write(batch.kept(self._form)):
            return False
        self._counters.told(batch)
        return True


def socket_outlet(scope: MutableMapping[str, Any], counters: ExitCounters) -> Outlet | None:
    """Return the outlet of a raw WebSocket, None where the server has no such thing."""
    write = writer(scope)
    return None if write is None else BatchOutlet(write, frames, counters)


def event_stream_outlet(scope: MutableMapping[str, Any], counters: ExitCounters) -> Outlet | None:
    """Return the outlet of a raw event stream, None where the server has no such thing."""
    write = writer(scope)
    return None if write is None else BatchOutlet(write, _chunk, counters)


class SocketResults:
    """Writes the results of one GraphQL operation of a WebSocket: all clients share their bytes, but for the ids."""

    __slots__ = ("_beginning", "_write")

    def __init__(self, write: Write, beginning: bytes) -> None:
        """Begin each message with `beginning`."""
        self._write = write
        self._beginning = beginning

    def __call__(self, results: Results) -> bool:
        """Write `results`; see `schema.context.ResultWriter`."""
        beginning, size = self._beginning, len(self._beginning)
        parts: list[bytes] = []
        for rest in results.kept(_ended):
            parts += (text_head(size + len(rest)) + beginning, rest)
        return self._write(*parts)


def stream_results(scope: MutableMapping[str, Any], form: Callable[[Results], bytes]) -> ResultWriter | None:
    """Return what writes the results of a streamed response, which are the same for all clients."""
    write = writer(scope)
    return None if write is None else lambda results: write(results.kept(form))


def event_chunk(results: Results) -> bytes:
    """Return results as the chunk of an event stream."""
    return chunk(b"".join([next_block(_body(result), result.cursor) for result in results]))


def part_chunk(results: Results) -> bytes:
    """Return results as the chunk of a multipart answer."""
    return chunk(b"".join([result_part(_body(result)) for result in results]))


def _ended(results: Results) -> list[bytes]:
    return [result.data + RESULT_END for result in results]


def _body(result: Result) -> dict[str, Any]:
    return {"data": orjson.Fragment(result.data)}


def _chunk(batch: Batch) -> bytes:
    return chunk(batch.kept(blocks))
