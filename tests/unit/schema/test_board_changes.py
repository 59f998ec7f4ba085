"""`boardChanges`: every change of a board as a member of the union, with exact values; and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from realtime.global_ids import Kind, global_id
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

#: The fields of `StreamEvent`.
POSITION = ("cursor", "offset", "part")

CHANGES = f"""subscription ($after: String) {{
    boardChanges(boardId: "{BOARD}", after: $after) {selection(sdl(), "BoardChange")} }}"""
AT = "2025-01-01T00:00:00.000Z"
#: A bare card, as it is shown.
CARD: Json = {
    **dict.fromkeys(("ticketKey", "description", "ticketType", "prUrl", "githubIssue")),
    "dependsOn": [],
    "isEnhanced": False,
    "disableAutoCloseOnPRMerge": False,
}


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
    return [{name: value for name, value in one.items() if name not in POSITION} for one in shown]


async def test_created_card_is_shown_with_its_place(caller: Caller, node: Node, board: Board) -> None:
    column = column_id(board.state, "Backlog")
    command = CreateCard(column_id=column, title="New", description="d", ticket_type=TicketType.PERF)
    (created,) = await results_of(caller, node, command)
    made = {"id": global_id(Kind.CARD, BOARD, command.card_id), "cardId": command.card_id, "boardId": BOARD}
    made |= {"ticketKey": "AB-1", "title": "New", "description": "d", "ticketType": "PERF"}
    at = created["card"]["createdAt"]
    assert (created["__typename"], created["index"]) == ("CardCreated", 0)
    assert created["card"] == {**CARD, **made, "columnId": column, "createdAt": at, "updatedAt": at}
    assert created["column"]["cards"] == [created["card"]]


async def test_updated_card_is_whole_and_names_its_new_fields(caller: Caller, node: Node, board: Board) -> None:
    column = column_id(board.state, "Backlog")
    first, second = (CreateCard(column_id=column, title="t", description="d") for _ in range(2))
    await node.bus.execute(board.id, first, second)
    edited, freed = await results_of(
        caller,
        node,
        UpdateCard(card_id=first.card_id, description=None, is_enhanced=True, ticket_type=TicketType.FIX),
        UpdateCard(card_id=first.card_id, depends_on=(second.card_id,)),
    )
    assert (edited["__typename"], freed["__typename"]) == ("CardUpdated",) * 2
    assert sorted(edited["fields"]) == ["DESCRIPTION", "IS_ENHANCED", "TICKET_TYPE", "UPDATED_AT"]
    assert freed["fields"] == ["DEPENDS_ON"]
    assert edited["card"].pop("createdAt") <= edited["card"]["updatedAt"]
    at = edited["card"].pop("updatedAt")
    known = {"id": global_id(Kind.CARD, BOARD, first.card_id), "cardId": first.card_id, "boardId": BOARD}
    known |= {"columnId": column, "ticketKey": "AB-1", "title": "t"}
    assert edited["card"] == {**CARD, **known, "ticketType": "FIX", "isEnhanced": True}
    # Not as it is now: the second command was carried out before the first change was shown.
    assert edited["card"]["dependsOn"] == []
    assert (freed["card"]["dependsOn"], freed["card"]["updatedAt"]) == ([second.card_id], at)


async def test_moved_and_deleted_card_are_shown_with_their_places(caller: Caller, node: Node, board: Board) -> None:
    backlog, review = column_id(board.state, "Backlog"), column_id(board.state, "Review")
    cards = [CreateCard(column_id=backlog, title=str(n)) for n in range(3)]
    await node.bus.execute(board.id, *cards)
    ids = [card.card_id for card in cards]
    move = MoveCard(card_id=ids[0], to_column_id=review, to_index=7)
    moved, deleted = await results_of(caller, node, move, DeleteCard(card_id=ids[1]))
    assert (moved["__typename"], moved["fromIndex"], moved["toIndex"]) == ("CardMoved", 0, 0)
    assert moved["updatedAt"] == deleted["updatedAt"] > AT
    assert (moved["card"]["cardId"], moved["card"]["columnId"]) == (ids[0], review)
    assert (moved["fromColumn"]["columnId"], moved["fromColumn"]["cardIds"]) == (backlog, ids[1:])
    assert (moved["toColumn"]["columnId"], moved["toColumn"]["cardIds"]) == (review, ids[:1])
    assert [card["cardId"] for card in moved["renewed"]] == [ids[0], ids[1], ids[2]]
    assert {card["updatedAt"] for card in moved["renewed"]} == {moved["updatedAt"]}
    assert (deleted["__typename"], deleted["index"], deleted["card"]["cardId"]) == ("CardDeleted", 0, ids[1])
    assert (deleted["column"]["columnId"], deleted["column"]["cardIds"]) == (backlog, ids[2:])
    assert [card["cardId"] for card in deleted["renewed"]] == ids[2:]


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
        changed, created, updated = await results.take(3)
    (column,) = changed["state"]["columns"]
    assert (changed["__typename"], column["columnId"], column["title"], column["cards"]) == (
        "ColumnsChanged",
        "x",
        "X",
        [],
    )
    assert (created["__typename"], created["column"]["columnId"], created["card"]["cardId"]) == (
        "CardCreated",
        "x",
        "k",
    )
    assert len({one["cursor"] for one in (changed, created, updated)}) == 3
    assert updated["fields"] == [
        *("TICKET_KEY", "PR_URL", "DISABLE_AUTO_CLOSE_ON_PR_MERGE", "GITHUB_ISSUE", "CREATED_AT")
    ]
    assert updated["card"] == {
        **CARD,
        **edited,
        "id": global_id(Kind.CARD, BOARD, "k"),
        "cardId": "k",
        "boardId": BOARD,
        "columnId": "x",
        "createdAt": "2025-01-01T00:00:00.001Z",
    }


async def test_moves_of_a_state_from_outside_renew_no_card(caller: Caller, node: Node, board: Board) -> None:
    def outside(*order: str) -> Json:
        cards = {id: {"id": id, "title": id, "createdAt": AT, "updatedAt": AT} for id in sorted(order)}
        columns = {"x": {"id": "x", "title": "X", "cardIds": list(order)}}
        state = {"columns": columns, "columnOrder": ["x"], "cards": cards}
        return event("board.state.changed", {"boardId": BOARD, "state": state})

    await publish(node, outside("a", "b", "c"))
    async with caller.subscribe(CHANGES) as results:
        await results.take(2)
        await publish(node, outside("c", "a", "b"))
        moved = await results.next()
    assert (moved["__typename"], moved["card"]["cardId"], moved["toColumn"]["cardIds"]) == (
        "CardMoved",
        "c",
        ["c", "a", "b"],
    )
    assert (moved["updatedAt"], moved["renewed"]) == (None, [])


async def test_change_shows_the_whole_board_after_it(caller: Caller, node: Node, board: Board) -> None:
    column = column_id(board.state, "Backlog")
    changes = await results_of(caller, node, *(CreateCard(column_id=column, title=f"t{n}") for n in range(3)))
    shown = [[card["title"] for card in one["state"]["cards"]] for one in changes]
    assert shown == [["t0"], ["t0", "t1"], ["t0", "t1", "t2"]]


async def test_heartbeat_is_shown_with_cursor_and_hash(caller: Caller, node: Node, board: Board) -> None:
    async with caller.subscribe(CHANGES) as results:
        _, state = await results.take(2)
        node.heartbeats.beat(board.id)
        beat = await results.next()
        view = node.views.get(board.id)
        assert view is not None
        assert beat.pop("serverTime") > AT
        at = {name: state[name] for name in POSITION}
    assert beat == {"__typename": "Heartbeat", **at, "hash": view.state_hash()}


async def test_envelope_without_a_change_of_the_board_is_left_out(caller: Caller, node: Node, board: Board) -> None:
    async with caller.subscribe(CHANGES) as results:
        await results.take(2)
        for name, payload in SAMPLES.items():
            if name not in {"project.deleted", "board.state.changed"}:
                await publish(node, event(name, payload))
        await publish(node, event("project.deleted", {"projectId": BOARD}))
        assert (await results.next())["__typename"] == "Goodbye"
        await results.end()


async def test_subscriber_goes_on_between_two_changes_of_an_event(caller: Caller, node: Node, board: Board) -> None:
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


EVENTS = f"""subscription ($delivery: Delivery! = CHANGES, $attempt: ID) {{
    boardEvents(boardId: "{BOARD}", delivery: $delivery, attemptId: $attempt) {{
        __typename ... on AttemptLogAppended {{ attemptId }} ... on CardCreated {{ card {{ title }} }} }} }}"""
ATTEMPT = f"""subscription ($after: String) {{ attemptEvents(boardId: "{BOARD}", attemptId: "a1", after: $after) {{
    __typename ... on StreamEvent {{ cursor }} ... on AttemptLogAppended {{ attemptId message }} }} }}"""


def line(attempt_id: str, message: str = "m") -> Json:
    """An event with a line of an attempt's log."""
    payload = {"boardId": BOARD, "attemptId": attempt_id, "level": "info", "message": message}
    return event("attempt.log.appended", payload)


