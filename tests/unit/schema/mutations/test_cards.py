"""Mutations of cards: the same commands as on every other transport, with their refusals."""

from __future__ import annotations

from typing import Any

import pytest

from realtime.global_ids import Kind, global_id
from realtime.kanban.board import Board
from realtime.kanban.models import DONE, IN_PROGRESS
from tests.kit.nodes import BOARD, column_id, create_board
from tests.unit.schema.caller import Caller
from tests.unit.schema.mutations.mutating import BOARD_STATE, MUTATIONS
from tests.unit.schema.mutations.mutating import mutate as run
from tests.unit.schema.mutations.mutating import refused as run_refused

Json = dict[str, Any]


async def mutate(caller: Caller, name: str, **values: Any) -> Json:
    """Run a mutation on the board; return its payload."""
    return await run(caller, name, boardId=BOARD, input=values)


async def refused(caller: Caller, name: str, **values: Any) -> Json:
    """Run a mutation on the board that must be refused; return the refusal."""
    return await run_refused(caller, name, boardId=BOARD, input=values)


def column(board: Board, title: str = "Backlog") -> str:
    """The id of a column."""
    return column_id(board.state, title)


async def card(caller: Caller, board: Board, title: str = "A card", **values: Any) -> str:
    """Make a card in Backlog; return its id."""
    made = await mutate(caller, "createCard", columnId=column(board), title=title, **values)
    found: str = made["card"]["cardId"]
    return found


async def test_created_card_has_the_given_values(caller: Caller, board: Board) -> None:
    first = await card(caller, board)
    answer = await mutate(
        caller,
        "createCard",
        columnId=column(board),
        title="  Trimmed – 🚀 ",
        description="",
        ticketType="FIX",
        dependsOn=[first],
    )
    made = answer["card"]
    assert made["cardId"].startswith("card-")
    assert {
        name: made[name] for name in ("title", "description", "ticketType", "dependsOn", "columnId", "ticketKey")
    } == {
        "title": "Trimmed – 🚀",
        "description": "",
        "ticketType": "FIX",
        "dependsOn": [first],
        "columnId": column(board),
        "ticketKey": "AB-2",
    }
    assert made["createdAt"] == made["updatedAt"]


async def test_answer_has_the_state_and_cursor_after_the_change(caller: Caller, board: Board) -> None:
    answer = await mutate(caller, "createCard", columnId=column(board), title="A card")
    assert answer["state"] == await caller.run(BOARD_STATE)
    assert answer["cursor"] == answer["state"]["cursor"]
    assert answer["card"] in answer["state"]["cards"]


async def test_update_leaves_what_is_absent_and_clears_what_is_null(caller: Caller, board: Board) -> None:
    made = await card(caller, board, description="Text", ticketType="FEAT")
    edited = (await mutate(caller, "updateCard", cardId=made, title="New"))["card"]
    assert (edited["title"], edited["description"], edited["ticketType"]) == ("New", "Text", "FEAT")
    cleared = (await mutate(caller, "updateCard", cardId=made, description=None, ticketType=None))["card"]
    assert (cleared["title"], cleared["description"], cleared["ticketType"]) == ("New", None, None)


async def test_null_written_into_the_document_clears_too(caller: Caller, board: Board) -> None:
    made = await card(caller, board, description="Text")
    update = f'updateCard(boardId: "{BOARD}", input: {{cardId: "{made}", description: null}})'
    asked = f"mutation {{ {update} {{ ... on UpdateCardPayload {{ card {{ description }} }} }} }}"
    assert await caller.run(asked) == {"card": {"description": None}}


async def test_update_sets_flags_and_dependencies(caller: Caller, board: Board) -> None:
    first, second = await card(caller, board), await card(caller, board)
    given = {"isEnhanced": True, "disableAutoCloseOnPRMerge": True, "dependsOn": [first]}
    updated = (await mutate(caller, "updateCard", cardId=second, **given))["card"]
    assert {name: updated[name] for name in given} == given
    freed = (await mutate(caller, "updateCard", cardId=second, dependsOn=[]))["card"]
    assert (freed["dependsOn"], freed["isEnhanced"]) == ([], True)


