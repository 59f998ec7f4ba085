"""`boardChanges` on real sockets: a client comes from a raw exit, within the changes of one event."""

from __future__ import annotations

import pytest

from realtime.kanban.commands import MoveCard
from realtime.kanban.ids import BoardId
from schema.execution import event_selector
from tests.kit.deadline import deadline
from tests.kit.graphql_stream import open_graphql_stream
from tests.kit.graphql_transports import TRANSPORTS, subscribe
from tests.kit.live_server import LiveServer, live_server
from tests.kit.publishing import Publisher, event
from tests.kit.recordings import Json
from tests.live.boards import BOARD, make_boards
from tests.live.raw_board import Received, open_board

_WAIT_UNITS = 20
_CHANGES = """subscription ($id: ID!, $after: String) { boardChanges(boardId: $id, after: $after) {
    __typename
    ... on StreamEvent { cursor } ... on ColumnsChanged { state { columns { columnId } } }
    ... on CardCreated { index card { title } } ... on CardMoved { card { cardId } toIndex }
    ... on CardDeleted { card { cardId } } ... on CardUpdated { fields card { cardId title } }
    ... on Heartbeat { hash } ... on Goodbye { reason }
} }"""
_STATES = """subscription ($id: ID!) { boardChanges(boardId: $id) {
    __typename ... on CardCreated { card { title } column { cards { title } } } } }"""
_CARDS = 40
_NAMES = {
    "columns_changed": "ColumnsChanged",
    "card_created": "CardCreated",
    "card_updated": "CardUpdated",
    "card_moved": "CardMoved",
    "card_deleted": "CardDeleted",
}


def _from_outside() -> Json:
    cards = {"waiting": {"id": "waiting", "title": "Otherwise"}, "new": {"id": "new", "title": "New"}}
    columns = {"all": {"id": "all", "title": "All", "cardIds": list(cards)}}
    state = {"columns": columns, "columnOrder": ["all"], "cards": cards}
    return event("board.state.changed", {"boardId": BOARD, "state": state})


async def _raw_changes(live: LiveServer) -> list[Received]:
    """Return the changes that a raw subscriber gets for a state from outside."""
    async with open_board(live.address, "board-sse", delivery="changes") as subscriber:
        assert [(await subscriber.envelope()).type for _ in range(2)] == ["hello", "state"]
        (cursor,) = await Publisher(live.address).publish(_from_outside())
        received = [await subscriber.envelope()]
        while received[-1].cursor != cursor:
            received.append(await subscriber.envelope())
    return received


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_raw_subscriber_goes_on_with_the_same_changes(transport: str, boards: LiveServer) -> None:
    async with deadline(_WAIT_UNITS):
        received = await _raw_changes(boards)
        assert len(received) > 5
        asked = {"id": BOARD, "after": received[1].cursor}
        async with subscribe(transport, boards.address, _CHANGES, asked) as subscription:
            hello = (await subscription.data())["boardChanges"]
            assert hello == {"__typename": "Hello", "cursor": received[1].cursor}
            shown = [(await subscription.data())["boardChanges"] for _ in received[2:]]
            assert [(one["__typename"], one["cursor"]) for one in shown] == [
                (_NAMES[one.type], one.cursor) for one in received[2:]
            ]
            move = MoveCard(card_id="new", to_column_id="all", to_index=0)
            at = (await boards.node.bus.execute(BoardId(BOARD), move)).position.cursor
            moved = (await subscription.data())["boardChanges"]
    assert moved == {"__typename": "CardMoved", "cursor": at, "card": {"cardId": "new"}, "toIndex": 0}


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_results_that_take_long_come_in_order(
    transport: str, boards: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_selector, "QUICK_SECONDS", -1)
    cards = {f"c{number}": {"id": f"c{number}", "title": str(number)} for number in range(_CARDS)}
    columns = {"all": {"id": "all", "title": "All", "cardIds": list(cards)}}
    state = {"columns": columns, "columnOrder": ["all"], "cards": cards}
    async with deadline(_WAIT_UNITS), subscribe(transport, boards.address, _STATES, {"id": BOARD}) as subscription:
        assert [(await subscription.data())["boardChanges"]["__typename"] for _ in range(2)] == ["Hello", "State"]
        await Publisher(boards.address).publish(event("board.state.changed", {"boardId": BOARD, "state": state}))
        shown: list[Json] = []
        while len(shown) < _CARDS:
            change = (await subscription.data())["boardChanges"]
            shown += [change] if change["__typename"] == "CardCreated" else []
    assert [change["card"]["title"] for change in shown] == list(map(str, range(_CARDS)))
    assert [len(change["column"]["cards"]) for change in shown] == list(range(1, _CARDS + 1))


async def test_event_ids_are_cursors_and_a_heartbeat_has_none(clean_log: None) -> None:
    async with live_server(heartbeat_seconds=0.05) as live, deadline(_WAIT_UNITS):
        await make_boards(live.address)
        async with open_graphql_stream(live.address, _CHANGES, {"id": BOARD}) as stream:
            ids: dict[str, str | None] = {}
            last = None
            while len(ids) < 3:
                block = await stream.block()
                if block.event == "next":
                    shown = block.json()["data"]["boardChanges"]
                    ids[shown["__typename"]] = block.id
                    last = shown["cursor"]
    assert set(ids) == {"Hello", "State", "Heartbeat"}
    assert (ids["Hello"], ids["Heartbeat"]) == (None, None)
    assert ids["State"] == last
