"""A write unit: boards that are checked inside its transaction, and the decided events in the form for the log.

A board in memory may be outdated: its process may have missed events of another process, or its own. So it is compared
with the log inside the transaction, where nobody else writes, and missing events are folded into it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from realtime.errors import FieldError, KeyReused, quoted
from realtime.kanban.board import Board, Recorded
from realtime.kanban.events import ProjectCreated, ProjectDeleted
from realtime.kanban.ids import BoardId
from realtime.messages.channels import EVERYBODY, Channel, board_channel
from realtime.messages.translate import changes_board
from realtime.ports import NewEvent, RequestKey, StoredBoard, Transaction
from realtime.views.board_views import BoardView, Fold

__all__ = ["board_of_view", "checked_board", "fold_all", "key_reused", "new_events"]

#: Most missing events that are folded into a board; with more, loading the board costs less.
MAX_MISSED_EVENTS = 200


def board_of_view(view: BoardView) -> StoredBoard:
    """Return a copy of a view's board, which the caller may change, with the view's offsets."""
    return StoredBoard(view.board.copy(), view.position.offset, view.position.global_offset)


def checked_board(transaction: Transaction, board_id: BoardId, at_hand: StoredBoard | None) -> StoredBoard | None:
    """Return the board as of this transaction, None if it does not exist.

    The board at hand is used if its offset is the last one of its log, or after the events that it missed were folded
    into it. Otherwise the board is loaded. The caller must not use the board at hand afterwards.
    """
    if at_hand is not None:
        head = transaction.offset(board_channel(board_id))
        if at_hand.offset == head:
            at = transaction.offset(EVERYBODY)
            return at_hand if at_hand.global_offset == at else replace(at_hand, global_offset=at)
        if 0 < head - at_hand.offset <= MAX_MISSED_EVENTS and _moved_on(
            transaction, at_hand.board, at_hand.offset, head
        ):
            return StoredBoard(at_hand.board, head, transaction.offset(EVERYBODY))
    return transaction.board(board_id)


def _moved_on(transaction: Transaction, board: Board, after: int, head: int) -> bool:
    """Fold the events after `after` up to `head` into `board`; return False if they do not lead there."""
    missed = transaction.missed(board.id, after, head - after)
    if [stored.offset for stored in missed] != list(range(after + 1, head + 1)):
        return False  # the log was pruned
    if any(type(stored.recorded.event) in (ProjectCreated, ProjectDeleted) for stored in missed):
        return False  # it may be another board with the same id
    try:
        for stored in missed:
            board.apply(stored.recorded)
    except LookupError:
        return False  # the board differs from its log, although its offset fits
    return True


def fold_all(board: Board, made: Sequence[Recorded]) -> list[Fold]:
    """Fold decided events into their board, in order; return each with the states before and after it."""
    folds: list[Fold] = []
    for recorded in made:
        before = board.state
        board.apply(recorded)
        folds.append(Fold(recorded, before, board.state))
    return folds


def new_events(unit: Sequence[Recorded]) -> list[NewEvent]:
    """Return the events of a unit for the log; all states but the last are superseded.

    All events belong to one board, or to none.
    """
    last = max((n for n, recorded in enumerate(unit) if changes_board(recorded)), default=-1)
    return [
        NewEvent(_channel(recorded), recorded, n < last and changes_board(recorded)) for n, recorded in enumerate(unit)
    ]


def _channel(recorded: Recorded) -> Channel:
    board_id = recorded.event.board_id
    return EVERYBODY if board_id is None else board_channel(board_id)


def key_reused(key: RequestKey) -> KeyReused:
    """Return the refusal of another request under a key that was used."""
    came = f"expected a new idempotency key, or the request that used {quoted(key.text)} first; another came"
    return KeyReused(FieldError("", came))
