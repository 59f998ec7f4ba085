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
    """How much there is already of what is bounded (docs/protocol.md, "Limits"), inside a unit of writing."""

    def board_count(self) -> int:
        """Return how many boards there are."""

    def agent_keys(self) -> set[str]:
        """Return the keys of all agents."""

    def profile_ids(self) -> set[str]:
        """Return the ids of all profiles."""


class Transaction(Inventory, Protocol):
    """A unit of writing: all of it is stored, or nothing. It sees everything that was stored before it."""

    def board(self, board_id: BoardId) -> StoredBoard | None:
        """Return the board as of this transaction."""

    def known_boards(self, board_ids: Collection[BoardId]) -> set[BoardId]:
        """Return those of `board_ids` that exist."""

    def seen(self, keys: Collection[str]) -> dict[str, StoredEvent]:
        """Return the events that are in the log under these idempotency keys; their `changes` are left out."""

    def offset(self, channel: Channel) -> int:
        """Return the offset of the last event of a channel as of this transaction, 0 before the first."""

    def missed(self, board_id: BoardId, after: int, limit: int) -> list[StoredEvent]:
        """Return the first `limit` events of a board behind the offset `after`, in order, as far as they are kept."""

    def append(
        self,
        events: Sequence[NewEvent],
        boards: Mapping[BoardId, Board],
        decided_at: Mapping[BoardId, int] | None = None,
    ) -> list[StoredEvent]:
        """Write the events into the log, in order, and what they do into the rows.

        Offsets of a channel grow by one and have no gaps; nothing is visible to others before the commit. Boards that
        the caller has, as they are after the events, spare loading them where the store keeps one. `decided_at` names
        the offset that each board stood for on which the events were decided.

        Raises:
            BoardMoved: the log of a board in `decided_at` has another head; nothing was written.
        """


class EventStore(Protocol):
    """Keeps the events of each channel in the order in which they happened, and the rows they make."""

    @property
    def epoch(self) -> str:
        """A short word that changes when history was lost; `[0-9a-z]{1,32}`."""

    async def ping(self) -> None:
        """Return when the store answers.

        Raises:
            StoreUnavailable: it does not.
        """

    async def transact(self, work: Callable[[Transaction], _T]) -> _T:
        """Return what `work` makes of a transaction; that is committed, durably, once `work` has returned.

        Two transactions never overlap. `work` is called on another thread, while the caller waits: the objects that it
        uses must not change meanwhile. When the caller is cancelled, it is still carried out, whole or not at all.

        Raises:
            StoreUnavailable: nothing was stored.
            Exception: `work` raised it; nothing was stored.
        """


class Store(EventStore, BoardReader, AttemptReader, BatchReader, HistoryReader, DashboardReader, Protocol):
    """A store that can do all the node needs."""
