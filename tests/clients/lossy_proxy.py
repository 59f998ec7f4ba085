"""A TCP relay that cuts connections at random, so that requests arrive and their answers get lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from random import Random

from tests.clients.cut_proxy import CutProxy, serving

__all__ = ["LossyProxy", "open_lossy_proxy"]

#: The probability that a piece of an answer is lost with its connection, and that a connection is cut behind a request.
LOST_ANSWERS, CUT_REQUESTS = 0.4, 0.2


class LossyProxy(CutProxy):
    """Relays to the server at `url`; made by `open_lossy_proxy`."""

    def __init__(self, url: str, seed: int) -> None:
        super().__init__(url)
        self._random = Random(seed)
        #: Number of answers that did not reach their client.
        self.lost = 0

    async def pump_up(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Relay requests; cut the connection behind some."""
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
            self._cut_with(CUT_REQUESTS)
        writer.write_eof()

    async def pump_down(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Relay answers; lose some, with the connection."""
        while data := await reader.read(65536):
            self._cut_with(LOST_ANSWERS)
            writer.write(data)
            await writer.drain()
        writer.write_eof()

    def _cut_with(self, probability: float) -> None:
        if self._random.random() < probability:
            self.lost += 1
            raise ConnectionResetError


@asynccontextmanager
async def open_lossy_proxy(url: str, seed: int) -> AsyncGenerator[LossyProxy]:
    """Start a relay to `url` on a free port; equal seeds make equal choices."""
    proxy = LossyProxy(url, seed)
    async with serving(proxy):
        yield proxy
