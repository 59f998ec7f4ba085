"""`?delivery=` for clients of the raw exits: real sockets, with a second fold and `jsonpatch` as oracles."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from realtime.kanban.commands import Command, CreateCard, DeleteCard, MoveCard, UpdateCard
from realtime.kanban.ids import BoardId
from realtime.kanban.wire.board_wire import state_json
from realtime.messages.position import parse_cursor
from tests.kit.board_copy import BoardCopy
from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer, live_server
from tests.kit.publishing import Publisher, event
from tests.kit.raw_http import exchange
from tests.kit.raw_socket import open_socket
from tests.kit.sse_reader import open_stream
from tests.live.boards import BOARD, DOING, TODO, make_boards
from tests.live.raw_board import RAW_EXITS, RawSubscriber, Received, open_board

_WAIT_UNITS = 20
_DELIVERIES = ("state", "changes", "patch")
_COMMANDS: list[Command] = [
    CreateCard(column_id=TODO, title="New", id="new"),
    MoveCard(card_id="free", to_column_id=DOING, to_index=0),
    UpdateCard(card_id="free", title="Otherwise", description=None),
    DeleteCard(card_id="free"),
]
_TYPES = {
    "state": ["state"] * 4,
    "changes": ["card_created", "card_moved", "card_updated", "card_updated", "card_deleted"],
    "patch": ["patch"] * 4,
}


def _state_of(live: LiveServer) -> Any:
    view = live.node.views.get(BoardId(BOARD))
    assert view is not None
    return orjson.loads(state_json(view.board.state))


def _cursor_of(live: LiveServer) -> str:
    view = live.node.views.get(BoardId(BOARD))
    assert view is not None
    return view.position.cursor


def _from_outside() -> dict[str, Any]:
    """A state with other columns, a moved card and a new card."""
    cards = {id: {"id": id, "title": f"Title of {id}"} for id in ("waiting", "another/~card")}
    columns = {"all": {"id": "all", "title": "All", "cardIds": list(cards)}}
    state = {"columns": columns, "columnOrder": ["all"], "cards": cards}
    return event("board.state.changed", {"boardId": BOARD, "state": state})


async def _until_marked(subscriber: RawSubscriber) -> list[Received]:
    received: list[Received] = []
    while not received or received[-1].type != "agent_registered":
        received.append(await subscriber.envelope())
    return received[:-1]


@pytest.mark.parametrize("delivery", _DELIVERIES)
@pytest.mark.parametrize("exit", RAW_EXITS)
async def test_client_that_applies_its_envelopes_has_the_board(exit: str, delivery: str, boards: LiveServer) -> None:
    copy, publisher = BoardCopy(), Publisher(boards.address)
    async with open_board(boards.address, exit, delivery=delivery) as subscriber, deadline(_WAIT_UNITS):
        assert (await subscriber.envelope()).type == "hello"
        first = await subscriber.envelope()
        copy.apply(first.type, first.payload)
        for command in _COMMANDS:
            await boards.node.bus.execute(BoardId(BOARD), command)
        await publisher.mark("after the commands")
        received = await _until_marked(subscriber)
        assert [one.type for one in received] == _TYPES[delivery]
        await publisher.publish(_from_outside())
        await publisher.mark("after the state")
        received += await _until_marked(subscriber)
        for one in received:
            copy.apply(one.type, one.payload)
        assert copy.state == _state_of(boards)
    assert len({one.cursor for one in received}) == len(received)


@pytest.mark.parametrize("delivery", _DELIVERIES)
async def test_subscriber_leaves_in_the_middle_of_an_event_and_goes_on_elsewhere(
    delivery: str, boards: LiveServer
) -> None:
    copy, publisher = BoardCopy(), Publisher(boards.address)
    async with deadline(_WAIT_UNITS):
        async with open_board(boards.address, "board-sse", delivery="changes") as subscriber:
            await subscriber.envelope()
            state = await subscriber.envelope()
            await publisher.publish(_from_outside())
            for one in (state, await subscriber.envelope(), await subscriber.envelope()):
                copy.apply(one.type, one.payload)
        assert one.cursor is not None
        assert parse_cursor(one.cursor).part == 2
        async with open_board(boards.address, "board-ws", delivery=delivery, after=one.cursor) as subscriber:
            assert (await subscriber.envelope()).payload["cursor"] == one.cursor
            await publisher.mark("now")
            for later in await _until_marked(subscriber):
                copy.apply(later.type, later.payload)
            assert copy.state == _state_of(boards)


async def test_opening_is_the_same_in_every_delivery(boards: LiveServer) -> None:
    attempt = {"attemptId": "a1", "boardId": BOARD, "cardId": "free", "agent": "CODEX"}
    await Publisher(boards.address).publish(event("attempt.queued", attempt))
    openings: list[list[Received]] = []
    async with deadline(_WAIT_UNITS):
        for delivery in _DELIVERIES:
            async with open_board(boards.address, "board-ws", delivery=delivery) as subscriber:
                openings.append([await subscriber.envelope() for _ in range(3)][1:])
    assert [one.type for one in openings[0]] == ["state", "attempt_status"]
    assert openings[1] == openings[2] == openings[0]


@pytest.mark.parametrize("delivery", ["changes", "patch"])
@pytest.mark.parametrize("exit", RAW_EXITS)
async def test_client_finds_its_copy_right_by_the_heartbeats(exit: str, delivery: str, clean_log: None) -> None:
    copy = BoardCopy()
    async with live_server(heartbeat_seconds=0.05) as live:
        await make_boards(live.address)
        async with open_board(live.address, exit, delivery=delivery) as subscriber, deadline(_WAIT_UNITS):
            for command in _COMMANDS:
                await live.node.bus.execute(BoardId(BOARD), command)
            # Heartbeats on their way may be older than a change; later ones must follow all changes.
            until = _cursor_of(live)
            last, beats = "", 0
            while last != until or beats < 2:
                one = await subscriber.envelope()
                copy.apply(one.type, one.payload)
                if one.type == "heartbeat":
                    last, beats = one.payload["cursor"], beats + 1
                    assert one.payload["hash"] == copy.hash
            assert copy.state == _state_of(live)


@pytest.mark.parametrize(("delivery", "kept_alive"), [("state", "event: heartbeat\n"), ("patch", ": alive\n")])
async def test_keep_alive_of_a_stream_with_heartbeats_is_a_comment(
    delivery: str, kept_alive: str, clean_log: None
) -> None:
    async with live_server(heartbeat_seconds=0.05) as live:
        await make_boards(live.address)
        target = f"/api/v1/sse?boardId={BOARD}&delivery={delivery}"
        async with open_stream(live.address, target) as stream, deadline(_WAIT_UNITS):
            blocks = [await stream.block() for _ in range(8)]
    beats = [one for one in blocks if one.startswith("event: heartbeat\n")]
    assert any(one.startswith(kept_alive) for one in blocks)
    assert all(("hash" in one) == (delivery == "patch") for one in beats)
    assert beats


@pytest.mark.parametrize("target", [f"/api/v1/sse?boardId={BOARD}", f"/api/v1/ws?boardId={BOARD}", "/api/v1/sse?"])
@pytest.mark.parametrize("value", ["", "State", "diff"])
async def test_unknown_delivery_is_refused_with_what_is_expected(
    target: str, value: str, unchanged: LiveServer
) -> None:
    await _check_refused(unchanged, f"{target}&delivery={value}")


@pytest.mark.parametrize("value", ["changes", "patch"])
async def test_dashboard_has_no_other_delivery(value: str, unchanged: LiveServer) -> None:
    problem = await _check_refused(unchanged, f"/api/v1/sse?delivery={value}")
    assert problem["detail"] == f"expected state, got {value!r}"
    target = f"/api/v1/ws/dashboard?delivery={value}"
    async with open_socket(unchanged.address, target) as socket, deadline(_WAIT_UNITS):
        frames = [orjson.loads(await socket.receive_text())["type"] for _ in range(2)]
    assert frames == ["hello", "dashboard_overview"]  # that exit ignores the query


async def _check_refused(live: LiveServer, target: str) -> Any:
    async with deadline(_WAIT_UNITS):
        if "/ws" in target:
            async with open_socket(live.address, target) as socket:
                answer = socket.response
        else:
            answer = await exchange(live.address, "GET", target)
    assert answer.status == 400
    problem: Any = answer.json()
    assert problem["errors"] == [{"field": "delivery", "message": problem["detail"]}]
    assert problem["detail"].startswith("expected state")
    return problem
