"""Commands on a board: each rule of docs/protocol.md, "Commands", and docs/departures.md, on pure boards."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.errors import CardBlocked, InvalidInput, NotFound, Refused
from realtime.kanban import events
from realtime.kanban.attempts import QueueAttempt, StopAttempt
from realtime.kanban.board import Board
from realtime.kanban.commands import (
    Command,
    CreateCard,
    DeleteCard,
    MoveCard,
    UpdateCard,
    decide,
    move_refusal,
    parse_command,
)
from realtime.kanban.ids import CardId
from realtime.kanban.models import TicketType
from tests.kit.nodes import START
from tests.unit.realtime.boards import (
    BACKLOG,
    DONE,
    LATER,
    PROGRESS,
    REVIEW,
    card_ids,
    carry_out,
    make_board,
    names,
)


def move(card: str, to: str, index: int = 0) -> MoveCard:
    """Make a move."""
    return MoveCard(card_id=card, to_column_id=to, to_index=index)


def refusal(board: Board, command: Command) -> Refused:
    """Return the reason of the refusal. The command must be refused, and must not change the board."""
    before = board.copy()
    with pytest.raises(Refused) as refused:
        decide(board, command, LATER)
    assert board == before
    return refused.value


def test_created_card_is_the_last_of_its_column_with_the_next_key() -> None:
    board = make_board(backlog=("a", "b"))
    command = CreateCard(column_id=BACKLOG, title="  New \n", description="", ticket_type=TicketType.FIX)
    recorded = carry_out(board, command)
    made = board.state.cards[CardId(command.card_id)]
    assert names(recorded) == ["card.created", "board.state.changed"]
    assert recorded[0].event.payload() == {"boardId": "p1", "columnId": BACKLOG, "cardId": made.id}
    assert recorded[1].event.payload() == {"boardId": "p1"}
    assert card_ids(board.state)[BACKLOG] == ["a", "b", made.id]
    assert (made.title, made.description, made.ticket_type, made.ticket_key) == ("New", "", "fix", "AB-3")
    assert (made.created_at, made.updated_at) == (LATER, LATER)
    assert (made.is_enhanced, made.disable_auto_close_on_pr_merge, made.depends_on) == (False, False, ())


def test_ticket_keys_go_on_after_a_card_was_deleted() -> None:
    board = make_board(backlog=("a",))
    carry_out(board, DeleteCard(card_id="a"))
    command = CreateCard(column_id=BACKLOG, title="New")
    carry_out(board, command)
    assert board.state.cards[CardId(command.card_id)].ticket_key == "AB-2"


def test_dependencies_are_kept_once_each_in_their_order() -> None:
    board = make_board(backlog=("a", "b"))
    command = CreateCard(column_id=BACKLOG, title="New", depends_on=("b", "a", "b"))
    carry_out(board, command)
    assert board.state.cards[CardId(command.card_id)].depends_on == ("b", "a")


def test_update_changes_what_is_given_and_notes_it() -> None:
    board = make_board(backlog=("a",))
    recorded = carry_out(
        board,
        parse_command(UpdateCard, {"cardId": "a", "title": "T", "description": "d", "disableAutoCloseOnPRMerge": True}),
    )
    card = board.state.cards[CardId("a")]
    assert (card.title, card.description, card.disable_auto_close_on_pr_merge) == ("T", "d", True)
    assert (card.created_at, card.updated_at) == (START, LATER)
    assert names(recorded) == ["card.updated", "board.state.changed"]
    assert recorded[0].event.payload() == {
        "boardId": "p1",
        "cardId": "a",
        "changes": {"title": "T", "description": "d", "disableAutoCloseOnPRMerge": True},
    }


def test_null_clears_description_and_ticket_type() -> None:
    board = make_board(backlog=("a",))
    carry_out(board, UpdateCard(card_id="a", description="d", ticket_type=TicketType.CI))
    carry_out(board, parse_command(UpdateCard, {"cardId": "a", "description": None, "ticketType": None}))
    card = board.state.cards[CardId("a")]
    assert (card.description, card.ticket_type) == (None, None)


def test_new_dependencies_alone_are_no_news_of_the_card() -> None:
    board = make_board(backlog=("a", "b"))
    recorded = carry_out(board, UpdateCard(card_id="a", depends_on=("b",)))
    assert names(recorded) == ["board.state.changed"]
    assert board.state.cards[CardId("a")].updated_at == START
    assert board.state.cards[CardId("a")].depends_on == ("b",)


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"title": "card a"},
        {"title": "  card a  "},
        {"description": None, "ticketType": None},
        {"isEnhanced": False, "disableAutoCloseOnPRMerge": False},
        {"dependsOn": ["b", "b"]},
    ],
)
def test_update_that_changes_nothing_records_nothing(payload: dict[str, Any]) -> None:
    board = make_board(backlog=("a", "b"), needs={"a": ("b",)})
    assert carry_out(board, parse_command(UpdateCard, {"cardId": "a", **payload})) == []


def test_deleted_card_is_gone_and_nobody_waits_for_it() -> None:
    board = make_board(backlog=("a", "b", "c"), needs={"c": ("a", "b")})
    recorded = carry_out(board, DeleteCard(card_id="a"))
    assert names(recorded) == ["card.deleted", "board.state.changed"]
    assert recorded[0].event.payload() == {"boardId": "p1", "cardId": "a", "columnId": BACKLOG}
    assert card_ids(board.state)[BACKLOG] == ["b", "c"]
    assert board.state.cards[CardId("c")].depends_on == ("b",)


@given(
    st.lists(st.sampled_from([BACKLOG, PROGRESS, REVIEW, DONE]), min_size=1, max_size=8),
    st.integers(0, 7),
    st.sampled_from([BACKLOG, PROGRESS, REVIEW, DONE]),
    st.integers(0, 10) | st.integers(0, 2**62),
)
def test_moved_card_is_exactly_where_it_was_put(homes: list[str], pick: int, target: str, index: int) -> None:
    by_column: dict[str, list[str]] = {BACKLOG: [], PROGRESS: [], REVIEW: [], DONE: []}
    for n, home in enumerate(homes):
        by_column[home].append(f"k{n}")
    board = make_board(None, **{column: tuple(ids) for column, ids in by_column.items()})
    card, home = f"k{pick % len(homes)}", homes[pick % len(homes)]
    if home == DONE:
        assert refusal(board, move(card, target, index)).code == "card_is_done"
        return
    without = {column: [id for id in ids if id != card] for column, ids in by_column.items()}
    place = min(index, len(without[target]))
    expected = {**without, target: [*without[target][:place], card, *without[target][place:]]}
    recorded = carry_out(board, move(card, target, index))
    assert card_ids(board.state) == expected
    assert names(recorded) == ([] if expected == by_column else ["card.moved", "board.state.changed"])
    if recorded:
        note = recorded[0].event
        assert isinstance(note, events.CardMoved)
        assert (note.from_column_id, note.to_column_id, note.to_index) == (home, target, place)
    assert board.state.cards[CardId(card)].updated_at == (LATER if recorded else START)


def test_done_card_does_not_move_out_nor_inside() -> None:
    board = make_board(done=("a", "b"))
    for target, index in ((BACKLOG, 0), (DONE, 0), (DONE, 1)):
        assert refusal(board, move("a", target, index)).code == "card_is_done"


def test_blocked_card_does_not_move_into_progress_until_its_dependencies_are_done() -> None:
    board = make_board(backlog=("a", "b"), review=("c",), needs={"a": ("b", "c")})
    found = refusal(board, move("a", PROGRESS))
    assert isinstance(found, CardBlocked)
    assert (found.code, found.waits_for) == ("card_blocked", ("b", "c"))
    assert carry_out(board, move("a", REVIEW))
    carry_out(board, move("b", DONE))
    found = refusal(board, move("a", PROGRESS))
    assert isinstance(found, CardBlocked)
    assert found.waits_for == ("c",)
    carry_out(board, move("c", DONE))
    assert carry_out(board, move("a", PROGRESS))


def test_columns_are_identified_by_title_ignoring_case_and_blanks() -> None:
    board = make_board(backlog=("a", "b"), needs={"a": ("b",)})
    target = board.state.columns[PROGRESS]
    assert move_refusal(board.state, CardId("a"), target) is not None
    assert target.is_titled("IN PROGRESS".title())
    assert move_refusal(board.state, CardId("b"), target) is None


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (CreateCard(column_id="nowhere", title="t"), "column_not_found"),
        (UpdateCard(card_id="nobody", title="t"), "card_not_found"),
        (move("nobody", BACKLOG), "card_not_found"),
        (move("a", "nowhere"), "column_not_found"),
        (DeleteCard(card_id="nobody"), "card_not_found"),
        (QueueAttempt(card_id="nobody", agent="A"), "card_not_found"),
        (StopAttempt(attempt_id="nobody"), "attempt_not_found"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.type,
)
def test_command_on_what_is_not_on_the_board_is_not_found(command: Command, code: str) -> None:
    found = refusal(make_board(backlog=("a",)), command)
    assert isinstance(found, NotFound)
    assert found.code == code


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (UpdateCard(card_id="a", depends_on=("a",)), "dependency_cycle"),
        (UpdateCard(card_id="a", depends_on=("c",)), "dependency_cycle"),
        (UpdateCard(card_id="a", depends_on=("nobody",)), "dependency_board_mismatch"),
        (CreateCard(column_id=BACKLOG, title="t", depends_on=("a", "nobody")), "dependency_board_mismatch"),
    ],
)
def test_dependency_that_is_unknown_or_closes_a_cycle_is_refused(command: Command, code: str) -> None:
    found = refusal(make_board(backlog=("a", "b", "c"), needs={"b": ("a",), "c": ("b",)}), command)
    assert isinstance(found, InvalidInput)
    assert found.code == code
    assert [field.field for field in found.fields] == ["dependsOn"]


_CREATE = {"columnId": "c", "title": "t"}


@pytest.mark.parametrize(
    ("kind", "payload", "field"),
    [
        (CreateCard, {"title": "t"}, "columnId"),
        (CreateCard, {"columnId": "c"}, "title"),
        (CreateCard, {**_CREATE, "columnId": ""}, "columnId"),
        (CreateCard, {**_CREATE, "columnId": "c" * 201}, "columnId"),
        (CreateCard, {**_CREATE, "title": " \n "}, "title"),
        (CreateCard, {**_CREATE, "title": None}, "title"),
        (CreateCard, {**_CREATE, "title": 123}, "title"),
        (CreateCard, {**_CREATE, "title": "x" * 501}, "title"),
        (CreateCard, {**_CREATE, "description": "ü" * (32 * 1024) + "x"}, "description"),
        (CreateCard, {**_CREATE, "description": 1}, "description"),
        (CreateCard, {**_CREATE, "ticketType": "feature"}, "ticketType"),
        (CreateCard, {**_CREATE, "ticketType": 7}, "ticketType"),
        (CreateCard, {**_CREATE, "dependsOn": "a"}, "dependsOn"),
        (UpdateCard, {"title": "t"}, "cardId"),
        (UpdateCard, {"cardId": "a", "title": None}, "title"),
        (UpdateCard, {"cardId": "a", "isEnhanced": "yes"}, "isEnhanced"),
        (UpdateCard, {"cardId": "a", "isEnhanced": None}, "isEnhanced"),
        (UpdateCard, {"cardId": "a", "isEnhanced": 1}, "isEnhanced"),
        (UpdateCard, {"cardId": "a", "disableAutoCloseOnPRMerge": "no"}, "disableAutoCloseOnPRMerge"),
        (MoveCard, {"cardId": "a", "toColumnId": "c"}, "toIndex"),
        (MoveCard, {"cardId": "a", "toColumnId": "c", "toIndex": -1}, "toIndex"),
        (MoveCard, {"cardId": "a", "toColumnId": "c", "toIndex": 1.5}, "toIndex"),
        (MoveCard, {"cardId": "a", "toColumnId": "c", "toIndex": 1.0}, "toIndex"),
        (MoveCard, {"cardId": "a", "toColumnId": "c", "toIndex": "2"}, "toIndex"),
        (MoveCard, {"cardId": "a", "toColumnId": "c", "toIndex": True}, "toIndex"),
        (MoveCard, {"cardId": "a", "toColumnId": "c", "toIndex": None}, "toIndex"),
        (DeleteCard, {}, "cardId"),
        (DeleteCard, {"cardId": None}, "cardId"),
        (DeleteCard, {"card_id": "a"}, "cardId"),
    ],
)
def test_field_that_does_not_fit_is_named(kind: type[Command], payload: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_command(kind, payload)
    assert [found.field for found in refused.value.fields] == [field]
    assert refused.value.code == "invalid_payload"


@pytest.mark.parametrize("payload", [None, [], "text", 1, True])
def test_payload_that_is_no_object_is_refused(payload: object) -> None:
    with pytest.raises(InvalidInput, match="expected a JSON object"):
        parse_command(CreateCard, payload)


def test_values_at_the_limits_are_accepted() -> None:
    command = parse_command(
        CreateCard,
        {"columnId": "c" * 200, "title": f"  {'ü' * 500}  ", "description": "ü" * (32 * 1024), "ticketType": " FIX "},
    )
    assert (len(command.title), command.ticket_type) == (500, TicketType.FIX)
    assert parse_command(MoveCard, {"cardId": "a", "toColumnId": "c", "toIndex": 2**62}).to_index == 2**62


def test_long_payload_is_quoted_short() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_command(CreateCard, {**_CREATE, "title": "x" * 100_000})
    assert len(refused.value.message) < 300


def test_ids_and_inner_names_do_not_come_from_the_wire() -> None:
    sent = {**_CREATE, "cardId": "mine", "card_id": "mine", "type": "delete_card", "unknown": 1}
    command = parse_command(CreateCard, sent)
    assert command.card_id.startswith("card-")
    assert command.type == "create_card"
    queued = parse_command(QueueAttempt, {"cardId": "a", "agent": "A", "newId": "mine", "new_id": "mine"})
    assert queued.new_id.startswith("att-")
    assert parse_command(UpdateCard, {"cardId": "a", "is_enhanced": True}).given() == {}
