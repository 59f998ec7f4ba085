"""The store: log and rows, written together in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol, TypeVar

from realtime.kanban.board import Board
from realtime.kanban.ids import BoardId
from realtime.messages.channels import Channel
from realtime.ports.keys import FirstAnswer, RequestKey
from realtime.ports.log import HistoryReader, NewEvent, StoredEvent
from realtime.ports.nodes import NodeBook
from realtime.ports.readers import AttemptReader, BatchReader, BoardReader, DashboardReader
from realtime.ports.rows import StoredBoard
from realtime.ports.sessions import SessionStore
from realtime.ports.tokens import TokenStore

__all__ = ["MAX_UNCHANGED", "EventStore", "Inventory", "Store", "Transaction"]

_T = TypeVar("_T")
#: Most keys of requests that changed nothing, between two events of a channel.
MAX_UNCHANGED = 1000


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

    def boards_of_tags(self, tags: Collection[str]) -> Mapping[str, BoardId]:
        """Return the boards with these tags (`global_ids`), by tag; no two boards may have the same one."""

    def lock(self, channels: Collection[Channel]) -> None:
        """Keep other processes from writing to these channels until the transaction ends.

        A group of units does it in one step, so that two groups do not wait for each other.
        """

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
        each board that an event changes, as it is after all of them, except deleted boards; it may have others.
        `decided_at` has, for each board on which events were decided, the board's offset at that time.

        Raises:
            BoardMoved: the last offset of a board in `decided_at` is another one; nothing was written.
        """

    def answered(self, keys: Collection[RequestKey]) -> dict[RequestKey, FirstAnswer]:
        """Return the first answers under those of `keys` that were used, as of this transaction."""

    def remember(self, answers: Sequence[FirstAnswer]) -> None:
        """Keep the first answers under new keys, each until the event after its `after` is pruned.

        Of requests without an event, the newest `MAX_UNCHANGED` after each event are kept.
        """


class EventStore(Protocol):
    """Stores the events of each channel in their order, and the rows that result from them."""

    @property
    def epoch(self) -> str:
        """A short text that changes when history was lost; `[0-9a-z]{1,32}`."""

    @property
    def is_shared(self) -> bool:
        """Whether other nodes may write to it."""

    @property
    def nodes(self) -> NodeBook:
        """The nodes that write to it."""

    @property
    def waits(self) -> int:
        """Calls that had to wait for a connection since it was opened."""

    async def ping(self) -> None:
        """Return once the store answers.

        Raises:
            StoreUnavailable: it does not answer.
        """

    async def transact(self, work: Callable[[Transaction], _T]) -> _T:
        """Return the result of `work` with a transaction, which is committed durably once `work` has returned.

        Two transactions that write to one channel never overlap, and of one process none do. `work` is called on
        another thread while the caller waits, so the objects that it uses must not change meanwhile. If the caller is
        cancelled, the unit is still carried out as a whole or not at all.

        Raises:
            StoreUnavailable: nothing was stored.
            UnitConflict: another process was faster; nothing was stored, and the unit has to be decided again.
            Exception: `work` raised it; nothing was stored.
        """


class Store(
    EventStore,
    BoardReader,
    AttemptReader,
    BatchReader,
    HistoryReader,
    DashboardReader,
    TokenStore,
    SessionStore,
    Protocol,
):
    """A store with everything that a node needs."""
