"""The exact bytes of cards, states and projects."""

from __future__ import annotations

from dataclasses import replace

import orjson

from realtime.kanban.changes import CardMoved, apply
from realtime.kanban.ids import BoardId, CardId, ColumnId
from realtime.kanban.models import BoardState, Card, Column, GithubIssue, Project, TicketType
from realtime.kanban.wire.board_wire import card_wire, project_wire, state_json
from tests.kit.nodes import START

BARE = Card(CardId("k"), BoardId("p1"), ColumnId("c"), "T", START, START)
FULL = Card(
    CardId("k"),
    BoardId("p1"),
    ColumnId("c"),
    'ü🚀 "q" \n\x00/',
    START,
    START,
    ticket_key="AB-1",
    pr_url="https://h/1",
    disable_auto_close_on_pr_merge=True,
    ticket_type=TicketType.FEAT,
    is_enhanced=True,
    github_issue=GithubIssue(7, "https://h/7"),
    description="",
    depends_on=(CardId("x"), CardId("y")),
)


def test_bare_card_leaves_out_what_has_no_value() -> None:
    assert orjson.dumps(card_wire(BARE)) == (
        b'{"id":"k","disableAutoCloseOnPRMerge":false,"ticketType":null,"isEnhanced":false,"title":"T",'
        b'"createdAt":"2025-01-02T03:04:05.678Z","updatedAt":"2025-01-02T03:04:05.678Z"}'
    )


def test_full_card_has_its_keys_in_the_order_of_the_contract() -> None:
    assert orjson.dumps(card_wire(FULL)).decode() == (
        '{"id":"k","ticketKey":"AB-1","prUrl":"https://h/1","disableAutoCloseOnPRMerge":true,"ticketType":"feat",'
        '"isEnhanced":true,"githubIssue":{"issueNumber":7,"url":"https://h/7"},"title":"ü🚀 \\"q\\" \\n\\u0000/",'
        '"description":"","dependsOn":["x","y"],'
        '"createdAt":"2025-01-02T03:04:05.678Z","updatedAt":"2025-01-02T03:04:05.678Z"}'
    )


def _alone(card: Card) -> BoardState:
    return BoardState({card.column_id: Column(card.column_id, "C", (card.id,))}, {card.id: card})


def test_cached_bytes_of_a_card_are_no_part_of_it_nor_of_its_successor() -> None:
    card = replace(FULL)
    for _ in range(2):
        assert state_json(_alone(card)).endswith(b'"cards":{"k":%b}}' % orjson.dumps(card_wire(card)))
    changed = replace(card, title="other")
    assert orjson.loads(state_json(_alone(changed)))["cards"]["k"]["title"] == "other"
    assert card == FULL


def test_state_has_columns_in_order_and_cards_by_place_then_creation() -> None:
    cards = {
        CardId(id): replace(BARE, id=CardId(id), column_id=ColumnId(c)) for id, c in zip("stuv", "baab", strict=True)
    }
    columns = {
        ColumnId("b"): Column(ColumnId("b"), "B", (CardId("v"), CardId("s"))),
        ColumnId("a"): Column(ColumnId("a"), "Ä", (CardId("t"), CardId("u"))),
    }
    encoded = state_json(BoardState(columns, cards))
    assert encoded.startswith(
        '{"columns":{"b":{"id":"b","title":"B","cardIds":["v","s"]},"a":{"id":"a","title":"Ä","cardIds":["t","u"]}},'
        '"columnOrder":["b","a"],"cards":{"t":{"id":"t",'.encode()
    )
    # Indexes 0, 0, 1, 1. Of two cards with the same index, the older one comes first.
    assert list(orjson.loads(encoded)["cards"]) == ["t", "v", "s", "u"]


def test_empty_board_is_three_empty_things() -> None:
    assert state_json(BoardState()) == b'{"columns":{},"columnOrder":[],"cards":{}}'


def test_ids_of_any_kind_are_escaped() -> None:
    id = CardId('k"\\\n')
    columns = {ColumnId('c"'): Column(ColumnId('c"'), "C", (id,))}
    state = BoardState(columns, {id: replace(BARE, id=id, column_id=ColumnId('c"'))})
    assert list(orjson.loads(state_json(state))["cards"]) == [id]


def test_state_after_a_move_shows_the_new_order() -> None:
    columns = {ColumnId("c"): Column(ColumnId("c"), "C", (CardId("k"), CardId("l")))}
    state = BoardState(columns, {CardId(id): replace(BARE, id=CardId(id)) for id in "kl"})
    state_json(state)
    moved = apply(state, CardMoved(CardId("k"), ColumnId("c"), 0, ColumnId("c"), 1, START))
    assert list(orjson.loads(state_json(moved))["cards"]) == ["l", "k"]


def test_project_shows_null_where_it_has_nothing() -> None:
    assert orjson.dumps(project_wire(Project(BoardId("p"), "P", "/r", START))) == (
        b'{"id":"p","boardId":"p","name":"P","status":"Active","createdAt":"2025-01-02T03:04:05.678Z",'
        b'"repositoryPath":"/r","repositoryUrl":null,"repositorySlug":null}'
    )
