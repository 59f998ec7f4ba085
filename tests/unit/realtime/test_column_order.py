"""The rows of columns, compared with states: the same cards in the same order, with the same times."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from realtime.backends.sql.column_order import ColumnOrder, carry_out
from realtime.backends.sql.tables import instant, milliseconds
from realtime.kanban.changes import CardCreated, CardUpdated, apply
from realtime.kanban.ids import CardId, ColumnId
from realtime.kanban.models import BoardState
from tests.kit.nodes import START
from tests.unit.realtime.states import changes_of, states


def _read_again(columns: dict[ColumnId, ColumnOrder]) -> dict[ColumnId, ColumnOrder]:
    return {id: ColumnOrder.read(*places.written()) for id, places in columns.items()}


@given(states().filter(lambda state: state.columns), st.data())
def test_rows_say_what_folding_says(state: BoardState, data: st.DataObject) -> None:
    columns = {id: ColumnOrder.of(column.card_ids) for id, column in state.columns.items()}
    own = {id: card.updated_at for id, card in state.cards.items()}
    for n in range(data.draw(st.integers(1, 12))):
        change = data.draw(changes_of(state, n))
        state = apply(state, change)
        if isinstance(change, CardCreated | CardUpdated):
            own[change.card.id] = change.card.updated_at
        carry_out(change, columns)
        columns = _read_again(columns)
        assert {id: tuple(places.card_ids) for id, places in columns.items()} == {
            id: column.card_ids for id, column in state.columns.items()
        }
        times = {id: instant(at) for places in columns.values() for id, at in places.renewed()}
        assert {id: times.get(id, own[id]) for id in state.cards} == {
            id: card.updated_at for id, card in state.cards.items()
        }


def test_times_are_kept_in_runs_from_the_top() -> None:
    places = ColumnOrder.of(map(CardId, "abcdef"))
    assert places.written() == ('["a","b","c","d","e","f"]', "[]")
    places.renew(1, 4, 7)
    assert places.written()[1] == "[[1,null],[3,7]]"
    places.renew(0, 2, 9)
    places.forget(CardId("c"))
    assert places.written()[1] == "[[2,9],[1,null],[1,7]]"
    places.renew(0, 99, 5)
    assert places.written()[1] == "[[6,5]]"
    assert _read_again({ColumnId("x"): places}) == {ColumnId("x"): places}


def test_time_of_a_row_is_that_of_the_instant() -> None:
    assert instant(milliseconds(START)) == START
