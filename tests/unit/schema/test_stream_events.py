"""The positions of events: two numbers that a client compares to apply each event once."""

from __future__ import annotations

from typing import Any

from realtime.kanban.board import Board
from realtime.kanban.commands import CreateCard
from realtime.node import Node
from tests.kit.nodes import BOARD, column_id, publish
from tests.kit.publishing import event
from tests.unit.realtime.event_samples import SAMPLES
from tests.unit.schema.caller import Caller

Json = dict[str, Any]

_EVENT = "__typename ... on StreamEvent { cursor offset part }"
BOARD_EVENTS = f'subscription ($after: String) {{ boardEvents(boardId: "{BOARD}", after: $after) {{ {_EVENT} }} }}'
BOARD_CHANGES = f'subscription {{ boardChanges(boardId: "{BOARD}") {{ {_EVENT} }} }}'
DASHBOARD_EVENTS = f"subscription {{ dashboardEvents {{ {_EVENT} }} }}"
#: Events of an opening, and of agents: they have the position of the event before them.
_AT_THE_SAME = {
    "Hello",
    "State",
    "AttemptStatusChanged",
    "AgentProfileChanged",
    "AgentRegistered",
    "Overview",
    "Heartbeat",
}


def place(shown: Json) -> tuple[int, int]:
    """Return the position of an event."""
    return shown["offset"], shown["part"]


async def all_samples(node: Node) -> None:
    """Publish each kind of event, except the one that deletes the board."""
    for name, payload in SAMPLES.items():
        if name != "project.deleted":
            await publish(node, event(name, payload))


async def until(results: Any, type: str) -> list[Json]:
    """Return the results up to one of a type."""
    shown = [await results.next()]
    while shown[-1]["__typename"] != type:
        shown.append(await results.next())
    return shown


async def test_each_event_of_a_board_has_a_greater_position(caller: Caller, node: Node, board: Board) -> None:
    async with caller.subscribe(BOARD_EVENTS) as results:
        opening = await results.take(2)
        await all_samples(node)
        await publish(node, event("project.deleted", SAMPLES["project.deleted"]))
        *live, goodbye = await until(results, "Goodbye")
    assert goodbye == {"__typename": "Goodbye"}
    shown = [*opening, *live]
    own = [place(one) for one in shown if one["__typename"] not in _AT_THE_SAME]
    assert len(own) > 8
    assert own == sorted(set(own))
    assert list(map(place, shown)) == sorted(map(place, shown))


async def test_client_told_twice_skips_exactly_what_it_has(caller: Caller, node: Node, board: Board) -> None:
    async with caller.subscribe(BOARD_EVENTS) as results:
        first = await results.next()
        await all_samples(node)
        shown = [first, *await until(results, "GitPushCompleted")]
    own = [one for one in shown if one["__typename"] not in _AT_THE_SAME]
    for n, last in enumerate(own):
        # A library that subscribes again with its first `after` gets everything again.
        async with caller.subscribe(BOARD_EVENTS, after=first["cursor"]) as results:
            again = await until(results, "GitPushCompleted")
        new = [one for one in again if one["__typename"] not in _AT_THE_SAME and place(one) > place(last)]
        assert new == own[n + 1 :]


async def test_changes_of_one_event_have_parts(caller: Caller, node: Node, board: Board) -> None:
    async with caller.subscribe(BOARD_CHANGES) as results:
        state = (await results.take(2))[1]
        await publish(node, event("board.state.changed", SAMPLES["board.state.changed"]))
        changes = [await results.next()]
        while changes[-1]["part"]:
            changes.append(await results.next())
    offset = state["offset"]
    assert len(changes) > 1
    assert [place(one) for one in changes[:-1]] == [(offset, n) for n in range(1, len(changes))]
    assert place(changes[-1]) == (offset + 1, 0)


async def test_answer_of_a_mutation_has_the_offset_of_its_event(caller: Caller, node: Node, board: Board) -> None:
    document = f"""mutation ($input: CreateCardInput!) {{ createCard(boardId: "{BOARD}", input: $input) {{
        ... on CreateCardPayload {{ cursor offset state {{ offset }} }} }} }}"""
    column = column_id(board.state, "Backlog")
    async with caller.subscribe(BOARD_CHANGES) as results:
        before = (await results.take(2))[1]
        answer = await caller.run(document, input={"columnId": column, "title": "t"})
        created = await results.next()
    assert (created["cursor"], created["offset"]) == (answer["cursor"], answer["offset"])
    assert answer["offset"] == answer["state"]["offset"] > before["offset"]
    assert (await caller.run(f'{{ board(boardId: "{BOARD}") {{ offset }} }}'))["offset"] == answer["offset"]


async def test_events_of_one_unit_have_one_position_each(caller: Caller, node: Node, board: Board) -> None:
    column = column_id(board.state, "Backlog")
    async with caller.subscribe(BOARD_CHANGES) as results:
        await results.take(2)
        executed = await node.bus.execute(board.id, *(CreateCard(column_id=column, title=f"t{n}") for n in range(3)))
        created = await results.take(3)
    assert [place(one) for one in created] == sorted({place(one) for one in created})
    assert place(created[-1]) == executed.position.place


async def test_dashboard_counts_in_the_log_of_all_boards(caller: Caller, node: Node, board: Board) -> None:
    async with caller.subscribe(DASHBOARD_EVENTS) as results:
        hello, overview = await results.take(2)
        await publish(node, *(event("agent.registered", {"agent": f"A{n}"}) for n in range(2)))
        registered = await results.take(2)
    assert place(hello) == place(overview)
    assert [place(one) for one in registered] == [(hello["offset"] + n, 0) for n in (1, 2)]
