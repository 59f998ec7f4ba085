"""Events: accept those that clients report, read the log of a board in pages, and the board as it was at an event.

Every method raises `StoreUnavailable` if the store does not answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from realtime.errors import PositionLost, Refused
from realtime.kanban.board import Board
from realtime.kanban.grants import Action
from realtime.kanban.ids import BoardId
from realtime.kanban.incoming import Incoming
from realtime.messages.channels import Channel, board_channel
from realtime.messages.position import InvalidCursor, Position, channel_tag, parse_cursor
from realtime.node import Node
from realtime.ports import LoggedEvent, Page
from realtime.service.access import Caller, board_not_found, check_board, check_change, check_everywhere
from realtime.writing.bus import Accepted
from realtime.writing.ingest_plan import Sender

__all__ = ["Events", "PastBoard"]


@dataclass(frozen=True, slots=True)
class PastBoard:
    """A board as it was after one event of its log."""

    #: Offset of that event.
    offset: int
    #: The first and the last offset that can be asked for.
    first: int
    last: int
    #: The event, None if only the board after it is kept.
    event: LoggedEvent | None
    #: None if the board did not exist at that time.
    board: Board | None


@dataclass(frozen=True, slots=True)
class Events:
    """Requests of programs that report events; each needs the grant to publish on its board."""

    _node: Node

    async def ingest(self, caller: Caller, batch: Sequence[Incoming]) -> list[Accepted]:
        """Store and publish events from outside, all or none, in the given order.

        Raises:
            Forbidden: the caller may not report an event.
            InvalidInput, KeyReused, LimitReached: see `Bus.ingest`; nothing was stored.
        """
        check_change(caller)
        boards = {one.event.board_id for one in batch}
        hidden = {one for one in boards if not self._may_publish(caller, one)}
        return await self._node.bus.ingest(batch, Sender(caller.subject, hidden))

    def _may_publish(self, caller: Caller, board_id: BoardId | None) -> bool:
        """Return whether the caller may report events of a board; False = the board does not exist for it.

        Raises:
            Forbidden: it may not, and the board is no secret.
        """
        if board_id is None:
            check_everywhere(caller, Action.PUBLISH)
        elif not caller.may(Action.PUBLISH, board_id):
            if caller.may(Action.READ, board_id):
                check_board(caller, Action.PUBLISH, board_id, board_not_found)
            return False
        return True

    async def page(
        self, caller: Caller, board_id: BoardId, after: str | None, limit: int
    ) -> Page[tuple[str, LoggedEvent]]:
        """Return the first `limit` events of a board after the cursor `after`, each with its own cursor.

        Raises:
            NotFound: the board does not exist.
            Refused: the log has no page after it: `invalid_cursor`, `epoch_changed`, `other_board`, `history_expired`.
        """
        store = self._node.store
        if not caller.may(Action.READ, board_id) or await store.project(board_id) is None:
            raise board_not_found()
        channel = board_channel(board_id)
        begin = self._offset_of(after, channel)
        page = await store.event_page(channel, begin, limit)
        if after is not None:
            await self._check_reach(channel, begin, page)
        tag = channel_tag(channel)
        entries = [
            (offset, (Position(store.epoch, tag, offset, event.global_offset).cursor, event))
            for offset, event in page.entries
        ]
        return Page(entries, page.more)

    async def past(self, caller: Caller, board_id: BoardId, offset: int | None) -> PastBoard:
        """Return a board as it was after the event at `offset`, None = the last one.

        Raises:
            NotFound: the board does not exist now.
            PositionLost: `history_expired`: the log does not reach back so far; `invalid_cursor`: it has
                no such event.
        """
        store, channel = self._node.store, board_channel(board_id)
        if not caller.may(Action.READ, board_id) or await store.project(board_id) is None:
            raise board_not_found()
        last = await store.offset(channel)
        at = last if offset is None else offset
        if not 1 <= at <= last:
            raise PositionLost("invalid_cursor")
        board = await store.past_board(board_id, at)
        page = await store.event_page(channel, at - 1, 1)
        event = next((one for found, one in page.entries if found == at), None)
        # Read last: what was pruned meanwhile explains what was not found.
        pruned = await store.pruned(channel)
        if board is None and at < pruned:
            raise PositionLost("history_expired")
        return PastBoard(at, max(1, pruned), last, event, board)

    def _offset_of(self, after: str | None, channel: Channel) -> int:
        if after is None:
            return 0
        try:
            position = parse_cursor(after)
        except InvalidCursor as error:
            raise Refused(str(error), "invalid_cursor") from None
        if position.epoch != self._node.store.epoch:
            raise Refused("the log has begun anew since this cursor was handed out", "epoch_changed")
        if position.tag != channel_tag(channel):
            raise Refused("this cursor belongs to another board", "other_board")
        return position.offset

    async def _check_reach(self, channel: Channel, begin: int, page: Page[LoggedEvent]) -> None:
        """Check that `page` continues at the cursor.

        Raises:
            Refused: the log begins later, or the cursor is ahead of it.
        """
        store = self._node.store
        # An empty page may mean the end of the log, or that all events after the cursor were pruned.
        begins_later = page.entries[0][0] != begin + 1 if page.entries else begin < await store.pruned(channel)
        if begins_later:
            raise Refused("this cursor is older than what is kept of the log", "history_expired")
        if not page.entries and begin > await store.offset(channel):
            raise Refused("this cursor is ahead of the log", "invalid_cursor")
