"""What the core needs from a back-end; the docstrings are the contracts that `tests/contract/` checks.

A back-end implements each protocol it can; none has a method that raises `NotImplementedError`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from realtime.dashboard.figures import DashboardFigures
from realtime.dashboard.time_range import Window
from realtime.inventory import Inventory
from realtime.kanban.board import Board, Recorded
from realtime.kanban.ids import AttemptId, BoardId, CardId, ColumnId
from realtime.kanban.models import AttemptStatus, Card, Project
from realtime.messages.channels import Channel

__all__ = [
    "Agent",
    "Attempt",
    "AttemptKey",
    "AttemptReader",
    "BatchReader",
    "BoardReader",
    "Broker",
    "CardKey",
    "DashboardReader",
    "EventStore",
    "HistoryReader",
    "Horizon",
    "LogEntry",
    "LogPruner",
    "LoggedEvent",
    "NewEvent",
    "Page",
    "Profile",
    "Span",
    "StoredBoard",
    "StoredEvent",
    "Transaction",
]


_T = TypeVar("_T")
#: A card and its board: ids of cards are unique on their board only.
CardKey = tuple[BoardId, CardId]
#: An attempt and its board: two boards may use one id (docs/ingest.md).
AttemptKey = tuple[BoardId, AttemptId]


class NewEvent(NamedTuple):
    """An event on its way into the log."""

    channel: Channel
    recorded: Recorded
    #: Sender's idempotency key, at most one event in the log has it.
    key: str | None = None
    #: A later event of its unit changes the board again: readers of `state` get the state behind that one alone.
    superseded: bool = False


class StoredEvent(NamedTuple):
    """An event in the log, with its place."""

    channel: Channel
    recorded: Recorded
    #: Place in the channel's log, from 1, without gaps.
    offset: int
    #: Offset of the last global event at that moment (of this one, when it is global).
    global_offset: int
    #: As in `NewEvent`.
    superseded: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a channel's log, together with that of the global log: both behind `…after`, up to `…until`."""

    after: int
    until: int
    globally_after: int
    globally_until: int


@dataclass(frozen=True, slots=True)
class Horizon:
    """How far back the log of each channel is to reach; what is behind one of the two is to go."""

    #: Events that the store wrote before this instant are to go; None = age does not matter.
    recorded_before: datetime | None = None
    #: So many of the newest events of each channel are to stay; None = all of them.
    newest_events: int | None = None


@dataclass(frozen=True, slots=True)
class StoredBoard:
    """A board as the rows have it, and the place in the log it stands for."""

    board: Board
    offset: int
    global_offset: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """The row of an attempt."""

    id: AttemptId
    board_id: BoardId
    card_id: CardId
    agent: str
    status: AttemptStatus
    created_at: datetime
    updated_at: datetime
    base_branch: str | None = None
    branch_name: str | None = None
    worktree_path: str | None = None
    session_id: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One line of an attempt's log."""

    id: str
    attempt_id: AttemptId
    ts: datetime
    level: str
    message: str


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent that was registered."""

    key: str
    label: str | None


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile of an agent."""

    id: str
    agent: str
    label: str | None


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """An event as the log has it, whether this version still knows its name and fields or not."""

    #: Place in the channel's log, from 1.
    offset: int
    #: Offset of the last global event at that moment.
    global_offset: int
    name: str
    payload: Mapping[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True)
class Page(Generic[_T]):
    """The first entries behind a place, oldest first."""

    #: Each with its place, a whole number that grows; the place to go on behind is that of the last.
    entries: Sequence[tuple[int, _T]]
    #: Whether there are others behind the last.
    more: bool


class BoardReader(Protocol):
    """Reads boards. One call sees one moment: the rows and the offsets of it belong together."""

    async def board(self, board_id: BoardId) -> StoredBoard | None:
        """Return the board, None when there is none.

        Raises:
            StoreUnavailable: the store did not answer.
        """

    async def projects(self) -> list[Project]:
        """Return all projects, oldest first."""

    async def project(self, project_id: BoardId) -> Project | None:
        """Return one project, None when there is none."""

    async def homes_of(self, card_id: CardId) -> Mapping[BoardId, ColumnId]:
        """Return the boards that have a card of that id, and the column it is in there."""

    async def offset(self, channel: Channel) -> int:
        """Return the offset of the last event of a channel, 0 before the first."""


class AttemptReader(Protocol):
    """Reads what is kept of attempts. An id alone names none: two boards may use the same one."""

    async def attempts(self, board_id: BoardId, *card_ids: CardId) -> list[Attempt]:
        """Return the attempts of a board (or of the given cards of it), newest created first."""

    async def attempt(self, board_id: BoardId, attempt_id: AttemptId) -> Attempt | None:
        """Return one attempt, None when it is not known."""

    async def boards_of_attempt(self, attempt_id: AttemptId) -> Mapping[BoardId, bool]:
        """Return the boards that keep something under an attempt's id, and whether the attempt itself is known there.

        A log alone counts, of which a store of an older version may have lines under the board `""`: nobody's.
        """

    async def logs(self, board_id: BoardId, attempt_id: AttemptId, after: int, limit: int) -> Page[LogEntry]:
        """Return the first `limit` lines behind the place `after` of the log that is kept under an attempt's id."""

    async def conversation(
        self, board_id: BoardId, attempt_id: AttemptId, after: int, limit: int
    ) -> Page[dict[str, Any]]:
        """Return the first `limit` conversation items behind the place `after`, as they came."""

    async def todos(self, board_id: BoardId, attempt_id: AttemptId) -> dict[str, Any] | None:
        """Return the attempt's todo list, None when it has none."""


