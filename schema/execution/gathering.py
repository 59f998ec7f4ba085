"""Gathers the commands of one mutation into one unit of the bus (docs/graphql.md, "Mutations"): one `state` for all."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from graphql import FieldNode, FragmentSpreadNode, InlineFragmentNode
from graphql.execution.collect_fields import FragmentDetails

from realtime.kanban.commands import Command
from realtime.kanban.ids import BoardId
from realtime.service import Caller, Executed, Service

__all__ = ["Gathering", "may_be_one_unit"]

#: Fields of a mutation that only carry out one command on a board.
COMMANDS = frozenset({"createCard", "updateCard", "moveCard", "deleteCard"})
#: Fields in the answers that are read from the store: each must show the effect of its own and all earlier commands.
READ = frozenset({"attempts", "project"})
#: Iterations of the event loop in which all commands of a mutation come: they begin in one iteration and do not wait.
TURNS = 20


def may_be_one_unit(fields: Sequence[FieldNode], fragments: Mapping[str, FragmentDetails]) -> bool:
    """Return whether all root fields of a mutation are commands, and no answer is read from the store."""
    if any(field.name.value not in COMMANDS for field in fields):
        return False
    ahead = [field.selection_set for field in fields]
    known: set[str] = set()
    while ahead:
        inner = ahead.pop()
        for node in inner.selections if inner else ():
            if isinstance(node, FragmentSpreadNode):
                if node.name.value not in known:
                    known.add(node.name.value)
                    ahead.append(fragments[node.name.value].definition.selection_set)
            elif isinstance(node, FieldNode) and node.name.value in READ:
                return False
            elif isinstance(node, FieldNode | InlineFragmentNode):
                ahead.append(node.selection_set)
    return True


class _Waiting(NamedTuple):
    board_id: BoardId
    command: Command
    key: str | None
    done: asyncio.Future[Executed]


class Gathering:
    """The commands of one mutation, gathered into one unit. A command that comes late is a unit of its own."""

    def __init__(self, service: Service, caller: Caller, expected: int) -> None:
        """Carry the commands out for `caller` when `expected` of them have come.

        Fewer come if the arguments of a field are refused before.
        """
        self._boards = service.boards
        self._caller = caller
        self._expected = expected
        self._waiting: list[_Waiting] = []

    async def execute(self, board_id: BoardId, command: Command, key: str | None = None) -> Executed:
        """Carry out a command, once under its idempotency key, with the others in the order in which they came.

        Raises:
            Refused, StoreUnavailable: see `Boards.execute`.
        """
        one = _Waiting(board_id, command, key, asyncio.get_running_loop().create_future())
        self._waiting.append(one)
        if len(self._waiting) == 1:
            # The first command carries out all. They belong to one operation, so it is cancelled only with the others.
            await self._carry_out()
        return await one.done

    async def _carry_out(self) -> None:
        for _ in range(TURNS):
            if len(self._waiting) == self._expected:
                break
            await asyncio.sleep(0)
        waiting, self._waiting = self._waiting, []
        self._expected -= len(waiting)
        try:
            for board_id, group in groupby(waiting, lambda one: one.board_id):
                await self._carry_out_unit(board_id, list(group))
        finally:
            for one in waiting:
                one.done.cancel()  # without effect on futures that are done

    async def _carry_out_unit(self, board_id: BoardId, unit: list[_Waiting]) -> None:
        outcomes: list[Executed | Exception]
        try:
            commands = [(one.command, one.key) for one in unit]
            outcomes = list(await self._boards.execute_each(self._caller, board_id, commands))
        except Exception as error:  # noqa: BLE001 - each field of the mutation raises it
            outcomes = [error for _ in unit]
        for one, outcome in zip(unit, outcomes, strict=True):
            if one.done.done():
                continue
            if isinstance(outcome, Exception):
                one.done.set_exception(outcome)
            else:
                one.done.set_result(outcome)
