"""The store: log and rows, written together in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol, TypeVar

from realtime.kanban.board import Board
from realtime.kanban.ids import BoardId
from realtime.messages.channels import Channel
from realtime.ports.log import HistoryReader, NewEvent, StoredEvent
from realtime.ports.readers import AttemptReader, BatchReader, BoardReader, DashboardReader
from realtime.ports.rows import StoredBoard

__all__ = ["EventStore", "Inventory", "Store", "Transaction"]

_T = TypeVar("_T")


class Inventory(Protocol):
    """Numbers and keys of limited things (docs/protocol.md, "Limits"), read inside a write unit."""

    def board_count(self) -> int:
        """Return the number of boards."""

    def agent_keys(self) -> set[str]:
        """Return the keys of all agents."""

    def profile_ids(self) -> set[str]:
        """Return the ids of all profiles."""


class Transaction(Inventory, Protocol):
    """A write unit: it is stored as a whole or not at all. It sees everything that was stored before it."""

    def board(self, board_id: BoardId) -> StoredBoard | None:
        """Return the board as of this transaction."""

    def known_boards(self, board_ids: Collection[BoardId]) -> set[BoardId]:
        """Return those of `board_ids` that exist."""

    def seen(self, keys: Collection[str]) -> dict[str, StoredEvent]:
        """Return the events in the log with these idempotency keys, without their `changes`."""

    def offset(self, channel: Channel) -> int:
        """Return the offset of the last event of a channel as of this transaction, 0 before the first."""

    def missed(self, board_id: BoardId, after: int, limit: int) -> list[StoredEvent]:
        """Return the first `limit` events of a board after the offset `after`, in order, as far as the log has them."""

    def append(
        self,
        events: Sequence[NewEvent],
        boards: Mapping[BoardId, Board],
        decided_at: Mapping[BoardId, int] | None = None,
    ) -> list[StoredEvent]:
        """Write the events into the log, in order, and their effects into the rows.

        Offsets of a channel grow by one and have no gaps. Nothing is visible to others before the commit. `boards` has
        boards in memory, as they are after the events; the store need not load these for a snapshot. `decided_at` has,
        for each board on which events were decided, the board's offset at that time.

        Raises:
            BoardMoved: the last offset of a board in `decided_at` is another one; nothing was written.
        """


class EventStore(Protocol):
    """Stores the events of each channel in their order, and the rows that result from them."""

    @property
    def epoch(self) -> str:
        """A short text that changes when history was lost; `[0-9a-z]{1,32}`."""

    async def ping(self) -> None:
        """Return once the store answers.

        Raises:
            StoreUnavailable: it does not answer.
        """

    async def transact(self, work: Callable[[Transaction], _T]) -> _T:
        """Return the result of `work` with a transaction, which is committed durably once `work` has returned.

        Two transactions never overlap. `work` is called on another thread while the caller waits, so the objects that
        it uses must not change meanwhile. If the caller is cancelled, the unit is still carried out as a whole or not
        at all.

        Raises:
            StoreUnavailable: nothing was stored.
            Exception: `work` raised it; nothing was stored.
        """


class Store(EventStore, BoardReader, AttemptReader, BatchReader, HistoryReader, DashboardReader, Protocol):
    """A store with everything that a node needs."""