async def test_changes_and_attempts_come_in_one_order(caller: Caller, node: Node, board: Board) -> None:
    column = column_id(board.state, "Backlog")
    async with caller.subscribe(EVENTS) as results:
        await results.take(2)
        await publish(node, line("a1"))
        await node.bus.execute(board.id, CreateCard(column_id=column, title="New"))
        await publish(node, line("a2"))
        node.heartbeats.beat(board.id)
        assert await results.take(4) == [
            {"__typename": "AttemptLogAppended", "attemptId": "a1"},
            {"__typename": "CardCreated", "card": {"title": "New"}},
            {"__typename": "AttemptLogAppended", "attemptId": "a2"},
            {"__typename": "Heartbeat"},
        ]


async def test_board_events_of_one_attempt_leave_out_the_others(caller: Caller, node: Node, board: Board) -> None:
    async with caller.subscribe(EVENTS, delivery="STATE", attempt="a1") as results:
        await results.take(2)
        await publish(node, line("a2"), line("a1"))
        assert await results.next() == {"__typename": "AttemptLogAppended", "attemptId": "a1"}
        commit = {name: value for name, value in SAMPLES["git.commit.created"].items() if name != "attemptId"}
        await publish(node, event("git.commit.created", {**commit, "attemptId": "a2"}))
        await publish(node, event("git.commit.created", commit))
        assert await results.next() == {"__typename": "GitCommitCreated"}
        await node.bus.execute(board.id, CreateCard(column_id=column_id(board.state, "Backlog"), title="New"))
        assert await results.next() == {"__typename": "State"}


