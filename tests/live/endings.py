"""How a stream ends, as a reader of any exit sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.kit.sse_reader import SseReader, StreamEnded
from tests.live.exits import Ended, ExitReader

__all__ = ["End", "read_to_end"]


@dataclass(frozen=True)
class End:
    """What came last on a stream."""

    #: What came before the end, in order: type and payload.
    events: list[tuple[str, Any]]
    #: The word of the protocol: a close code, a GraphQL error code, `complete`; None = the answer ended.
    word: int | str | None
    #: The reason beside a close code, an error's milliseconds when to come back.
    detail: str | int | None = None
    #: Milliseconds after which an EventSource comes back, None where none were named.
    retry_ms: int | None = None


async def read_to_end(reader: ExitReader) -> End:
    """Return the end of a stream, with what comes before it."""
    events: list[tuple[str, Any]] = []
    word, detail = None, None
    try:
        while True:
            events.append(await reader.event())
    except Ended as ended:
        word, detail = ended.word, ended.detail
    except StreamEnded:
        pass
    stream = getattr(reader, "stream", None)
    return End(events, word, detail, stream.retry_ms if isinstance(stream, SseReader) else None)
