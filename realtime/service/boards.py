"""Boards and their cards: read them, and carry out commands on them.

Every method raises `StoreUnavailable` if the store does not answer.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from realtime.errors import Refused
from realtime.kanban.commands import Command
from realtime.kanban.ids import BoardId, CardId, ColumnId
from realtime.kanban.models import Card
from realtime.node import Node
from realtime.ports import CardKey, StoredBoard
from realtime.service.access import Access, Action, Caller, board_not_found, readable
from realtime.writing.bus import Executed

__all__ = ["Boards"]


@dataclass(frozen=True, slots=True)
class Boards:
    """Requests about boards."""

    _node: Node
    _access: Access

    @property
    def epoch(self) -> str:
        """The epoch of all cursors of the store."""
        return self._node.store.epoch

    async def stored(self, caller: Caller, board_id: BoardId) -> StoredBoard | None:
        """Return a board from the store, so a caller reads its own writes; None if it does not exist."""
        if not self._access.allows(caller, Action.READ, board_id):
            return None
        return await self._node.store.board(board_id)

    async def current(self, caller: Caller, board_id: BoardId) -> StoredBoard | None:
        """Return a board, from memory if it is watched, else from the store; None if it does not exist.

        A board from memory changes with later events: read it before the next `await`, or copy it, and never change it.
        """
        view = self._node.views.get(board_id)
        if view is None:
            return await self.stored(caller, board_id)
        if not self._access.allows(caller, Action.READ, board_id):
            return None
        return StoredBoard(view.board, view.position.offset, view.position.global_offset)

    async def boards_of_card(self, caller: Caller, card_id: CardId) -> Mapping[BoardId, ColumnId]:
        """Return the boards that have a card with this id, and the column it is in there."""
        homes = await self._node.store.homes_of(card_id)
        allows = self._access.allows
        return {board_id: column for board_id, column in homes.items() if allows(caller, Action.READ, board_id)}

    async def by_id(self, caller: Caller, board_ids: Collection[BoardId]) -> Mapping[BoardId, StoredBoard]:
        """Return the existing boards, with one query."""
        allows = self._access.allows
        return await self._node.store.boards_by_id([one for one in board_ids if allows(caller, Action.READ, one)])

    async def cards_by_key(self, caller: Caller, keys: Collection[CardKey]) -> Mapping[CardKey, Card]:
        """Return the existing cards, with one query."""
        return await self._node.store.cards_by_key(readable(self._access, caller, keys))

    async def execute(self, caller: Caller, board_id: BoardId, *commands: Command) -> Executed:
        """Carry out commands on one board, all or none, and publish their events.

        Raises:
            NotFound, Conflict, InvalidInput, LimitReached: see `Bus.execute`; nothing was changed.
        """
        self._check_write(caller, board_id)
        return await self._node.bus.execute(board_id, *commands)

    async def execute_each(
        self, caller: Caller, board_id: BoardId, commands: Sequence[Command]
    ) -> list[Executed | Refused]:
        """Carry out commands on one board in one unit, except refused ones; return the result or refusal of each.

        Raises:
            NotFound, LimitReached: see `Bus.execute_each`; nothing was changed.
        """
        self._check_write(caller, board_id)
        return await self._node.bus.execute_each(board_id, commands)

    def _check_write(self, caller: Caller, board_id: BoardId) -> None:
        if not self._access.allows(caller, Action.WRITE, board_id):
            raise board_not_found()
