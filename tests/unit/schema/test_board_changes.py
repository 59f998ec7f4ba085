"""`boardChanges`: every change of a board as a member of the union, with exact values; and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from realtime.clock import iso
from realtime.kanban.board import Board
from realtime.kanban.commands import Command, CreateCard, DeleteCard, MoveCard, UpdateCard
from realtime.kanban.ids import BoardId
from realtime.kanban.models import TicketType
from realtime.node import Node
from schema.export import sdl
from tests.kit.nodes import BOARD, column_id, publish
from tests.kit.publishing import event
from tests.unit.realtime.event_samples import SAMPLES
from tests.unit.schema.caller import Caller
from tests.unit.schema.selection import selection

Json = dict[str, Any]

CHANGES = f"""subscription ($after: String) {{
    boardChanges(boardId: "{BOARD}", after: $after) {selection(sdl(), "BoardChange")} }}"""
AT = "2025-01-01T00:00:00.000Z"
#: The value of a `CardUpdated` field that has not changed.
SAME: Json = {
    **dict.fromkeys(("ticketKey", "title", "description", "ticketType", "isEnhanced", "prUrl")),
    **dict.fromkeys(("disableAutoCloseOnPRMerge", "githubIssue", "createdAt", "updatedAt")),
    "dependsOn": [],
}
CARD: Json = {**SAME, "isEnhanced": False, "disableAutoCloseOnPRMerge": False}


async def results_of(caller: Caller, node: Node, *commands: Command) -> list[Json]:
    """Execute commands; return the results of the stream without cursors.

    The last cursor must be that of the commands.
    """
    async with caller.subscribe(CHANGES) as results:
        assert [one["__typename"] for one in await results.take(2)] == ["Hello", "State"]
        position = (await node.bus.execute(BoardId(BOARD), *commands)).position
        shown: list[Json] = []
        while not shown or shown[-1]["cursor"] != position.cursor:
            shown.append(await results.next())
    return [{name: value for name, value in one.items() if name != "cursor"} for one in shown]


async def test_created_card_is_shown_with_its_place(caller: Caller, node: Node, board: Board) -> None:
    column = column_id(board.state, "Backlog")
    command = CreateCard(column_id=column, title="New", description="d", ticket_type=TicketType.PERF)
    (created,) = await results_of(caller, node, command)
    made = {"id": command.card_id, "ticketKey": "AB-1", "title": "New", "description": "d", "ticketType": "PERF"}
    at = created["card"]["createdAt"]
    assert created == {
        "__typename": "CardCreated",
        "columnId": column,
        "index": 0,
        "card": {**CARD, **made, "columnId": column, "createdAt": at, "updatedAt": at},
    }


async def test_updated_card_names_its_new_fields_and_no_other(caller: Caller, node: Node, board: Board) -> None:
    column = column_id(board.state, "Backlog")
    first, second = (CreateCard(column_id=column, title="t", description="d") for _ in range(2))
    await node.bus.execute(board.id, first, second)
    edited, freed = await results_of(
        caller,
        node,
        UpdateCard(card_id=first.card_id, description=None, is_enhanced=True, ticket_type=TicketType.FIX),
        UpdateCard(card_id=first.card_id, depends_on=(second.card_id,)),
    )
    updated = {"__typename": "CardUpdated", "cardId": first.card_id}
    assert edited.pop("updatedAt") > iso(node.clock().replace(year=2000))
    assert sorted(edited.pop("fields")) == ["DESCRIPTION", "IS_ENHANCED", "TICKET_TYPE", "UPDATED_AT"]
    same = {name: value for name, value in SAME.items() if name != "updatedAt"}
    assert edited == {**same, **updated, "ticketType": "FIX", "isEnhanced": True}
    assert freed == {**SAME, **updated, "fields": ["DEPENDS_ON"], "dependsOn": [second.card_id]}


async def test_moved_and_deleted_card_are_shown_with_their_places(caller: Caller, node: Node, board: Board) -> None:
    backlog, review = column_id(board.state, "Backlog"), column_id(board.state, "Review")
    cards = [CreateCard(column_id=backlog, title=str(n)) for n in range(3)]
    await node.bus.execute(board.id, *cards)
    ids = [card.card_id for card in cards]
    move = MoveCard(card_id=ids[2], to_column_id=review, to_index=7)
    moved, deleted = await results_of(caller, node, move, DeleteCard(card_id=ids[1]))
    assert moved.pop("updatedAt") == deleted.pop("updatedAt") > AT
    assert moved == {
        "__typename": "CardMoved",
        "cardId": ids[2],
        "fromColumnId": backlog,
        "fromIndex": 2,
        "toColumnId": review,
        "toIndex": 0,
    }
    assert deleted == {"__typename": "CardDeleted", "cardId": ids[1], "columnId": backlog, "index": 1}


async def test_state_from_outside_is_shown_as_its_differences(caller: Caller, node: Node, board: Board) -> None:
    issue = {"issueNumber": 2**40, "url": "u"}
    card = {"id": "k", "title": "t", "createdAt": AT, "updatedAt": AT}
    edited = {**card, "ticketKey": "X-1", "githubIssue": issue, "prUrl": "p", "disableAutoCloseOnPRMerge": True}
    columns = {"x": {"id": "x", "title": "X", "cardIds": ["k"]}}
    async with caller.subscribe(CHANGES) as results:
        await results.take(2)
        for cards in ({"k": card}, {"k": {**edited, "createdAt": "2025-01-01T00:00:00.001Z"}}):
            state = {"columns": columns, "columnOrder": ["x"], "cards": cards}
            await publish(node, event("board.state.changed", {"boardId": BOARD, "state": state}))
        headings, created, updated = await results.take(3)
    assert (headings["__typename"], headings["columns"]) == ("ColumnsChanged", [{"id": "x", "title": "X"}])
    assert (created["__typename"], created["columnId"], created["card"]["id"]) == ("CardCreated", "x", "k")
    assert len({one["cursor"] for one in (headings, created, updated)}) == 3
    del updated["cursor"]
    assert updated == {
        **SAME,
        "__typename": "CardUpdated",
        "cardId": "k",
        "createdAt": "2025-01-01T00:00:00.001Z",
        "githubIssue": issue,
        "prUrl": "p",
        "disableAutoCloseOnPRMerge": True,
        "ticketKey": "X-1",
        "fields": ["TICKET_KEY", "PR_URL", "DISABLE_AUTO_CLOSE_ON_PR_MERGE", "GITHUB_ISSUE", "CREATED_AT"],
    }


async def test_heartbeat_is_shown_with_cursor_and_hash(caller: Caller, node: Node, board: Board) -> None:
    async with caller.subscribe(CHANGES) as results:
        _, state = await results.take(2)
        node.heartbeats.beat(board.id)
        beat = await results.next()
        view = node.views.get(board.id)
        assert view is not None
        assert beat.pop("ts") > AT
        assert beat == {"__typename": "Heartbeat", "cursor": state["cursor"], "hash": view.state_hash()}


async def test_envelope_without_a_change_of_the_board_is_left_out(caller: Caller, node: Node, board: Board) -> None:
    async with caller.subscribe(CHANGES) as results:
        await results.take(2)
        for name, payload in SAMPLES.items():
            if name not in {"project.deleted", "board.state.changed"}:
                await publish(node, event(name, payload))
        await publish(node, event("project.deleted", {"projectId": BOARD}))
        assert (await results.next())["__typename"] == "Goodbye"
        await results.end()


async def test_reader_goes_on_between_two_changes_of_an_event(caller: Caller, node: Node, board: Board) -> None:
    async with caller.subscribe(CHANGES) as results:
        await results.take(2)
        await publish(node, event("board.state.changed", SAMPLES["board.state.changed"]))
        first, *rest = await results.take(2)
    async with caller.subscribe(CHANGES, after=first["cursor"]) as results:
        hello, *missed = await results.take(2)
    assert (hello["__typename"], hello["cursor"]) == ("Hello", first["cursor"])
    assert missed == rest


@pytest.mark.parametrize("after", ["", "soon"])
async def test_invalid_cursor_ends_board_changes_at_once(caller: Caller, board: Board, after: str) -> None:
    async with caller.subscribe(CHANGES, after=after) as results:
        _, extensions = await results.refusal()
    assert extensions == {"code": "INVALID_CURSOR"}
