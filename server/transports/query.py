"""Query parameters that more than one exit reads."""

from __future__ import annotations

from starlette.datastructures import QueryParams

from realtime.kanban.ids import BoardId

__all__ = ["board_of", "first_values"]


def board_of(query: QueryParams) -> BoardId | None:
    """Return the board that is asked for; `boardId` wins over its alias `projectId`, the first of several counts.

    An empty string is a value, and no board's (contract §2, rule 1; §8, row 10).
    """
    given = first_values(query)
    board_id = given.get("boardId", given.get("projectId"))
    return None if board_id is None else BoardId(board_id)


def first_values(query: QueryParams) -> dict[str, str]:
    """Return the first value of each parameter, as the original did (Starlette itself gives the last)."""
    return {name: query.getlist(name)[0] for name in query}