async def test_attempt_events_are_those_of_one_attempt(caller: Caller, node: Node, board: Board) -> None:
    for attempt_id in ("a2", "a1"):
        await publish(node, event("attempt.queued", {**SAMPLES["attempt.queued"], "attemptId": attempt_id}))
    async with caller.subscribe(ATTEMPT) as results:
        opening = await results.take(2)
        assert [one["__typename"] for one in opening] == ["Hello", "AttemptStatusChanged"]
        await publish(node, line("a2"), line("a1", "first"))
        await node.bus.execute(board.id, CreateCard(column_id=column_id(board.state, "Backlog"), title="New"))
        await publish(node, event("git.status.changed", {"projectId": BOARD}), line("a1", "second"))
        first, second = await results.take(2)
        assert (first["message"], second["message"]) == ("first", "second")
    async with caller.subscribe(ATTEMPT, after=first["cursor"]) as results:
        hello, again = await results.take(2)
    assert (hello["cursor"], again) == (first["cursor"], second)


@pytest.mark.parametrize("after", [None, "soon"])
async def test_attempt_events_of_an_unknown_attempt_are_refused(
    caller: Caller, node: Node, board: Board, after: str | None
) -> None:
    await publish(node, line("a1"))  # a log alone makes no attempt
    async with caller.subscribe(ATTEMPT, after=after) as results:
        assert await results.refusal() == ("Attempt not found", {"code": "ATTEMPT_NOT_FOUND"})


async def test_attempt_that_has_gone_is_refused_instead_of_a_gap(caller: Caller, node: Node, board: Board) -> None:
    column = column_id(board.state, "Backlog")
    created = await node.bus.execute(board.id, CreateCard(column_id=column, title="New", id="k1"))
    await publish(node, event("attempt.queued", {**SAMPLES["attempt.queued"], "cardId": "k1"}))
    await node.bus.execute(board.id, DeleteCard(card_id="k1"))
    async with caller.subscribe(ATTEMPT, after=created.position.cursor) as results:
        assert await results.refusal() == ("Attempt not found", {"code": "ATTEMPT_NOT_FOUND"})


async def test_attempt_events_complete_with_their_board(caller: Caller, node: Node, board: Board) -> None:
    await publish(node, event("attempt.queued", SAMPLES["attempt.queued"]))
    async with caller.subscribe(ATTEMPT) as results:
        assert [one["__typename"] for one in await results.take(2)] == ["Hello", "AttemptStatusChanged"]
        await publish(node, event("project.deleted", {"projectId": BOARD}))
        assert await results.next() == {"__typename": "Goodbye"}
        await results.end()
