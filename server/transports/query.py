"""Query parameters that more than one exit reads."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.datastructures import QueryParams

from realtime.errors import FieldError
from realtime.kanban.ids import BoardId
from realtime.messages.options import Delivery, SlowPolicy, StreamOptions
from realtime.messages.position import InvalidCursor, parse_cursor
from realtime.node import Limits, PolicyNotAllowed
from server.problem import Problem

__all__ = ["BOARD_ID", "Parameter", "board_of", "dashboard_options_of", "first_values", "options_of", "required_board"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter; docs/rest.md shows those of the REST calls."""

    name: str
    #: A sentence for the page.
    meaning: str


BOARD_ID = Parameter("boardId", "The board of the attempt. It is needed if several boards use the id.")


def board_of(query: QueryParams) -> BoardId | None:
    """Return the board in the query; `boardId` overrides its alias `projectId`, and the first of several values counts.

    An empty string is a value, but no board has it (docs/protocol.md, "Addresses"; docs/departures.md, row 10).
    """
    given = first_values(query)
    board_id = given.get(BOARD_ID.name, given.get("projectId"))
    return None if board_id is None else BoardId(board_id)


def required_board(query: QueryParams) -> BoardId:
    """Return the board in the query.

    Raises:
        Problem: 400, the query has no board, or an empty one.
    """
    board_id = board_of(query)
    if not board_id:
        raise Problem(400, "Missing boardId")
    return board_id


def options_of(query: QueryParams, limits: Limits, last_event_id: str | None = None) -> StreamOptions:
    """Return the options in the query of a raw stream.

    `last_event_id` is the header of an EventSource that reconnects. It overrides an older cursor in the address.

    Raises:
        Problem: 400, `?after=` is no cursor (docs/departures.md, row 23), `?delivery=` is unknown, or `limits` does not
            allow `?slow=`.
    """
    given = first_values(query)
    return StreamOptions(
        after=last_event_id or _after(given.get("after")),
        delivery=_delivery(given.get("delivery", Delivery.STATE), *Delivery),
        slow=_slow(given.get("slow"), limits),
    )


def dashboard_options_of(query: QueryParams, limits: Limits, last_event_id: str | None = None) -> StreamOptions:
    """Return the options in the query of the dashboard's raw stream, which has only one delivery.

    Raises:
        Problem: as `options_of`.
    """
    _delivery(first_values(query).get("delivery", Delivery.STATE), Delivery.STATE)
    return options_of(query, limits, last_event_id)


def first_values(query: QueryParams) -> dict[str, str]:
    """Return the first value of each parameter, as the original did; Starlette itself returns the last."""
    # One pass over all parameters; `getlist` would need a pass for each name.
    return dict(reversed(query.multi_items()))


def _delivery(name: str, *expected: Delivery) -> Delivery:
    if name not in expected:
        message = f"expected {' or '.join(expected)}, got {name!r:.80}"
        raise Problem(400, message, errors=[FieldError("delivery", message)])
    return Delivery(name)


def _after(cursor: str | None) -> str | None:
    if cursor is not None:
        try:
            parse_cursor(cursor)
        except InvalidCursor as error:
            raise Problem(400, str(error), errors=[FieldError("after", str(error))]) from error
    return cursor


def _slow(asked: str | None, limits: Limits) -> SlowPolicy:
    try:
        return limits.slow_policy(asked)
    except PolicyNotAllowed as refused:
        raise Problem(400, refused.message, errors=refused.fields) from refused
