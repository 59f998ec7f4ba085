"""The log: what goes in, what comes out, and what is forgotten of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from realtime.kanban.board import Board, Recorded
from realtime.kanban.ids import BoardId
from realtime.messages.channels import Channel
from realtime.ports.rows import Page

__all__ = ["HistoryReader", "Horizon", "LogPruner", "LoggedEvent", "NewEvent", "Span", "StoredEvent"]


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


class HistoryReader(Protocol):
    """Reads the log. Forgotten events are left out; the caller notices by the offsets, which have no gaps."""

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

    A reader that stands at the cut or behind it is not affected: it can be told what followed exactly as before, and
    offsets go on. A reader before the cut has lost its position. The rows stay; idempotency keys go with their events.
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
