"""Replay: the missed envelopes of a subscriber, exactly as they were delivered (docs/protocol.md, "Resuming").

The log has the events. The envelopes are made again from the board at that time, folded event by event. A subscriber
is registered with the hub before the replay, so that new events wait behind it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from realtime.errors import PositionLost
from realtime.kanban.events import ProjectDeleted
from realtime.kanban.ids import BoardId
from realtime.messages.channels import EVERYBODY, Channel, board_channel
from realtime.messages.envelopes import Envelope
from realtime.messages.options import Delivery
from realtime.messages.position import InvalidCursor, Position, parse_cursor
from realtime.messages.translate import translate
from realtime.ports import HistoryReader, Span, StoredEvent
from realtime.views.board_views import BoardView

__all__ = ["is_ahead", "missed", "missed_globally", "seen_at"]

#: Events that are read in one call.
PAGE_EVENTS = 500
_EXPIRED = "history_expired"


def seen_at(cursor: str, now: Position) -> Position:
    """Return the position that a client's cursor names, if a replay can lead from there to `now`.

    Raises:
        PositionLost: `invalid_cursor`, `epoch_changed`, `other_board`.
    """
    try:
        seen = parse_cursor(cursor)
    except InvalidCursor as error:
        raise PositionLost("invalid_cursor") from error
    reason = now.gap_since(seen)
    if reason is not None:
        raise PositionLost(reason)
    return seen


def is_ahead(cursor: str, now: Position) -> bool:
    """Return whether a cursor of this log is later than `now`: another node may have reached it."""
    try:
        return now.gap_since(parse_cursor(cursor)) == "invalid_cursor"
    except InvalidCursor:
        return False


async def missed(
    history: HistoryReader, board_id: BoardId, seen: Position, until: Position, delivery: Delivery = Delivery.STATE
) -> AsyncGenerator[Envelope, None]:
    """Yield the envelopes of a board after `seen`, up to `until`, in order, for `delivery`.

    The client may have reached `seen` with another delivery, and it may be in the middle of an event.

    Raises:
        PositionLost: `history_expired`: the log does not reach back so far, or the board was deleted in between.
        StoreUnavailable: the log could not be read.
    """
    if seen == until:
        return
    view = await _past_view(history, board_id, seen)
    # The event that the client has in part is exactly the next one, as nothing comes between the envelopes of an event.
    part = seen.part
    while view.position != until:
        for stored in await _page(history, board_channel(board_id), view.position, until):
            for envelope in _envelopes_of(view, stored, delivery, part):
                yield envelope
            part = 0


async def missed_globally(history: HistoryReader, seen: Position, until: Position) -> AsyncGenerator[Envelope, None]:
    """Yield the envelopes of global events after `seen`, up to `until`; a dashboard can not compute these again.

    Raises:
        PositionLost: `history_expired`.
        StoreUnavailable: the log could not be read.
    """
    while seen.global_offset < until.global_offset:
        for stored in await _page(history, EVERYBODY, seen, until):
            seen = seen.moved_globally(_next(stored, seen.global_offset))
            for payload in translate(stored.recorded, None):
                yield Envelope(payload, seen.cursor)


async def _past_view(history: HistoryReader, board_id: BoardId, seen: Position) -> BoardView:
    board = await history.past_board(board_id, seen.offset)
    if board is None:
        raise PositionLost(_EXPIRED)
    return BoardView(board, seen.whole())


async def _page(history: HistoryReader, channel: Channel, seen: Position, until: Position) -> Sequence[StoredEvent]:
    span = Span(seen.offset, until.offset, seen.global_offset, until.global_offset)
    page = await history.events(channel, span, PAGE_EVENTS)
    if not page:
        raise PositionLost(_EXPIRED)
    return page


def _envelopes_of(view: BoardView, stored: StoredEvent, delivery: Delivery, part: int) -> list[Envelope]:
    if stored.channel == EVERYBODY:
        view.move_globally(_next(stored, view.position.global_offset))
        cursor = view.position.cursor
        return [Envelope(payload, cursor) for payload in translate(stored.recorded, None)]
    _next(stored, view.position.offset)
    # The client may have had a newer global event before this one, if another node wrote them.
    if stored.global_offset > view.position.global_offset:
        raise PositionLost(_EXPIRED)  # a global event before this one was pruned
    if isinstance(stored.recorded.event, ProjectDeleted):
        raise PositionLost(_EXPIRED)  # the board was created again since: another history with the same id
    view.apply(stored)
    return view.envelopes_of(stored, delivery, part)


def _next(stored: StoredEvent, offset: int) -> int:
    if stored.offset != offset + 1:
        raise PositionLost(_EXPIRED)
    return stored.offset
