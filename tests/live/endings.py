"""The end of a stream, as a subscriber of any exit sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.kit.sse_reader import SseReader, StreamEnded
from tests.live.exits import Ended, ExitSubscriber

__all__ = ["End", "read_to_end"]


@dataclass(frozen=True)
class End:
    """The end of a stream."""

    #: The events before the end, in order: type and payload.
    events: list[tuple[str, Any]]
    #: The word of the protocol: a close code, a GraphQL error code, `complete`. None: the answer ended without one.
    word: int | str | None
    #: The reason of a close code, or the milliseconds after which the error allows the client to reconnect.
    detail: str | int | None = None
    #: Milliseconds after which an EventSource reconnects, None if the stream named none.
    retry_ms: int | None = None


async def read_to_end(subscriber: ExitSubscriber) -> End:
    """Return the end of a stream, with the events before it."""
    events: list[tuple[str, Any]] = []
    word, detail = None, None
    try:
        while True:
            events.append(await subscriber.event())
    except Ended as ended:
        word, detail = ended.word, ended.detail
    except StreamEnded:
        pass
    stream = getattr(subscriber, "stream", None)
    return End(events, word, detail, stream.retry_ms if isinstance(stream, SseReader) else None)
