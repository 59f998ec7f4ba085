"""Changes as JSON Patch, checked by `jsonpatch` and by the rules of RFC 6901 and 6902."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from jsonpatch import apply_patch

from realtime.kanban.changes import (
    BoardChange,
    CardDeleted,
    CardMoved,
    ColumnsChanged,
    Heading,
    StateReplaced,
    apply,
)
from realtime.kanban.ids import CardId, ColumnId
from realtime.kanban.models import BoardState
from realtime.kanban.wire.differences import as_differences
from realtime.kanban.wire.patch import Operation, operations
from tests.kit.nodes import START
from tests.unit.realtime.states import on_the_wire, states
from tests.unit.realtime.test_differences import state

LATER = START + timedelta(seconds=1)


def patch(before: BoardState, *made: BoardChange) -> list[Operation]:
    """Return the operations of an event that made these changes."""
    return [one for state, change in as_differences(before, made) for one in operations(state, change)]


@given(states(), states())
def test_patch_turns_one_state_into_the_other(old: BoardState, new: BoardState) -> None:
    replaced = StateReplaced(tuple(new.columns.values()), tuple(new.cards.values()))
    assert apply_patch(on_the_wire(old), patch(old, replaced)) == on_the_wire(new)


@given(st.data())
def test_patch_of_a_move_or_deletion_renews_what_it_displaces(data: st.DataObject) -> None:
    before = data.draw(states().filter(lambda one: one.cards))
    card = before.cards[data.draw(st.sampled_from(sorted(before.cards)))]
    column, index = card.column_id, before.columns[card.column_id].card_ids.index(card.id)
    target = before.columns[data.draw(st.sampled_from(sorted(before.columns)))]
    place = data.draw(st.integers(0, len([one for one in target.card_ids if one != card.id])))
    for change in (
        CardMoved(card.id, column, index, target.id, place, LATER),
        CardDeleted(card.id, column, index, LATER),
    ):
        assert apply_patch(on_the_wire(before), patch(before, change)) == on_the_wire(apply(before, change))


def test_ids_are_escaped_in_pointers() -> None:
    change = CardDeleted(CardId("~1/x"), ColumnId("a/b~"), 3, None)
    assert [one["path"] for one in operations(BoardState(), change)] == [
        "/columns/a~1b~0/cardIds/3",
        "/cards/~01~1x",
    ]


def test_columns_are_patched_one_by_one() -> None:
    a, b, c, renamed = (Heading(ColumnId(id), title) for id, title in ("aA", "bB", "cC", "bX"))
    assert list(operations(BoardState(), ColumnsChanged((c, renamed), (a, b)))) == [
        {"op": "remove", "path": "/columns/a"},
        {"op": "add", "path": "/columns/c", "value": {"id": "c", "title": "C", "cardIds": []}},
        {"op": "replace", "path": "/columns/b/title", "value": "X"},
        {"op": "replace", "path": "/columnOrder", "value": ["c", "b"]},
    ]


def test_move_that_renews_nothing_is_one_operation() -> None:
    before = state(x="abc", y="d")
    assert patch(before, CardMoved(CardId("a"), ColumnId("x"), 0, ColumnId("y"), 1, None)) == [
        {"op": "move", "from": "/columns/x/cardIds/0", "path": "/columns/y/cardIds/1"}
    ]
