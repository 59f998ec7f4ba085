"""The log: the events that go in and come out, and the pruning of old ones."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from realtime.kanban.board import Board, Recorded
from realtime.kanban.ids import BoardId
from realtime.messages.channels import Channel
from realtime.ports.rows import Page

__all__ = ["HistoryReader", "Horizon", "LogPruner", "LoggedEvent", "NewEvent", "Span", "StoredEvent"]


class NewEvent(NamedTuple):
    """An event that is to be written into the log."""

    channel: Channel
    recorded: Recorded
    #: A later event of its unit changes the board again. Subscribers of `state` get only the state after that one.
    superseded: bool = False


class StoredEvent(NamedTuple):
    """An event in the log, with its offsets."""

    channel: Channel
    recorded: Recorded
    #: Number of the event in the channel's log, from 1, without gaps.
    offset: int
    #: Offset of the last global event at that time; for a global event, its own offset.
    global_offset: int
    #: As in `NewEvent`.
    superseded: bool = False


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """An event as the log has it, even if this version does not know its name or fields."""

    #: Number of the event in the channel's log, from 1.
    offset: int
    #: Offset of the last global event at that time.
    global_offset: int
    name: str
    payload: Mapping[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a channel's log and of the global log: in both, the events after `…after`, up to `…until`."""

    after: int
    until: int
    globally_after: int
    globally_until: int


@dataclass(frozen=True, slots=True)
class Horizon:
    """The limits of each channel's log; an event beyond one of the two limits may be deleted."""

    #: Events that the store wrote before this time may be deleted; None = no limit of age.
    recorded_before: datetime | None = None
    #: Number of the newest events of each channel that stay; None = all.
    newest_events: int | None = None


class HistoryReader(Protocol):
    """Reads the log. Pruned events are left out; the caller sees that by the offsets, which otherwise have no gaps."""

    async def past_board(self, board_id: BoardId, offset: int) -> Board | None:
        """Return the board after the event at `offset`; the caller may change it.

        None if there was no board then, or if the log does not reach back so far.
        """

    async def events(self, channel: Channel, span: Span, limit: int) -> list[StoredEvent]:
        """Return a span's first events, in the order of both logs: at most `limit`, fewer if large, at least one."""

    async def heads(self, channels: Collection[Channel]) -> Mapping[Channel, int]:
        """Return the offset of the last event of each channel at one moment, 0 before the first.

        The head of `ACCESS` grows with each change of tokens and sessions. That of `DASHBOARD` usually grows with each
        event of any channel; of units that are written at the same time, the last one may not show.
        """

    async def event_page(self, channel: Channel, after: int, limit: int) -> Page[LoggedEvent]:
        """Return a page of at most `limit` events of a channel after the offset `after`; `entries` have the offsets.

        If the first event is not the one at `after + 1`, the log no longer reaches back so far.
        """

    async def pruned(self, channel: Channel) -> int:
        """Return the offset up to which a channel's events were pruned, 0 if none were."""


class LogPruner(Protocol):
    """Deletes the oldest events of channels.

    A client at the cut or after it is not affected: replay works as before, and offsets continue. A client before the
    cut has lost its position. The rows of boards stay; idempotency keys are deleted with their first event.
    """

    async def prunable(self, horizon: Horizon) -> list[Channel]:
        """Return the channels with events to delete; the cost is proportional to the number of channels.

        Raises:
            StoreUnavailable: the store did not answer.
        """

    async def prune(self, channel: Channel, horizon: Horizon, limit: int) -> int:
        """Delete the oldest events of a channel beyond the horizon, at most `limit`; return their number.

        A number below `limit` means that no more are left to delete. It is one write unit, for which others wait. It is
        completed even if the caller is cancelled.

        Raises:
            StoreUnavailable: nothing was deleted.
        """