async def test_update_without_change_keeps_the_cursor(caller: Caller, board: Board) -> None:
    made = await card(caller, board)
    before = await caller.run(BOARD_STATE)
    answer = await mutate(caller, "updateCard", cardId=made, title="A card")
    assert (answer["cursor"], answer["state"]) == (before["cursor"], before)


async def test_moved_card_ends_at_the_index(caller: Caller, board: Board) -> None:
    first, second, third = [await card(caller, board, title) for title in ("1", "2", "3")]
    answer = await mutate(caller, "moveCard", cardId=third, toColumnId=column(board), toIndex=1)
    assert answer["state"]["columns"][0]["cardIds"] == [first, third, second]
    answer = await mutate(caller, "moveCard", cardId=first, toColumnId=column(board, DONE), toIndex=2_000_000_000)
    assert (answer["card"]["columnId"], answer["state"]["columns"][3]["cardIds"]) == (column(board, DONE), [first])


async def test_deleted_card_is_gone_with_dependencies_on_it(caller: Caller, board: Board) -> None:
    first = await card(caller, board)
    second = await card(caller, board, dependsOn=[first])
    answer = await mutate(caller, "deleteCard", cardId=first)
    assert answer["cardId"] == first
    assert [(one["cardId"], one["dependsOn"]) for one in answer["state"]["cards"]] == [(second, [])]


async def test_card_that_is_done_does_not_move(caller: Caller, board: Board) -> None:
    made = await card(caller, board)
    await mutate(caller, "moveCard", cardId=made, toColumnId=column(board, DONE), toIndex=0)
    refusal = await refused(caller, "moveCard", cardId=made, toColumnId=column(board), toIndex=0)
    assert (refusal["__typename"], refusal["code"]) == ("CardIsDone", "CARD_IS_DONE")


async def test_blocked_card_does_not_go_in_progress(caller: Caller, board: Board) -> None:
    first, second = await card(caller, board), await card(caller, board)
    made = await card(caller, board, dependsOn=[first, second])
    await mutate(caller, "moveCard", cardId=first, toColumnId=column(board, DONE), toIndex=0)
    refusal = await refused(caller, "moveCard", cardId=made, toColumnId=column(board, IN_PROGRESS), toIndex=0)
    assert (refusal["__typename"], refusal["code"]) == ("CardBlocked", "CARD_BLOCKED")
    assert refusal["waitsFor"] == [second]


async def test_dependency_cycle_is_refused(caller: Caller, board: Board) -> None:
    first = await card(caller, board)
    second = await card(caller, board, dependsOn=[first])
    refusal = await refused(caller, "updateCard", cardId=first, dependsOn=[second])
    assert (refusal["__typename"], refusal["code"]) == ("DependencyCycle", "DEPENDENCY_CYCLE")
    assert (refusal["field"], refusal["fields"][0]["field"]) == ("dependsOn", "dependsOn")


@pytest.mark.parametrize("name", ["createCard", "updateCard"])
async def test_dependency_on_a_card_of_no_board_is_refused(caller: Caller, board: Board, name: str) -> None:
    given = {"columnId": column(board), "title": "x"} if name == "createCard" else {"cardId": await card(caller, board)}
    refusal = await refused(caller, name, **given, dependsOn=["nothing"])
    assert (refusal["__typename"], refusal["code"]) == ("DependencyMismatch", "DEPENDENCY_BOARD_MISMATCH")
    assert refusal["field"] == "dependsOn"


@pytest.mark.parametrize(
    ("name", "values", "field"),
    [
        ("createCard", {"columnId": "COLUMN", "title": " "}, "title"),
        ("createCard", {"columnId": "COLUMN", "title": "x" * 501}, "title"),
        ("createCard", {"columnId": "COLUMN", "title": "x", "description": "é" * 32_769}, "description"),
        ("createCard", {"columnId": "", "title": "x"}, "columnId"),
        ("updateCard", {"cardId": "CARD", "title": None}, "title"),
        ("updateCard", {"cardId": "CARD", "isEnhanced": None}, "isEnhanced"),
        ("updateCard", {"cardId": "CARD", "disableAutoCloseOnPRMerge": None}, "disableAutoCloseOnPRMerge"),
        ("updateCard", {"cardId": "CARD", "dependsOn": None}, "dependsOn"),
        ("moveCard", {"cardId": "CARD", "toColumnId": "COLUMN", "toIndex": -1}, "toIndex"),
        ("deleteCard", {"cardId": ""}, "cardId"),
    ],
)
async def test_field_that_does_not_fit_is_named(
    caller: Caller, board: Board, name: str, values: Json, field: str
) -> None:
    places = {"CARD": await card(caller, board), "COLUMN": column(board)}
    filled = {key: places.get(value, value) if isinstance(value, str) else value for key, value in values.items()}
    refusal = await refused(caller, name, **filled)
    assert (refusal["__typename"], refusal["code"], refusal["field"]) == ("InvalidInput", "INVALID_PAYLOAD", field)
    assert [one["field"] for one in refusal["fields"]] == [field]
    assert refusal["message"] == f"{field}: {refusal['fields'][0]['message']}"


