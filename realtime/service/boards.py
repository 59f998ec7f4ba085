"""Boards and their cards: read them, and carry out commands on them.

Every method raises `StoreUnavailable` if the store does not answer.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from realtime.global_ids import tag_of
from realtime.kanban.commands import Command
from realtime.kanban.grants import Action
from realtime.kanban.ids import BoardId, CardId, ColumnId
from realtime.kanban.models import Card
from realtime.messages.channels import board_channel
from realtime.node import Node
from realtime.ports import CardKey, StoredBoard
from realtime.service.access import Caller, board_not_found, check_board, readable, request_key
from realtime.writing.bus import Outcome
from realtime.writing.command_unit import Ask, Executed

__all__ = ["Boards"]


@dataclass(frozen=True, slots=True)
class Boards:
    """Requests that read boards and change their cards. A board that the caller may not read does not exist."""

    _node: Node

    @property
    def epoch(self) -> str:
        """The epoch of all cursors of the store."""
        return self._node.store.epoch

    async def stored(self, caller: Caller, board_id: BoardId) -> StoredBoard | None:
        """Return a board from the store, so a caller reads its own writes; None if it does not exist."""
        if not caller.may(Action.READ, board_id):
            return None
        return await self._node.store.board(board_id)

    async def check(self, caller: Caller, board_id: BoardId) -> None:
        """Check that a board exists.

        Raises:
            NotFound: `board_not_found`.
        """
        if not caller.may(Action.READ, board_id) or await self._node.store.project(board_id) is None:
            raise board_not_found()

    async def current(self, caller: Caller, board_id: BoardId) -> StoredBoard | None:
        """Return a board, from memory if it is watched, else from the store; None if it does not exist.

        A board from memory changes with later events: read it before the next `await`, or copy it, and never change it.
        """
        if not caller.may(Action.READ, board_id):
            return None
        # Another node may have stored something that this one has not heard of yet.
        head = await self._node.store.offset(board_channel(board_id)) if self._node.store.is_shared else 0
        view = self._node.views.get(board_id)
        if view is None or view.position.offset < head:
            return await self.stored(caller, board_id)
        return StoredBoard(view.board, view.position.offset, view.position.global_offset)

    async def boards_of_card(self, caller: Caller, card_id: CardId) -> Mapping[BoardId, ColumnId]:
        """Return the boards that have a card with this id, and the column it is in there."""
        return await self._node.store.homes_of(card_id, caller.grants.boards_for(Action.READ))

    async def by_id(self, caller: Caller, board_ids: Collection[BoardId]) -> Mapping[BoardId, StoredBoard]:
        """Return the existing boards, with one query."""
        return await self._node.store.boards_by_id([one for one in board_ids if caller.may(Action.READ, one)])

    async def by_tag(self, caller: Caller, tags: Collection[str]) -> Mapping[str, BoardId]:
        """Return the existing boards with these tags (`global_ids`), by tag, with one query."""
        readable = caller.grants.boards_for(Action.READ)
        wanted = tags if readable is None else {tag_of(board_id) for board_id in readable}.intersection(tags)
        return await self._node.store.boards_of_tags(wanted)

    async def cards_by_key(self, caller: Caller, keys: Collection[CardKey]) -> Mapping[CardKey, Card]:
        """Return the existing cards, with one query."""
        return await self._node.store.cards_by_key(readable(caller, keys))

    async def execute(self, caller: Caller, board_id: BoardId, *commands: Command, key: str | None = None) -> Executed:
        """Carry out commands on one board, all or none, and publish their events; once under an idempotency key.

        Raises:
            Forbidden: the caller may only read the board.
            NotFound, Conflict, InvalidInput, KeyReused, LimitReached: see `Bus.execute`; nothing was changed.
        """
        check_board(caller, Action.WRITE, board_id, board_not_found)
        return await self._node.bus.execute(board_id, *commands, key=request_key(caller, board_id, key))

    async def execute_each(
        self, caller: Caller, board_id: BoardId, commands: Sequence[tuple[Command, str | None]]
    ) -> list[Outcome]:
        """Carry out commands, each with its key, in one unit, except refused ones; return each outcome.

        Raises:
            Forbidden: the caller may only read the board.
            NotFound, LimitReached: see `Bus.execute_each`; nothing was changed.
        """
        check_board(caller, Action.WRITE, board_id, board_not_found)
        asks = [Ask((command,), request_key(caller, board_id, key)) for command, key in commands]
        return await self._node.bus.execute_each(board_id, asks)
