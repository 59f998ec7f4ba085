"""Compresses what is sent on WebSockets: once for all clients, and in a thread if the event loop would stand still."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from functools import partial
from typing import Any

from realtime.messages.batches import Batch
from server.concurrency.worker_thread import compressing
from server.connection.connections import deflates, write_frames
from server.protocol.deflate import QUICK_BYTES
from server.protocol.http.framing import deflated_frame
from server.protocol.kanban_messages import compressed_frame, compressed_frames, frames

__all__ = ["is_quick", "write_batch", "write_text"]


def is_quick(batch: Batch) -> bool:
    """Return whether `compressed_frames` of `batch` are ready, or are so in about a millisecond."""
    if batch.size <= QUICK_BYTES or batch.is_cached(compressed_frames):
        return True
    return sum(one.size for one in batch if not one.is_cached(compressed_frame)) <= QUICK_BYTES


async def write_batch(scope: MutableMapping[str, Any], batch: Batch) -> bool:
    """Write a batch on a raw WebSocket, as `write_frames` does."""
    if not deflates(scope):
        return await write_frames(scope, batch.cached(frames))
    if not is_quick(batch):
        # The future is cached too: all streams of the batch wait for the same one, and the end of one does not end it.
        await asyncio.shield(batch.cached(_in_thread))
    return await write_frames(scope, batch.cached(compressed_frames))


async def write_text(scope: MutableMapping[str, Any], text: bytes) -> bool:
    """Write a text for one client that takes compressed frames, as `write_frames` does."""
    if len(text) <= QUICK_BYTES:
        return await write_frames(scope, deflated_frame(text))
    return await write_frames(scope, await compressing(partial(deflated_frame, text)))


def _in_thread(batch: Batch) -> asyncio.Future[bytes]:
    return compressing(partial(batch.cached, compressed_frames))
