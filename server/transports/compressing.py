"""Compresses what many clients get: once for all of them, and in a thread if the event loop would stand still."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from realtime.messages.batches import Batch
from realtime.messages.envelopes import Envelope
from server.concurrency.worker_thread import compressing
from server.connection.connections import deflates, write_frames
from server.protocol.deflate import QUICK_BYTES
from server.protocol.http.framing import deflated_frame
from server.protocol.http.gzip_pieces import Piece
from server.protocol.http.sse_format import gzip_block, gzip_blocks
from server.protocol.kanban_messages import compressed_frame, compressed_frames, frames

__all__ = ["BLOCKS", "FRAMES", "CompressedForm", "compressed", "is_quick", "write_batch", "write_text"]

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class CompressedForm(Generic[_T]):
    """A compressed form of batches, which caches that of each long envelope."""

    of_batch: Callable[[Batch], _T]
    of_envelope: Callable[[Envelope], _T]

    def __call__(self, batch: Batch) -> asyncio.Future[_T]:
        """Begin to compress `batch` in a thread."""
        return compressing(partial(batch.cached, self.of_batch))


#: Frames for raw WebSockets, and blocks for raw event streams.
FRAMES: CompressedForm[bytes] = CompressedForm(compressed_frames, compressed_frame)
BLOCKS: CompressedForm[Piece] = CompressedForm(gzip_blocks, gzip_block)


def is_quick(batch: Batch, form: CompressedForm[Any]) -> bool:
    """Return whether `form` of `batch` is ready, or is so in about a millisecond."""
    if batch.size <= QUICK_BYTES or batch.is_cached(form.of_batch):
        return True
    return sum(one.size for one in batch if not one.is_cached(form.of_envelope)) <= QUICK_BYTES


async def compressed(batch: Batch, form: CompressedForm[_T]) -> _T:
    """Return `form` of `batch`."""
    if not is_quick(batch, form):
        # The future is cached too: all streams of the batch wait for the same one, and the end of one does not end it.
        await asyncio.shield(batch.cached(form))
    return batch.cached(form.of_batch)


async def write_batch(scope: MutableMapping[str, Any], batch: Batch) -> bool:
    """Write a batch on a raw WebSocket, as `write_frames` does."""
    ready = await compressed(batch, FRAMES) if deflates(scope) else batch.cached(frames)
    return await write_frames(scope, ready)


async def write_text(scope: MutableMapping[str, Any], text: bytes) -> bool:
    """Write a text for one client that takes compressed frames, as `write_frames` does."""
    if len(text) <= QUICK_BYTES:
        return await write_frames(scope, deflated_frame(text))
    return await write_frames(scope, await compressing(partial(deflated_frame, text)))
