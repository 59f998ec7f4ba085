"""Two states from outside: their few changes turn one into exactly the other."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.kanban import changes
from realtime.kanban.changes import StateReplaced, apply_all
from realtime.kanban.ids import BoardId, CardId, ColumnId
from realtime.kanban.models import BoardState, Card, Column
from realtime.kanban.wire.differences import as_differences, differences
from tests.kit.nodes import START
from tests.unit.realtime.states import states


def state(title: str = "t", **columns: str) -> BoardState:
    """Make a state with a card for each letter of a column."""
    cards = [
        Card(CardId(id), BoardId("p1"), ColumnId(column), title, START, START)
        for column, ids in columns.items()
        for id in ids
    ]
    made = [Column(ColumnId(id), id.upper(), tuple(map(CardId, ids))) for id, ids in columns.items()]
    return BoardState({one.id: one for one in made}, {one.id: one for one in cards})


@given(states(), states())
def test_differences_fold_one_state_into_exactly_the_other(old: BoardState, new: BoardState) -> None:
    made = differences(old, new)
    folded = apply_all(old, made)
    assert folded == new
    assert list(folded.columns) == list(new.columns)
    assert [one for one in made if isinstance(one, changes.CardMoved) and _leads_nowhere(one)] == []
    assert differences(new, new) == ()


def _leads_nowhere(move: changes.CardMoved) -> bool:
    return (move.from_column_id, move.from_index) == (move.to_column_id, move.index)


@given(st.permutations("abcdefg"), st.permutations("abcdefg"))
def test_cards_in_another_order_take_the_fewest_moves(old: list[str], new: list[str]) -> None:
    made = differences(state(x="".join(old)), state(x="".join(new)))
    places = [old.index(id) for id in new]
    staying = max(n for n in range(8) for some in combinations(places, n) if list(some) == sorted(some))
    assert [one.type for one in made] == ["card_moved"] * (7 - staying)


@pytest.mark.parametrize(
    ("old", "new", "made"),
    [
        (state(x="abc"), state(x="abc"), []),
        (state(x="abc"), state(x="ac"), ["card_deleted"]),
        (state(x="abc"), state(x="adbc"), ["card_created"]),
        (state(x="abc", y=""), state(x="ac", y="b"), ["card_moved"]),
        (state(x="a"), state(x="a", y=""), ["columns_changed"]),
        (state(x="a", y=""), state(y="", x="a"), ["columns_changed"]),
        (state(x="a", y="b"), state(x="a"), ["card_deleted", "columns_changed"]),
        (state(x="a", y="b"), state(x="ab"), ["card_moved", "columns_changed"]),
        (state(x="a", y="b"), state(z="ab"), ["columns_changed", "card_moved", "card_moved", "columns_changed"]),
        (state(x="ab"), state("new", x="ab"), ["card_updated", "card_updated"]),
        (state(), state(x="a"), ["columns_changed", "card_created"]),
        (state(x="a"), state(), ["card_deleted", "columns_changed"]),
    ],
)
def test_differences_are_what_somebody_would_say(old: BoardState, new: BoardState, made: list[str]) -> None:
    assert [one.type for one in differences(old, new)] == made


def test_edited_card_in_a_large_state_is_one_update() -> None:
    cards = [Card(CardId(f"{n}"), BoardId("p1"), ColumnId("x"), "t", START, START) for n in range(2000)]
    column = Column(ColumnId("x"), "X", tuple(one.id for one in cards))
    old = BoardState({column.id: column}, {one.id: one for one in cards})
    edited = replace(cards[1000], title="new", description="d")
    new = BoardState({column.id: column}, {one.id: replace(one) for one in (*cards[:1000], edited, *cards[1001:])})
    assert differences(old, new) == (changes.CardUpdated(edited, ("title", "description")),)


def test_moves_between_states_from_outside_renew_no_time() -> None:
    made = differences(state(x="ab", y="c"), state(x="b", y="a"))
    assert [one.updated_at for one in made if isinstance(one, changes.CardMoved | changes.CardDeleted)] == [None, None]


@given(states(), states())
def test_replaced_state_is_sent_as_its_differences(old: BoardState, new: BoardState) -> None:
    replaced = StateReplaced(tuple(new.columns.values()), tuple(new.cards.values()))
    assert tuple(change for _, change in as_differences(old, (replaced,))) == differences(old, new)


def test_change_after_a_change_has_the_state_between() -> None:
    old = state(x="abc")
    made = (
        changes.CardUpdated(replace(old.cards[CardId("b")], title="new"), ("title",)),
        changes.CardDeleted(CardId("a"), ColumnId("x"), 0, START),
    )
    first, second = as_differences(old, made)
    assert first == (old, made[0])
    assert second == (apply_all(old, made[:1]), made[1])
