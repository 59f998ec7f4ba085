"""What a board costs that has more cards than its type is taken to have (docs/graphql.md, "Cost").

The cost that is told before execution takes a board to have 200 cards. A board may have 10,000, and what is asked of
each is executed without a pause; so the fields below a board are counted again when its cards are known.
"""

from __future__ import annotations

from realtime.errors import Refused
from realtime.kanban.models import BoardState
from schema.execution.context import Info

__all__ = ["CARDS", "TIMES", "CostExceeded", "check_size"]

#: As `@listSize` has it.
CARDS = 200
#: How much dearer than the limit a board may be: large ones are to be read, too, if by plain fields.
TIMES = 10


class CostExceeded(Refused):
    """What is asked of this many rows costs more than the limit."""

    code = "cost_exceeded"

    def __init__(self, message: str, cost: int, most: int) -> None:
        """Keep both numbers."""
        super().__init__(message)
        self.extensions = {"cost": cost, "maxCost": most}


def check_size(info: Info, state: BoardState) -> None:
    """Refuse to execute the fields below `info`'s field, a board's, for more cards than can be borne.

    Raises:
        CostExceeded: what is below it costs too much.
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
