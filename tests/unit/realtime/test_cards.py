"""Cards whose times are computed on access, compared with states whose cards get their times at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.kanban.cards import Cards
from realtime.kanban.changes import CardCreated, CardDeleted, CardMoved, CardUpdated, Difference, apply, displaced
from realtime.kanban.ids import CardId
from realtime.kanban.models import BoardState, Card
from realtime.kanban.wire.board_wire import state_json
from realtime.kanban.wire.canonical import canonical_state
from tests.kit.nodes import START
from tests.unit.realtime.states import changes_of, states
from tests.unit.realtime.test_changes import card

#: Before each change, and after the last one, the test may read an existing state in one of these ways.
_LOOKS = ("nothing", "one", "all", "json", "hash")


def _eager(before: BoardState, after: BoardState, change: Difference) -> BoardState:
    """Return `after` with new cards, computed from those of `before` by the rules of `CardMoved`."""
    cards = {id: one for id, one in before.cards.items() if id in after.cards}
    if isinstance(change, CardCreated | CardUpdated):
        cards[change.card.id] = change.card
    if isinstance(change, CardMoved):
        cards[change.card_id] = replace(cards[change.card_id], column_id=change.to_column_id)
    if isinstance(change, CardMoved | CardDeleted) and change.updated_at is not None:
        for id in displaced(before, change):
            cards[id] = replace(cards[id], updated_at=change.updated_at)
    return BoardState(after.columns, cards)


def _look(state: BoardState, how: str) -> None:
    match how:
        case "one":
            for id in list(state.cards)[:1]:
                assert state.cards[id] is state.cards[id]
        case "all":
            assert [one.id for one in state.cards.values()] == list(state.cards)
        case "json":
            state_json(state)
        case "hash":
            canonical_state(state)


@given(states().filter(lambda state: state.columns), st.data())
def test_states_are_those_in_which_each_card_has_its_time_at_once(first: BoardState, data: st.DataObject) -> None:
    lazy, eager = [first], [first]
    for n in range(data.draw(st.integers(1, 8))):
        _look(data.draw(st.sampled_from(lazy)), data.draw(st.sampled_from(_LOOKS)))
        change = data.draw(changes_of(eager[-1], n))
        lazy.append(apply(lazy[-1], change))
        eager.append(_eager(eager[-1], lazy[-1], change))
    for mine, other in zip(lazy, eager, strict=True):
        fresh = BoardState(other.columns, {id: replace(one) for id, one in other.cards.items()})
        assert state_json(mine) == state_json(fresh)
        assert canonical_state(mine) == canonical_state(fresh)
        assert list(mine.cards) == list(fresh.cards)
        assert mine == fresh


_AT = START + timedelta(days=1)


def _abc() -> Cards:
    return Cards({one.id: one for one in map(card, "abc")})


def test_card_whose_time_is_new_is_made_once_and_taken_over_by_what_follows() -> None:
    cards = _abc()
    renewed = cards.renew([CardId("a"), CardId("b")], _AT)
    a = renewed[CardId("a")]
    assert (a, renewed.updated_at(CardId("b"))) == (replace(card("a"), updated_at=_AT), _AT)
    assert renewed[CardId("a")] is renewed.put(card("d"))[CardId("a")] is a
    assert cards == {one.id: one for one in map(card, "abc")}


def test_card_that_was_put_has_its_own_time() -> None:
    renewed = _abc().renew([CardId("a")], _AT)
    assert renewed.put(card("a"))[CardId("a")].updated_at == START
    assert renewed.remove(CardId("a")).put(card("a"))[CardId("a")].updated_at == START


def test_cards_are_a_mapping_like_any_other() -> None:
    cards = _abc().renew([CardId("c")], _AT)
    plain: Mapping[CardId, Card] = {**_abc(), CardId("c"): replace(card("c"), updated_at=_AT)}
    assert cards == plain
    assert (len(cards), "b" in cards, "x" in cards) == (3, True, False)
    assert (dict(cards), list(cards.values()), list(cards.items())) == (plain, [*plain.values()], [*plain.items()])
    assert str(plain) in repr(cards)
    assert Cards.of(cards) is cards
    with pytest.raises(KeyError):
        cards.remove(CardId("x"))
    with pytest.raises(KeyError):
        cards[CardId("x")]
