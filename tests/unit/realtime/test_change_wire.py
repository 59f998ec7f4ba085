"""The payloads of `changes`: exact keys, sufficient for a client that keeps plain dictionaries."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest
from hypothesis import given

from realtime.kanban.changes import (
    CardCreated,
    CardDeleted,
    CardMoved,
    CardUpdated,
    ColumnsChanged,
    Difference,
    Heading,
)
from realtime.kanban.ids import CardId, ColumnId
from realtime.kanban.models import BoardState
from realtime.kanban.wire.board_wire import card_wire
from realtime.kanban.wire.differences import differences
from realtime.messages.payloads import of_change
from realtime.messages.timeline import Run, Timeline
from tests.kit.board_copy import BoardCopy
from tests.kit.nodes import START
from tests.unit.realtime.states import on_the_wire, states
from tests.unit.realtime.test_changes import FULL

AT = "2025-01-02T03:04:05.678Z"
_BARE = replace(FULL, description=None, depends_on=(), is_enhanced=False, updated_at=START)
_X, _Y = ColumnId("x"), ColumnId("y")
CASES: list[tuple[Difference, dict[str, object]]] = [
    (CardCreated(FULL, 3), {"columnId": "a", "index": 3, "card": card_wire(FULL)}),
    (
        CardUpdated(_BARE, ("description", "depends_on", "is_enhanced", "updated_at")),
        {"cardId": "k", "set": {"isEnhanced": False, "updatedAt": AT}, "unset": ["description", "dependsOn"]},
    ),
    (CardUpdated(FULL, ("depends_on",)), {"cardId": "k", "set": {"dependsOn": ["x", "y"]}, "unset": []}),
    (
        CardMoved(CardId("k"), _X, 1, _Y, 2, START),
        {"cardId": "k", "fromColumnId": "x", "fromIndex": 1, "toColumnId": "y", "toIndex": 2, "updatedAt": AT},
    ),
    (
        CardMoved(CardId("k"), _X, 1, _X, 0, None),
        {"cardId": "k", "fromColumnId": "x", "fromIndex": 1, "toColumnId": "x", "toIndex": 0},
    ),
    (
        CardDeleted(CardId("k"), _X, 4, START),
        {"cardId": "k", "columnId": "x", "index": 4, "updatedAt": AT},
    ),
    (CardDeleted(CardId("k"), _X, 4, None), {"cardId": "k", "columnId": "x", "index": 4}),
    (ColumnsChanged((Heading(_X, "X"),), ()), {"columns": [{"id": "x", "title": "X"}]}),
]


@pytest.mark.parametrize(("change", "payload"), CASES, ids=lambda value: getattr(value, "type", ""))
def test_change_travels_with_exactly_these_keys(change: Difference, payload: dict[str, object]) -> None:
    assert orjson.loads(of_change(Run(BoardState()).add(change)).json()) == payload


@given(states(), states())
def test_client_folds_the_payloads_into_the_new_state(old: BoardState, new: BoardState) -> None:
    copy = BoardCopy()
    copy.apply("state", on_the_wire(old))
    for moment in Timeline().moments(old, new, differences(old, new)):
        made = of_change(moment)
        copy.apply(made.type, orjson.loads(made.json()))
    assert copy.state == on_the_wire(new)
