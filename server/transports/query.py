"""Query parameters that more than one exit reads."""

from __future__ import annotations

from starlette.datastructures import QueryParams

from realtime.kanban.ids import BoardId

__all__ = ["board_of"]


def board_of(query: QueryParams) -> BoardId | None:
    """Return the board that is asked for; `boardId` wins over its alias `projectId`, the first of several counts.

    An empty string is a value, and no board's (contract §2, rule 1; §8, row 10).
    """
    for name in ("boardId", "projectId"):
        given = query.getlist(name)
        if given:
            return BoardId(given[0])
    return None
