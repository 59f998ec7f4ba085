"""The first answer to a repeated request, read from the log at the place that is stored under its key."""

from __future__ import annotations

from realtime.errors import StoreUnavailable
from realtime.kanban.board import Board, Recorded
from realtime.kanban.ids import BoardId
from realtime.messages.position import Position, channel_tag
from realtime.ports import FirstAnswer, HistoryReader, Span, StoredBoard, StoredEvent
from realtime.writing.command_unit import Executed

__all__ = ["first_answer"]


async def first_answer(
    history: HistoryReader, epoch: str, board_id: BoardId, first: FirstAnswer, at_hand: StoredBoard | None
) -> Executed | StoreUnavailable:
    """Return the first answer again, or why it cannot be read now; `at_hand` is the board at some offset.

    It is read outside the write unit, because folding a large board takes a while.
    """
    try:
        if at_hand is not None and at_hand.offset == first.offset:
            board: Board | None = at_hand.board
        else:
            board = await history.past_board(board_id, first.offset)
        if board is None:  # the request deleted it, and was answered with the board before
            board = await history.past_board(board_id, first.after)
        recorded = await _recorded(history, first)
    except StoreUnavailable as away:
        return away
    if board is None or len(recorded) < first.offset - first.after:
        return StoreUnavailable("the log was pruned in this moment, and the key with it")
    position = Position(epoch, channel_tag(first.channel), first.offset, first.global_offset)
    return Executed(board, position, tuple(recorded), is_repeated=True)


async def _recorded(history: HistoryReader, first: FirstAnswer) -> list[Recorded]:
    """Return the events of the request, fewer if the first of them were pruned."""
    found: list[StoredEvent] = []
    at = first.after
    while at < first.offset:
        span = Span(at, first.offset, first.global_offset, first.global_offset)
        page = await history.events(first.channel, span, first.offset - at)
        if not page:
            break
        found += page
        at = page[-1].offset
    return [one.recorded for one in found]
