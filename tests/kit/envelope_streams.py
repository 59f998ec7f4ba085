"""The streams envelope by envelope, as GraphQL reads them, for tests that check each envelope."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import ParamSpec

from realtime.messages.batches import Batch
from realtime.messages.envelopes import Envelope
from realtime.streams import board_batches, dashboard_batches, one

__all__ = ["board_stream", "dashboard_stream"]


P = ParamSpec("P")


def _by_envelope(batches: Callable[P, AsyncGenerator[Batch, None]]) -> Callable[P, AsyncGenerator[Envelope, None]]:
    def stream(*arguments: P.args, **named: P.kwargs) -> AsyncGenerator[Envelope, None]:
        named["take"] = one
        return _one_by_one(batches(*arguments, **named))

    return stream


async def _one_by_one(batches: AsyncGenerator[Batch, None]) -> AsyncGenerator[Envelope, None]:
    async with aclosing(batches):
        async for batch in batches:
            for envelope in batch:
                yield envelope
            del batch, envelope


board_stream = _by_envelope(board_batches)
dashboard_stream = _by_envelope(dashboard_batches)