class HistoryReader(Protocol):
    """Reads the log. What it no longer has is not there; whoever asks sees it by the offsets, which have no gaps."""

    async def past_board(self, board_id: BoardId, offset: int) -> Board | None:
        """Return the board behind the event at `offset`; the caller may move it on.

        None when there was no board then, or when the log does not reach back so far.
        """

    async def events(self, channel: Channel, span: Span, limit: int) -> list[StoredEvent]:
        """Return a span's first events, in the order of both logs: at most `limit`, fewer if large, at least one."""

    async def event_page(self, channel: Channel, after: int, limit: int) -> Page[LoggedEvent]:
        """Return a page of at most `limit` events behind the offset `after` of a channel; their places are the offsets.

        A first event that is not the one at `after + 1` tells that the log no longer reaches back so far.
        """

    async def pruned(self, channel: Channel) -> int:
        """Return the offset up to which the events of a channel are gone, 0 when none are."""


class LogPruner(Protocol):
    """Forgets the oldest events of channels.

    Whoever stands at the cut or behind it is not affected: it can be told what followed exactly as before, and offsets
    go on. Who stands before it has lost its position. The rows stay; idempotency keys go with their events.
    """

    async def prunable(self, horizon: Horizon) -> list[Channel]:
        """Return the channels that have events to forget, at a cost in proportion to the number of channels.

        Raises:
            StoreUnavailable: the store did not answer.
        """

    async def prune(self, channel: Channel, horizon: Horizon, limit: int) -> int:
        """Forget the oldest events of a channel, at most `limit` of those behind the horizon; return how many.

        Fewer than `limit` means that no more were to go. It is one unit of writing, for which others wait; it is
        finished even when the caller is cancelled.

        Raises:
            StoreUnavailable: nothing was forgotten.
        """


class BatchReader(Protocol):
    """Reads of many what the other readers read of one; each call is one look, and sees one moment.

    What does not exist has no entry in what is returned.
    """

    async def projects_by_id(self, project_ids: Collection[BoardId]) -> Mapping[BoardId, Project]:
        """Return projects."""

    async def boards_by_id(self, board_ids: Collection[BoardId]) -> Mapping[BoardId, StoredBoard]:
        """Return boards."""

    async def cards_by_key(self, keys: Collection[CardKey]) -> Mapping[CardKey, Card]:
        """Return cards."""

    async def attempts_of_cards(self, keys: Collection[CardKey]) -> Mapping[CardKey, Sequence[Attempt]]:
        """Return the attempts at each card, newest created first."""

    async def attempts_by_key(self, keys: Collection[AttemptKey]) -> Mapping[AttemptKey, Attempt]:
        """Return attempts."""

    async def log_pages(
        self, keys: Collection[AttemptKey], after: int, limit: int
    ) -> Mapping[AttemptKey, Page[LogEntry]]:
        """Return the first `limit` lines behind the place `after` of the log of each known attempt."""

    async def conversation_pages(
        self, keys: Collection[AttemptKey], after: int, limit: int
    ) -> Mapping[AttemptKey, Page[dict[str, Any]]]:
        """Return the first `limit` items behind the place `after` of the conversation of each known attempt."""

    async def todos_of_attempts(self, keys: Collection[AttemptKey]) -> Mapping[AttemptKey, dict[str, Any]]:
        """Return the todo lists of those attempts that have one."""


class DashboardReader(Protocol):
    """Reads what the dashboard is computed from."""

    async def dashboard_figures(self, window: Window) -> DashboardFigures:
        """Return the figures of all projects for a window, at one moment.

        Raises:
            StoreUnavailable: the store did not answer.
        """

    async def agents(self) -> tuple[list[Agent], list[Profile]]:
        """Return the registered agents and their profiles, oldest first."""


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

        Two transactions never overlap. `work` is called on another thread, while the caller waits: what it uses must
        not change meanwhile. Whoever is cancelled while waiting leaves it to be carried out, whole or not at all.

        Raises:
            StoreUnavailable: nothing was stored.
            Exception: whatever `work` raised; nothing was stored.
        """


#: Takes published events on a node; never waits for readers.
Handler = Callable[[Sequence[StoredEvent]], None]


class Broker(Protocol):
    """Carries stored events to every node, the publishing one included.

    At most once, in the order of publishing per channel. What is lost, late or repeated does no harm, and neither does
    an error of `publish`: nodes take what is next, and read the rest in the log.
    """

    def subscribe(self, handler: Handler) -> None:
        """Call `handler` with each batch from now on."""

    def publish(self, batch: Sequence[StoredEvent]) -> Awaitable[None]:
        """Hand a batch over; returns when this node's readers have it in their queues."""
