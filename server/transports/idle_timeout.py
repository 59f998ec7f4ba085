"""The idle timeout of a raw WebSocket: its client must send JSON now and then (docs/protocol.md, "Heartbeats")."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Literal, Self

from server.concurrency.cancellation_block import CancellationBlock
from server.concurrency.coalesced_timer import CoalescedTimer, coalesced_timers
from server.protocol.kanban_protocol import KanbanProtocol

__all__ = ["IdleTimeout", "IdleTimeoutReached"]


class IdleTimeoutReached(Exception):
    """The client has sent no JSON for too long."""


class IdleTimeout(CancellationBlock):
    """A `with` block around each wait for the client's next message; it ends at the deadline of the protocol.

    One timer checks the deadline and is set again if a message has moved it, so a message costs no timer. Call `close`
    at the end.
    """

    __slots__ = ("_protocol", "_timer")

    def __init__(self, protocol: KanbanProtocol) -> None:
        """Use the deadline of `protocol`, by the clock of the running event loop."""
        super().__init__()
        self._protocol = protocol
        self._timer = self._set()

    def close(self) -> None:
        """Stop the timer for good. Allowed several times."""
        self._timer.cancel()

    def __enter__(self) -> Self:
        """Begin to wait.

        Raises:
            IdleTimeoutReached: the deadline has passed since the last wait.
        """
        if self._left_seconds <= 0:
            raise IdleTimeoutReached
        return super().__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> Literal[False]:
        """End the wait.

        Raises:
            IdleTimeoutReached: the deadline has ended the wait.
        """
        if super().__exit__(kind, error, traceback):
            raise IdleTimeoutReached from error
        return False

    @property
    def _left_seconds(self) -> float:
        return self._protocol.deadline - asyncio.get_running_loop().time()

    def _set(self) -> CoalescedTimer:
        return coalesced_timers().set(max(0.0, self._left_seconds), self._look)

    def _look(self) -> None:
        if self._left_seconds <= 0:
            self.interrupt()
        else:
            self._timer = self._set()
