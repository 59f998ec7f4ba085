"""Query parameters that more than one exit reads."""

from __future__ import annotations

from starlette.datastructures import QueryParams

from realtime.errors import FieldError
from realtime.kanban.ids import BoardId
from realtime.position import InvalidCursor, parse_cursor
from server.problem import Problem

__all__ = ["after_of", "board_of", "first_values", "required_board"]


def board_of(query: QueryParams) -> BoardId | None:
    """Return the board that is asked for; `boardId` wins over its alias `projectId`, the first of several counts.

    An empty string is a value, and no board's (contract §2, rule 1; §8, row 10).
    """
    given = first_values(query)
    board_id = given.get("boardId", given.get("projectId"))
    return None if board_id is None else BoardId(board_id)


def required_board(query: QueryParams) -> BoardId:
    """Return the board that is asked for.

    Raises:
        Problem: 400, none is, or an empty one.
    """
    board_id = board_of(query)
    if not board_id:
        raise Problem(400, "Missing boardId")
    return board_id


def after_of(query: QueryParams) -> str | None:
    """Return the cursor of `?after=`, None when there is none.

    Raises:
        Problem: 400, it is no cursor (contract §8, row 23).
    """
    cursor = first_values(query).get("after")
    if cursor is not None:
        try:
            parse_cursor(cursor)
        except InvalidCursor as error:
            raise Problem(400, str(error), errors=[FieldError("after", str(error))]) from error
    return cursor


def first_values(query: QueryParams) -> dict[str, str]:
    """Return the first value of each parameter, as the original did (Starlette itself gives the last)."""
    return {name: query.getlist(name)[0] for name in query}
