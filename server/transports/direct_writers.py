"""Direct writers: they write published batches to the sockets of subscribers that keep up, without waking the streams.

`realtime.fanout.hub` delivers a batch to each `Subscriber`. While the stream of a subscriber sleeps, its direct writer
writes the batch to the connection. The first subscriber encodes the batch, and the batch caches the bytes for all
others, so one more subscriber costs one call into its transport. Where a connection has no room, the batch waits in the
queue and the stream sends it by ASGI later. Servers whose connections cannot be written to always use ASGI.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

import orjson

from realtime.fanout.counters import Counts
from realtime.fanout.subscriber import DirectWriter
from realtime.messages.batches import Batch
from schema.execution.context import ResultWriter
from schema.execution.event_selector import Result, Results
from server.connection.connections import Write, deflates, writer
from server.protocol.deflate import MIN_BYTES, TAIL, deflated, stored
from server.protocol.graphql.events import next_block
from server.protocol.graphql.parts import result_part
from server.protocol.graphql.ws_protocol import RESULT_END
from server.protocol.http.framing import chunk, deflated_head, text_head
from server.protocol.http.gzip_pieces import Piece
from server.protocol.http.sse_format import blocks, gzip_blocks
from server.protocol.kanban_messages import compressed_frames, frames
from server.transports.compressing import BLOCKS, FRAMES, is_quick
from server.transports.gzip_stream import GzipStream, gzip_stream

__all__ = [
    "batch_writer",
    "event_blocks",
    "event_stream_writer",
    "result_parts",
    "socket_results",
    "socket_writer",
    "stream_results",
]

#: Most bytes of results that the event loop compresses: five milliseconds, once for all equal subscriptions. Longer
#: ones are made and compressed for each client, so this limit is higher than that of batches.
QUICK_RESULT_BYTES = 1024 * 1024


class BatchWriter:
    """Writes whole batches; all subscribers get the same bytes."""

    __slots__ = ("_counts", "_form", "_write")

    def __init__(self, write: Write, form: Callable[[Batch], bytes], counts: Counts) -> None:
        """Write each batch in the bytes that `form` makes."""
        self._write = write
        self._form = form
        self._counts = counts

    def write_nowait(self, batch: Batch) -> bool:
        """Write `batch`; see `realtime.fanout.subscriber.DirectWriter`."""
        if not self._write(batch.cached(self._form)):
            return False
        self._counts.sent_batch(batch)
        return True


class CompressingWriter(BatchWriter):
    """Writes whole batches as compressed frames; the stream handles a batch that takes long to compress."""

    __slots__ = ()

    def write_nowait(self, batch: Batch) -> bool:
        """Write `batch`; see `realtime.fanout.subscriber.DirectWriter`."""
        return is_quick(batch, FRAMES) and super().write_nowait(batch)


class GzipBatchWriter:
    """Writes whole batches to a compressed event stream; the stream handles a batch that takes long to compress."""

    __slots__ = ("_counts", "_stream")

    def __init__(self, stream: GzipStream, counts: Counts) -> None:
        """Write to `stream`."""
        self._stream = stream
        self._counts = counts

    def write_nowait(self, batch: Batch) -> bool:
        """Write `batch`; see `realtime.fanout.subscriber.DirectWriter`."""
        if not is_quick(batch, BLOCKS) or not self._stream.write_nowait(batch.cached(gzip_blocks)):
            return False
        self._counts.sent_batch(batch)
        return True


def batch_writer(
    scope: MutableMapping[str, Any], form: Callable[[Batch], bytes], counts: Counts
) -> DirectWriter | None:
    """Return the direct writer for the connection of `scope`; None = another server, or switched off by the operator.

    `form` makes whole frames or whole chunks from a batch. The batch caches them under `form`, so `form` must be a
    function of a module.
    """
    write = writer(scope)
    return None if write is None else BatchWriter(write, form, counts)


def socket_writer(scope: MutableMapping[str, Any], counts: Counts) -> DirectWriter | None:
    """Return `batch_writer` for a raw WebSocket."""
    write = writer(scope)
    if write is not None and deflates(scope):
        return CompressingWriter(write, compressed_frames, counts)
    return batch_writer(scope, frames, counts)


def event_stream_writer(scope: MutableMapping[str, Any], counts: Counts) -> DirectWriter | None:
    """Return `batch_writer` for a raw event stream."""
    stream = gzip_stream(scope)
    if stream is not None:
        return GzipBatchWriter(stream, counts)
    return batch_writer(scope, _chunk, counts)


class SocketResults:
    """Writes the results of one GraphQL operation on a WebSocket; all clients share the bytes except for the ids."""

    __slots__ = ("_beginning", "_write")

    def __init__(self, write: Write, beginning: bytes) -> None:
        """Begin each message with `beginning`."""
        self._write = write
        self._beginning = beginning

    def __call__(self, results: Results) -> bool:
        """Write `results`; see `schema.execution.context.ResultWriter`."""
        beginning, size = self._beginning, len(self._beginning)
        parts: list[bytes] = []
        for rest in results.cached(_ended):
            parts += (text_head(size + len(rest)) + beginning, rest)
        return self._write(*parts)


class CompressedSocketResults(SocketResults):
    """Writes the results as compressed messages; the bytes before the shared ones are not compressed."""

    __slots__ = ()

    def __call__(self, results: Results) -> bool:
        """Write `results`; see `schema.execution.context.ResultWriter`."""
        if not _is_quick(results, _pieces):
            return False
        # An id has at most 10,000 characters of 6 bytes, so the beginning fits into one stored block.
        beginning, size = self._beginning, len(self._beginning)
        parts: list[bytes] = []
        for rest, piece in zip(results.cached(_ended), results.cached(_pieces), strict=True):
            if piece:
                block = stored(beginning)
                parts += (deflated_head(len(block) + len(piece)) + block, piece)
            else:
                parts += (text_head(size + len(rest)) + beginning, rest)
        return self._write(*parts)


def socket_results(scope: MutableMapping[str, Any], beginning: bytes) -> ResultWriter | None:
    """Return the writer for the results of one operation on a WebSocket, whose messages begin with `beginning`."""
    write = writer(scope)
    if write is None:
        return None
    return CompressedSocketResults(write, beginning) if deflates(scope) else SocketResults(write, beginning)


@dataclass(frozen=True, slots=True)
class Chunked:
    """`results.cached(Chunked(form))`: the bytes of `form` as a chunk."""

    form: Callable[[Results], bytes]

    def __call__(self, results: Results) -> bytes:
        """Make the chunk."""
        return chunk(self.form(results))


@dataclass(frozen=True, slots=True)
class Packed:
    """`results.cached(Packed(form))`: the bytes of `form` as a piece of a compressed stream."""

    form: Callable[[Results], bytes]

    def __call__(self, results: Results) -> Piece:
        """Compress the bytes."""
        return Piece.of(self.form(results))


def stream_results(scope: MutableMapping[str, Any], form: Callable[[Results], bytes]) -> ResultWriter | None:
    """Return the writer for the results of a streamed response; all clients get the same bytes, made by `form`."""
    write, stream = writer(scope), gzip_stream(scope)
    if stream is not None:
        packed = Packed(form)
        return lambda results: _is_quick(results, packed) and stream.write_nowait(results.cached(packed))
    chunked = Chunked(form)
    return None if write is None else lambda results: write(results.cached(chunked))


def event_blocks(results: Results) -> bytes:
    """Return results as blocks of an event stream."""
    return b"".join([next_block(_body(result), result.cursor) for result in results])


def result_parts(results: Results) -> bytes:
    """Return results as parts of a multipart answer."""
    return b"".join([result_part(_body(result)) for result in results])


def _ended(results: Results) -> list[bytes]:
    return [result.data + RESULT_END for result in results]


def _pieces(results: Results) -> list[bytes]:
    """Return the ends of the messages, each compressed, or empty if it is too short for that."""
    ends = results.cached(_ended)
    return [deflated(end).removesuffix(TAIL) if len(end) >= MIN_BYTES else b"" for end in ends]


def _is_quick(results: Results, form: Callable[[Results], object]) -> bool:
    return results.is_cached(form) or sum(len(result.data) for result in results) <= QUICK_RESULT_BYTES


def _body(result: Result) -> dict[str, Any]:
    return {"data": orjson.Fragment(result.data)}


def _chunk(batch: Batch) -> bytes:
    return chunk(batch.cached(blocks))
