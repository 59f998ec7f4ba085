"""Streamed HTTP answers (SSE and multipart): how they begin, stay alive and end.

A stream ends when its chunks end, when the client leaves, or when the client takes nothing for too long
(`server.connection.progress`).
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any

from sse_starlette import EventSourceResponse
from starlette.types import Message, Receive, Scope, Send

from realtime.endings import ending_of
from realtime.errors import StoreUnavailable, StreamEnded, SubscriberTooSlow
from realtime.fanout.counters import ConnectionMetrics, Counts
from realtime.lifetimes.connection_lifetime import ConnectionLifetime
from realtime.messages.batches import Batch
from server.concurrency.tasks import first_to_end
from server.connection.connections import abort, cut_in_time, set_metrics, watch_progress
from server.connection.progress import send_in_time
from server.problem import Problem
from server.protocol.http.gzip_pieces import Piece
from server.settings import Settings
from server.transports.gzip_stream import gzip_stream

__all__ = ["EVENT_STREAM", "StreamFormat", "encoded", "send_stream"]

log = logging.getLogger(__name__)

#: Media type of SSE.
EVENT_STREAM = "text/event-stream"
HEADERS = {"Cache-Control": "no-cache"}


@dataclass(frozen=True, slots=True)
class StreamFormat:
    """The format of a stream: its media type, and its keep-alive."""

    content_type: str
    keep_alive: Callable[[], bytes]
    keep_alive_seconds: float
    #: Value of the Vary header: the request headers on which the choice of this answer depends.
    vary: str | None = None
    #: Whether `gzip_stream` compresses the stream for clients that accept it. Then its direct writer must do so too.
    is_compressible: bool = False


async def encoded(
    first: Batch, stream: AsyncGenerator[Batch, None], form: Callable[[Batch], Awaitable[bytes | Piece]], counts: Counts
) -> AsyncGenerator[bytes | Piece, None]:
    """Yield each batch of a raw stream, as `form` makes it, and count the batch, until the stream ends."""
    counts.sent_batch(first)
    yield await form(first)
    del first  # otherwise a sleeping stream would keep it in memory
    try:
        async for batch in stream:
            counts.sent_batch(batch)
            yield await form(batch)
            del batch
    except (StreamEnded, SubscriberTooSlow, StoreUnavailable) as ended:
        if not ending_of(ended).has_goodbye:
            # In the middle of a replay: the client reconnects with its last cursor.
            log.warning("a stream ends, the store did not answer: %s", ended)


async def send_stream(
    scope: Scope,
    receive: Receive,
    send: Send,
    chunks: AsyncGenerator[bytes | Piece, None],
    format: StreamFormat,
    metrics: ConnectionMetrics,
    lifetime: ConnectionLifetime,
    *others: Coroutine[Any, Any, Any],
) -> None:
    """Answer with `chunks`, each sent in one piece and none split by a keep-alive; then close `chunks`.

    `metrics` gets the reason when the connection is cut. `lifetime` is that of the connection. `others` run at the same
    time as the response, also while the response waits in a send. The stream ends when the first of them or the
    response ends.
    """

    def keep_alive() -> bytes:
        watch_progress(scope)  # so few bytes may wait that no send waits and starts the watch
        return format.keep_alive()

    async def sent(message: Message) -> None:
        """Send a message within `--send-timeout-seconds`."""
        await send_in_time(scope, metrics, send(message) if packing is None else packing.send(send, message))

    set_metrics(scope, metrics)
    lifetime.watch(partial(cut_in_time, scope))
    packing = gzip_stream(scope) if format.is_compressible else None
    packed: AsyncGenerator[Any, None] = chunks if packing is None else packing.pieces(chunks)
    response = EventSourceResponse(
        packed,
        headers=HEADERS,
        ping=format.keep_alive_seconds,
        # The chunks are sent unchanged: sse-starlette's splitting into lines is its greatest cost.
        ping_message_factory=keep_alive,  # type: ignore[arg-type]
    )
    response.headers["Content-Type"] = format.content_type
    if format.vary is not None:
        response.headers.add_vary_header(format.vary)
    settings: Settings = scope["app"].state.settings
    if settings.compression and format.is_compressible:
        response.headers.add_vary_header("Accept-Encoding")
    if packing is not None:
        response.headers["Content-Encoding"] = "gzip"
    async with aclosing(chunks), aclosing(packed):
        try:
            await first_to_end(response(scope, receive, sent), *others)
        except TimeoutError:
            pass  # the client was cut because it takes nothing
        except Problem as refused:
            # The unread body of the request is too large (`limits.BodyLimit`), and the answer has begun.
            log.info("a client was cut off that sent to its stream: %s", refused.detail)
            abort(scope)
