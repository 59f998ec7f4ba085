"""Random board states in plain JSON: states from outside, their changes, and a client's copy."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
from hypothesis import strategies as st

from realtime.kanban.changes import CardCreated, CardDeleted, CardMoved, CardUpdated
from realtime.kanban.ids import BoardId, CardId, ColumnId
from realtime.kanban.models import BoardState, Card, Column, GithubIssue, TicketType
from realtime.kanban.wire.board_wire import state_json
from tests.kit.nodes import START

__all__ = ["IDS", "changes_of", "on_the_wire", "states"]

#: Some need escapes in JSON Pointer, and some sort differently in UTF-16 and by code points.
IDS = ("a", "b", "c", "d", "e", "~1/x", "m~n", "", "\ue000", "\U0001f600", "card 10", "card 9")
_TEXTS = st.sampled_from(["t", "", '\x00\x1f\x7f\b"\\', "é\u2028\U0001f600", "</script>"])
_TIMES = st.integers(0, 3).map(lambda n: START + timedelta(milliseconds=n))


def _cards(card_id: str, column_id: str) -> st.SearchStrategy[Card]:
    issue = st.builds(GithubIssue, st.sampled_from([0, 7, 2**53 - 1, 2**53 + 1, 2**63 - 1]), _TEXTS)
    return st.builds(
        Card,
        *map(st.just, (CardId(card_id), BoardId("p1"), ColumnId(column_id))),
        title=_TEXTS,
        created_at=_TIMES,
        updated_at=_TIMES,
        ticket_key=st.none() | _TEXTS,
        pr_url=st.none() | _TEXTS,
        disable_auto_close_on_pr_merge=st.booleans(),
        ticket_type=st.none() | st.sampled_from(TicketType),
        is_enhanced=st.booleans(),
        github_issue=st.none() | issue,
        description=st.none() | _TEXTS,
        depends_on=st.lists(st.sampled_from(IDS).map(CardId), max_size=2).map(tuple),
    )


@st.composite
def states(draw: st.DrawFn) -> BoardState:
    """Draw a state: some of the columns and cards of `IDS`, in any order."""
    columns = draw(st.lists(st.sampled_from(IDS), unique=True, max_size=4))
    on_board = draw(st.lists(st.sampled_from(IDS), unique=True)) if columns else []
    homes = {card_id: draw(st.sampled_from(columns)) for card_id in on_board}
    made = [
        Column(ColumnId(id), draw(_TEXTS), tuple(CardId(card) for card, home in homes.items() if home == id))
        for id in columns
    ]
    cards = [draw(_cards(card_id, home)) for card_id, home in homes.items()]
    return BoardState({column.id: column for column in made}, {card.id: card for card in cards})


@st.composite
def changes_of(draw: st.DrawFn, state: BoardState, n: int) -> CardCreated | CardUpdated | CardMoved | CardDeleted:
    """Draw a change of a state that has columns. It is the `n`th change of the state."""
    # Times may repeat or go back, because the sender of an event sets its time.
    at = draw(st.none() | st.integers(0, 3).map(lambda ms: START + timedelta(milliseconds=ms)))
    column = draw(st.sampled_from(list(state.columns.values())))
    if not state.cards or draw(st.integers(0, 5)) == 0:
        return CardCreated(draw(_cards(f"new {n}", column.id)), draw(st.integers(0, len(column.card_ids))))
    chosen = draw(st.sampled_from(list(state.cards)))
    home = next(one for one in state.columns.values() if chosen in one.card_ids)
    kind, place = draw(st.sampled_from("mmmud")), home.card_ids.index(chosen)
    if kind == "u":
        changed = replace(state.cards[chosen], title=f"title {n}")
        return CardUpdated(changed if at is None else replace(changed, updated_at=at), ("title",))
    if kind == "d":
        return CardDeleted(chosen, home.id, place, at)
    others = [one for one in column.card_ids if one != chosen]
    return CardMoved(chosen, home.id, place, column.id, draw(st.integers(0, len(others))), at)


def on_the_wire(state: BoardState) -> Any:
    """Return a state as a client gets it."""
    return orjson.loads(state_json(state))
