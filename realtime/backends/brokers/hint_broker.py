"""`HintBroker`: gives events to this node as the memory broker does, and sends hints to the others on a line."""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any, Protocol

from realtime.backends.brokers.hint_text import BadHint, Hint, hint_of, texts_of
from realtime.backends.memory import MemoryBroker
from realtime.errors import BrokerUnavailable
from realtime.kanban.events import DASHBOARD_EVENTS
from realtime.messages.channels import DASHBOARD, Channel
from realtime.ports import BrokerStatistics, Heads, Listener, StoredEvent
from realtime.tasks import end

__all__ = ["HintBroker", "Line", "sending_hints"]

#: Seconds after which a node with nothing to say sends an empty hint.
BEAT_SECONDS = 2.0
#: Seconds without any hint, even an own one, after which a line counts as lost.
SILENCE_SECONDS = 6.0
#: Most seconds for a new line, and for one text.
ANSWER_SECONDS = 5.0
#: Seconds from a failure to the next line; each further failure doubles them, up to the most.
FIRST_PAUSE_SECONDS, MOST_PAUSE_SECONDS = 0.1, 2.0
#: Most channels whose hints wait for the line; with more, the others compare all heads.
MAX_WAITING = 2_000

log = logging.getLogger(__name__)


class Line(Protocol):
    """A line on which each node hears the texts of all nodes, its own too."""

    async def send(self, text: str) -> None:
        """Send a text of at most `MAX_TEXT_BYTES`."""

    async def receive(self) -> str:
        """Return the next text."""


#: Opens a new line for the length of a block.
Connect = Callable[[], AbstractAsyncContextManager[Line]]


class HintBroker(MemoryBroker):
    """Implements `ports.Broker` between nodes."""

    def __init__(self, connect: Connect) -> None:
        """Open lines by `connect`, once `run` runs."""
        super().__init__()
        self._connect = connect
        self._node = secrets.token_hex(8)
        self._listeners: list[Listener] = []
        #: The hints that are not sent yet; None = some were lost, so the others must compare all heads.
        self._waiting: dict[Channel, int] | None = {}
        self._news = asyncio.Event()
        self._away: str | None = "it is not connected yet"
        self._has_warned = False
        self._lost = self._retries = 0
        self._pause = FIRST_PAUSE_SECONDS

    def listen(self, listener: Listener) -> None:
        """Call `listener` with the hints of other nodes from now on."""
        self._listeners.append(listener)

    async def publish(self, batch: Sequence[StoredEvent]) -> None:
        """Give a batch to the handlers of this node, then its heads to the others.

        Raises:
            ExceptionGroup: handlers of this node failed, once all have been called.
        """
        try:
            await super().publish(batch)
        finally:
            self.announce(_heads_of(batch))

    def announce(self, heads: Heads) -> None:
        """Let heads wait for the line."""
        if self._waiting is not None and heads:
            for channel, offset in heads.items():
                self._waiting[channel] = max(offset, self._waiting.get(channel, 0))
            if len(self._waiting) > MAX_WAITING:
                self._waiting = None
                self._lost += 1
        self._news.set()

    def statistics(self) -> BrokerStatistics:
        """Return the numbers of this node."""
        return BrokerStatistics(self._lost, self._retries, self._away or "")

    async def ping(self) -> None:
        """Return if the line is open.

        Raises:
            BrokerUnavailable: it is not.
        """
        if self._away is not None:
            raise BrokerUnavailable(self._away)

    async def run(self) -> None:
        """Keep a line open until cancelled: after a failure, the next one is opened after a growing, jittered pause."""
        while True:
            try:
                async with self._opened() as line:
                    self._news.set()  # a first hint shows at once whether texts come back
                    await _first_of(self._receive(line), self._send(line))
            except Exception as error:  # noqa: BLE001 - whatever it was, the next line may do better
                self._note_away(error)
            self._retries += 1
            await asyncio.sleep(self._pause * random.uniform(0.5, 1.0))
            self._pause = min(2 * self._pause, MOST_PAUSE_SECONDS)

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[Line]:
        opening = self._connect()
        async with asyncio.timeout(2 * ANSWER_SECONDS):
            line = await opening.__aenter__()
        try:
            yield line
        finally:
            # A line that is lost may fail to close, too; the reason of the loss is in the log.
            with suppress(Exception):
                async with asyncio.timeout(ANSWER_SECONDS):
                    await opening.__aexit__(None, None, None)

    async def _send(self, line: Line) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(BEAT_SECONDS):
                    await self._news.wait()
            self._news.clear()
            heads, self._waiting = self._waiting, {}
            try:
                for text in texts_of(Hint(self._node, heads)):
                    async with asyncio.timeout(ANSWER_SECONDS):
                        await line.send(text)
            except BaseException:
                self._waiting = None
                self._lost += 1
                raise

    async def _receive(self, line: Line) -> None:
        while True:
            try:
                async with asyncio.timeout(SILENCE_SECONDS):
                    text = await line.receive()
            except TimeoutError as error:
                raise BrokerUnavailable(f"no hint came for {SILENCE_SECONDS:g} s, not even an own one") from error
            self._note_back()
            try:
                hint = hint_of(text)
            except BadHint as bad:
                if not self._has_warned:
                    log.warning("somebody else writes to the channel of the hints: %s", bad)
                self._has_warned = True
            else:
                if hint.node != self._node and hint.heads != {}:
                    self._lost += hint.heads is None
                    self._tell(hint.heads)

    def _tell(self, heads: Heads | None) -> None:
        for listener in self._listeners:
            try:
                listener(heads)
            except Exception:
                log.exception("a hint could not be taken; the heads are compared soon")

    def _note_back(self) -> None:
        if self._away is not None:
            log.info("the broker is connected")
            self._away, self._pause = None, FIRST_PAUSE_SECONDS
            self._tell(None)  # the hints of the time without a line

    def _note_away(self, error: Exception) -> None:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        if reason != self._away:
            log.error("the broker cannot be used, events of other nodes come later: %s", reason)
        self._away = reason


@asynccontextmanager
async def sending_hints(connect: Connect) -> AsyncIterator[HintBroker]:
    """Give a broker that keeps a line open until the block ends."""
    broker = HintBroker(connect)
    running = asyncio.create_task(broker.run(), name="hints")
    try:
        yield broker
    finally:
        await end(running)


async def _first_of(*works: Coroutine[Any, Any, None]) -> None:
    """Run works that only end by a failure; raise the first one, once all have ended."""
    tasks = [asyncio.create_task(work, name="hints") for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await end(*tasks)
    for task in done:
        task.result()


def _heads_of(batch: Sequence[StoredEvent]) -> Heads:
    heads = {stored.channel: stored.offset for stored in batch}
    if any(stored.recorded.event.type in DASHBOARD_EVENTS for stored in batch):
        heads[DASHBOARD] = 0
    return heads