@pytest.mark.parametrize("index", [1.5, "2", None, 2**31])
async def test_index_that_is_no_int_is_refused_by_validation(caller: Caller, board: Board, index: Any) -> None:
    made = await card(caller, board)
    values = {"cardId": made, "toColumnId": column(board), "toIndex": index}
    _, extensions = await caller.refused(MUTATIONS["moveCard"], boardId=BOARD, input=values)
    assert extensions == {"code": "GRAPHQL_VALIDATION_FAILED"}


async def test_two_bad_fields_are_both_named(caller: Caller, board: Board) -> None:
    refusal = await refused(caller, "createCard", columnId="", title="")
    assert [one["field"] for one in refusal["fields"]] == ["columnId", "title"]


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("createCard", {"columnId": "nowhere", "title": "x"}, "ColumnNotFound"),
        ("updateCard", {"cardId": "nothing", "title": "x"}, "CardNotFound"),
        ("moveCard", {"cardId": "nothing", "toColumnId": "nowhere", "toIndex": 0}, "CardNotFound"),
        ("moveCard", {"cardId": "CARD", "toColumnId": "nowhere", "toIndex": 0}, "ColumnNotFound"),
        ("deleteCard", {"cardId": "nothing"}, "CardNotFound"),
    ],
)
async def test_thing_that_does_not_exist_is_not_found(
    caller: Caller, board: Board, name: str, values: Json, kind: str
) -> None:
    made = await card(caller, board)
    filled = {key: made if value == "CARD" else value for key, value in values.items()}
    assert (await refused(caller, name, **filled))["__typename"] == kind


async def test_card_of_another_board_is_not_found(caller: Caller, board: Board) -> None:
    made = await card(caller, board)
    await create_board(caller.node, "p2", "Beta")
    refusal = await run_refused(caller, "deleteCard", boardId="p2", input={"cardId": made})
    assert refusal["__typename"] == "CardNotFound"


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("createCard", {"columnId": "c", "title": "x"}),
        ("updateCard", {"cardId": "k"}),
        ("moveCard", {"cardId": "k", "toColumnId": "c", "toIndex": 0}),
        ("deleteCard", {"cardId": "k"}),
    ],
)
async def test_board_that_does_not_exist_is_not_found(caller: Caller, name: str, values: Json) -> None:
    refusal = await run_refused(caller, name, boardId="nowhere", input=values)
    assert refusal == {"__typename": "BoardNotFound", "code": "BOARD_NOT_FOUND", "message": "Board not found"}


@pytest.mark.parametrize("kind", [Kind.CARD, Kind.COLUMN])
async def test_chosen_id_with_the_form_of_an_id_of_the_board_is_refused(
    caller: Caller, board: Board, kind: Kind
) -> None:
    chosen = global_id(kind, BOARD, "mine")
    refusal = await refused(caller, "createCard", columnId=column(board), title="t", id=chosen)
    message = f"expected an id without the form of a global id of this board, got '{chosen}'"
    assert refusal["fields"] == [{"field": "id", "message": message}]


async def test_chosen_id_is_the_id_of_the_wire(caller: Caller, board: Board) -> None:
    for chosen in ("mine", "CARD-2025-0000001"):
        made = await mutate(caller, "createCard", columnId=column(board), title="t", id=chosen)
        assert (made["card"]["cardId"], made["card"]["id"]) == (chosen, global_id(Kind.CARD, BOARD, chosen))
