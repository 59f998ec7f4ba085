"""Checks the cost of a board with more cards than its type is assumed to have (docs/graphql.md, "Cost").

The cost before the execution assumes 200 cards for a board. A board may have 10,000, and the fields of each card are
executed without a pause. So the cost of the fields below a board is computed again when the number of cards is known.
"""

from __future__ import annotations

from realtime.errors import Refused
from realtime.kanban.models import BoardState
from schema.execution.context import Info

__all__ = ["CARDS", "TIMES", "CostExceeded", "check_size"]

#: Number of cards that `@listSize` assumes.
CARDS = 200
#: A board may cost so many times the limit, so that clients can read the plain fields of large boards too.
TIMES = 10


class CostExceeded(Refused):
    """The fields of this many rows cost more than the limit."""

    code = "cost_exceeded"

    def __init__(self, message: str, cost: int, most: int) -> None:
        """Store the message and both numbers."""
        super().__init__(message)
        self.extensions = {"cost": cost, "maxCost": most}


def check_size(info: Info, state: BoardState) -> None:
    """Refuse to execute the fields below the field of `info`, which returns a board, if they cost too much.

    Raises:
        CostExceeded: the fields below it cost too much for the number of cards.
    """
    count = len(state.cards)
    if count <= CARDS:
        return
    known = info.context.costs_of_boards
    cost = sum(known.get(id(node), 0) for node in info._raw_info.field_nodes) * count // CARDS  # noqa: SLF001
    most = info.context.limits.max_cost * TIMES
    if cost > most:
        expected = f"expected fields of this board, which has {count} cards, that cost at most {most}"
        raise CostExceeded(f"{expected}, got {cost}; ask for fewer", cost, most)
