"""The cost of a query about a board with many cards counts its actual cards."""

from __future__ import annotations

import pytest

from schema.execution.real_size import CARDS
from schema.operation_limits import OperationLimits
from tests.kit.nodes import BOARD, create_board, publish
from tests.kit.publishing import event
from tests.unit.schema.caller import Caller

_CARDS = 12 * CARDS
_LIMITS = OperationLimits(max_cost=5000)
_AT = "2025-01-01T00:00:00.000Z"
_BELOW = {"board": '{ board(boardId: "%s") { %s } }', "project": '{ project(projectId: "%s") { board { %s } } }'}
#: Costs 4,401 with the assumed size, and twelve times that with the actual cards.
_DEAR = "cards { id attempts { nodes { id } } }"


@pytest.fixture
async def large(caller: Caller) -> Caller:
    """Add more cards than the assumed size to the board."""
    cards = {f"k{n}": {"id": f"k{n}", "title": "t", "createdAt": _AT, "updatedAt": _AT} for n in range(_CARDS)}
    columns = {"c": {"id": "c", "title": "C", "cardIds": list(cards)}}
    await create_board(caller.node)
    state = {"columns": columns, "columnOrder": ["c"], "cards": cards}
    await publish(caller.node, event("board.state.changed", {"boardId": BOARD, "state": state}))
    return Caller(caller.schema, caller.node, _LIMITS)


@pytest.mark.parametrize("below", _BELOW)
async def test_dear_fields_of_a_large_board_are_refused_with_both_numbers(below: str, large: Caller) -> None:
    message, extensions = await large.refused(_BELOW[below] % (BOARD, _DEAR))
    assert message.startswith(f"expected fields of this board, which has {_CARDS} cards, that cost at most 50000")
    assert extensions == {"code": "COST_EXCEEDED", "cost": 12 * 4601, "maxCost": 50_000}


@pytest.mark.parametrize("below", _BELOW)
async def test_plain_fields_of_a_large_board_are_answered(below: str, large: Caller) -> None:
    found = await large.run(_BELOW[below] % (BOARD, "cards { id title }"))
    assert len(found.get("board", found)["cards"]) == _CARDS
