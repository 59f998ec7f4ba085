"""The rows of columns, compared with states: the same cards in the same order, with the same times."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from realtime.backends.sql.column_order import read_order, written_order
from realtime.backends.sql.tables import instant, milliseconds
from realtime.kanban.cards import Cards
from realtime.kanban.changes import CardCreated, CardMoved, CardUpdated, apply
from realtime.kanban.ids import CardId
from realtime.kanban.models import BoardState
from tests.kit.nodes import START
from tests.unit.realtime.states import changes_of, states


@given(states().filter(lambda state: state.columns), st.data())
def test_rows_say_what_folding_says(state: BoardState, data: st.DataObject) -> None:
    own = {id: card.updated_at for id, card in state.cards.items()}
    for n in range(data.draw(st.integers(1, 12))):
        change = data.draw(changes_of(state, n))
        state = apply(state, change)
        if isinstance(change, CardCreated | CardUpdated):
            own[change.card.id] = change.card.updated_at
        if isinstance(change, CardMoved) and change.updated_at is None:
            own[change.card_id] = state.cards[change.card_id].updated_at
        if data.draw(st.booleans()):
            list(state.cards.values())  # makes the displaced cards; their own rows are as old as before
        times = Cards.of(state.cards).times
        read = {id: read_order(*written_order(column.card_ids, times)) for id, column in state.columns.items()}
        assert {id: tuple(listed) for id, (listed, _) in read.items()} == {
            id: column.card_ids for id, column in state.columns.items()
        }
        renewed = {id: at for _, displaced in read.values() for id, at in displaced.items()}
        assert {id: renewed.get(id, own[id]) for id in state.cards} == {
            id: card.updated_at for id, card in state.cards.items()
        }


def test_times_are_stored_in_runs_from_the_top() -> None:
    ids, at, later = tuple(map(CardId, "abcdef")), instant(7), instant(9)
    assert written_order(ids, {}) == ('["a","b","c","d","e","f"]', "[]")
    assert written_order(ids, dict.fromkeys(ids[1:4], at))[1] == "[[1,null],[3,7]]"
    mixed = {**dict.fromkeys(ids[:2], later), ids[3]: at}
    assert written_order(ids, mixed)[1] == "[[2,9],[1,null],[1,7]]"
    assert written_order(ids, dict.fromkeys(ids, at))[1] == "[[6,7]]"
    assert read_order(*written_order(ids, mixed)) == (list(ids), mixed)


def test_time_of_a_row_is_that_of_the_instant() -> None:
    assert instant(milliseconds(START)) == START
