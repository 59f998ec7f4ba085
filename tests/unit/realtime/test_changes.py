"""Changes of a board, compared with a simple model of lists; objects that they do not touch; their form in the log."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.kanban.changes import (
    BoardChange,
    CardCreated,
    CardDeleted,
    CardMoved,
    CardUpdated,
    StateReplaced,
    apply,
    apply_all,
    changes_from_json,
    changes_to_json,
    displaced,
)
from realtime.kanban.ids import BoardId, CardId, ColumnId
from realtime.kanban.models import BoardState, Card, Column, GithubIssue, TicketType
from realtime.kanban.wire.board_wire import state_json
from tests.kit.nodes import START

COLUMNS = ("a", "b", "c")
EMPTY = apply(BoardState(), StateReplaced(tuple(Column(ColumnId(id), id.upper()) for id in COLUMNS), ()))


def card(id: str, column: str = "a", at: datetime = START) -> Card:
    """Make a card."""
    return Card(CardId(id), BoardId("p1"), ColumnId(column), f"card {id}", at, at)


@dataclass
class _Model:
    """Lists of ids by column, and the cards whose place changed last."""

    columns: dict[str, list[str]] = field(default_factory=lambda: {id: [] for id in COLUMNS})
    renewed: dict[str, datetime] = field(default_factory=dict)

    def places(self) -> dict[str, tuple[str, int]]:
        return {id: (column, n) for column, ids in self.columns.items() for n, id in enumerate(ids)}

    def change(self, at: datetime, column: str, id: str, index: int) -> None:
        """Move the card, and give a new time to every card whose index or column changes."""
        before = self.places()
        for ids in self.columns.values():
            if id in ids:
                ids.remove(id)
        if index >= 0:
            self.columns[column].insert(index, id)
        after = self.places()
        self.renewed |= {one: at for one in after if before.get(one) != after[one]}
        self.renewed = {one: time for one, time in self.renewed.items() if one in after}


_STEPS = st.lists(st.tuples(st.sampled_from("cmud"), *[st.integers(0, 9)] * 3), max_size=40)


def _change(state: BoardState, model: _Model, step: tuple[str, int, int, int], n: int) -> BoardChange | None:
    """Return a change for the step and apply the same change to the model."""
    kind, a, b, index = step
    at, places, column = START + timedelta(seconds=n), model.places(), COLUMNS[b % 3]
    if kind == "c":
        id = f"k{n}"
        end = len(model.columns[column])
        model.change(at, column, id, end)
        return CardCreated(card(id, column, at), end)
    if not places:
        return None
    id = list(places)[a % len(places)]
    home, place = places[id]
    if kind == "u":
        model.renewed[id] = at
        changed = replace(state.cards[CardId(id)], title=f"title {n}", updated_at=at)
        return CardUpdated(changed, ("title", "updated_at"))
    if kind == "d":
        model.change(at, home, id, -1)
        return CardDeleted(CardId(id), ColumnId(home), place, at)
    target = min(index, len([one for one in model.columns[column] if one != id]))
    if (home, place) == (column, target):
        return None
    model.change(at, column, id, target)
    return CardMoved(CardId(id), ColumnId(home), place, ColumnId(column), target, at)


@given(_STEPS)
def test_changes_do_what_they_do_to_plain_lists(steps: list[tuple[str, int, int, int]]) -> None:
    state, model, made = EMPTY, _Model(), list[BoardChange]()
    for n, step in enumerate(steps):
        change = _change(state, model, step, n)
        if change is None:
            continue
        before = (dict(state.columns), dict(state.cards))
        following = apply(state, change)
        assert (dict(state.columns), dict(state.cards)) == before, "a state was changed"
        state = following
        made.append(change)
        assert {id: list(column.card_ids) for id, column in state.columns.items()} == model.columns
        assert {id: card.updated_at for id, card in state.cards.items()} == model.renewed
        assert {id: card.column_id for id, card in state.cards.items()} == {
            id: column for id, (column, _) in model.places().items()
        }
    assert apply_all(EMPTY, changes_from_json(changes_to_json(tuple(made)))) == state
    assert list(state.columns) == list(COLUMNS)
    assert list(state.cards) == sorted(state.cards, key=lambda id: int(id[1:]))


def _places(state: BoardState) -> dict[str, tuple[str, int]]:
    columns = state.columns.values()
    return {card_id: (column.id, n) for column in columns for n, card_id in enumerate(column.card_ids)}


def test_displaced_are_exactly_the_cards_at_another_place() -> None:
    cards = {one.id: one for column in "ab" for one in (card(f"{column}{n}", column) for n in range(4))}
    columns = [Column(ColumnId(id), id, tuple(one for one in cards if one[0] == id)) for id in "ab"]
    before = BoardState({column.id: column for column in columns}, cards)
    moves = [
        CardMoved(CardId(f"a{n}"), ColumnId("a"), n, ColumnId("a"), to, START) for n in range(4) for to in range(4)
    ]
    moves += [
        CardMoved(CardId(f"a{n}"), ColumnId("a"), n, ColumnId("b"), to, START) for n in range(4) for to in range(5)
    ]
    deletions = [CardDeleted(CardId(f"a{n}"), ColumnId("a"), n, START) for n in range(4)]
    made: list[CardMoved | CardDeleted] = [*filter(_leads_elsewhere, moves), *deletions]
    for change in made:
        after = _places(apply(before, change))
        gone_elsewhere = {id for id, place in _places(before).items() if id in after and after[id] != place}
        assert sorted(displaced(before, change)) == sorted(gone_elsewhere)


def _leads_elsewhere(move: CardMoved) -> bool:
    return (move.from_column_id, move.from_index) != (move.to_column_id, move.index)


FULL = Card(
    CardId("k"),
    BoardId("p1"),
    ColumnId("a"),
    'Tïtle "quoted" 🚀\n\x00',
    START,
    START + timedelta(milliseconds=1),
    ticket_key="AB-1",
    pr_url="https://h/1",
    disable_auto_close_on_pr_merge=True,
    ticket_type=TicketType.PERF,
    is_enhanced=True,
    github_issue=GithubIssue(7, "https://h/7"),
    description="",
    depends_on=(CardId("x"), CardId("y")),
)


@pytest.mark.parametrize(
    "change",
    [
        CardCreated(FULL, 3),
        CardCreated(card("k"), 0),
        CardUpdated(FULL, ("title", "depends_on")),
        CardMoved(CardId("k"), ColumnId("a"), 1, ColumnId("b"), 2, START),
        CardDeleted(CardId("k"), ColumnId("a"), 4, START),
        StateReplaced((Column(ColumnId("a"), "A", (CardId("k"),)),), (FULL,)),
        StateReplaced((), ()),
    ],
    ids=lambda change: change.type,
)
def test_change_reads_back_from_the_log_as_it_was(change: BoardChange) -> None:
    (read,) = changes_from_json(changes_to_json((change,)))
    assert read == change
    assert type(read) is type(change)


def test_change_in_the_log_of_an_earlier_release_reads_back() -> None:
    """Before 0.2.0 pydantic encoded changes; its times end with "Z"."""
    (read,) = changes_from_json(
        b'[{"card_id":"k","column_id":"a","index":4,"updated_at":"2026-01-02T03:04:05Z","type":"card_deleted"}]'
    )
    assert read == CardDeleted(CardId("k"), ColumnId("a"), 4, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))


def test_what_a_card_caches_stays_out_of_the_log() -> None:
    _encoded(FULL)
    FULL.renewed(START)
    text = changes_to_json((CardUpdated(FULL, ("title",)),)).decode()
    assert set(orjson.loads(text)[0]["card"]) == {one.name for one in fields(Card)}


def _encoded(one: Card) -> bytes:
    return state_json(BoardState({one.column_id: Column(one.column_id, "A", (one.id,))}, {one.id: one}))


def test_card_that_was_encoded_before_goes_into_the_log_like_any_other() -> None:
    encoded = replace(FULL)
    _encoded(encoded)
    assert changes_to_json((CardUpdated(encoded, ()),)) == changes_to_json((CardUpdated(FULL, ()),))


def test_renewed_card_is_the_same_but_for_its_time() -> None:
    encoded = replace(FULL)
    assert b"05.679Z" in _encoded(encoded)
    renewed = encoded.renewed(START)
    assert renewed == replace(FULL, updated_at=START)
    twice = renewed.renewed(START + timedelta(days=1)).renewed(START)
    assert changes_to_json((CardUpdated(twice, ()),)) == changes_to_json((CardUpdated(renewed, ()),))
    assert _encoded(renewed) == _encoded(replace(FULL, updated_at=START)) != _encoded(encoded)
    assert _encoded(twice) == _encoded(renewed)


@pytest.mark.parametrize(
    "change",
    [
        CardCreated(card("k", "nowhere"), 0),
        CardMoved(CardId("nobody"), ColumnId("a"), 0, ColumnId("b"), 0, START),
        CardDeleted(CardId("nobody"), ColumnId("nowhere"), 0, START),
    ],
    ids=lambda change: change.type,
)
def test_change_of_another_board_is_a_fault(change: BoardChange) -> None:
    with pytest.raises(KeyError):
        apply(EMPTY, change)
