"""The boards that a new token names must exist: an operator who mistypes an id learns it at once."""

from __future__ import annotations

from realtime.errors import FieldError, InvalidInput, quoted
from realtime.kanban.grants import EVERYTHING, Action, Grants
from realtime.kanban.ids import BoardId
from realtime.ports import BatchReader
from realtime.tokens.new_token import CreateToken

__all__ = ["check_boards"]


async def check_boards(command: CreateToken, boards: BatchReader, reader: Grants = EVERYTHING) -> None:
    """Return if each board that a token would be for is there, and the maker of the token may read it.

    A token that may publish can name a board that is not there yet: its bearer makes the board by `project.created`.

    Raises:
        InvalidInput: some are not; the error names the place of each.
        StoreUnavailable: the store did not answer.
    """
    grants = command.grants
    if grants.boards is None or Action.PUBLISH in grants.actions:
        return
    known = await boards.projects_by_id([one for one in grants.boards if reader.allow(Action.READ, one)])
    unknown = [
        FieldError(f"boards.{place}", f"expected the id of a board, or *, got {quoted(id)}")
        for place, id in enumerate(command.boards)
        if BoardId(id) not in known
    ]
    if unknown:
        raise InvalidInput(*unknown)
