"""Subscribers whose queue overflows: every exit announces the gap, and the position to continue from."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tests.kit.deadline import deadline
from tests.kit.graphql_stream import GraphqlStream, open_graphql_stream
from tests.kit.live_server import live_server
from tests.kit.publishing import Publisher, event
from tests.kit.raw_http import Address, connect, exchange
from tests.kit.raw_socket import CLOSE, open_socket
from tests.kit.sse_reader import StreamEnded
from tests.kit.write_path import WAYS
from tests.live.boards import BOARD, make_boards
from tests.live.exits import EXITS, Ended, open_exit

pytestmark = pytest.mark.usefixtures("clean_log")

_QUEUED = 8
_WAIT_UNITS = 30
#: The last word of each exit whose subscriber prefers a disconnect; None = the end of the answer.
_ENDINGS = {
    "board-ws": 4013,
    "dashboard-ws": 4013,
    "board-sse": None,
    "dashboard-sse": None,
    "graphql-ws": "SLOW_CONSUMER",
    "older-graphql-ws": "SLOW_CONSUMER",
    "graphql-sse": "SLOW_CONSUMER",
    "graphql-sse-single": "SLOW_CONSUMER",
    "graphql-multipart": "SLOW_CONSUMER",
}
_EVENTS = """subscription ($id: ID!) { boardEvents(boardId: $id, slow: DISCONNECT) {
    __typename ... on State { cursor } ... on Goodbye { reason reconnectAfterMs } } }"""


def _flood() -> list[dict[str, Any]]:
    """Return one event more than a queue holds. A batch enters a queue in one step, whether or not the client reads."""
    return [event("agent.registered", {"agent": "A", "label": str(number)}) for number in range(_QUEUED + 1)]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", EXITS)
async def test_subscriber_with_full_queue_gets_gap_and_state_and_continues(name: str, way: str) -> None:
    async with (
        live_server(max_queued_envelopes=_QUEUED, direct_writes=WAYS[way]) as live,
        connect(live.address) as connection,
        deadline(_WAIT_UNITS),
    ):
        await make_boards(live.address)
        subscriber = await open_exit(name, connection)
        await Publisher(live.address).publish(*_flood())
        gap, (current, _) = await subscriber.event(), await subscriber.event()
        assert (gap[0], current) == ("gap", "dashboard_overview" if name.startswith("dashboard") else "state")
        assert gap[1].get("reason", "slow_consumer") == "slow_consumer"
        await Publisher(live.address).mark("live again")
        assert (await subscriber.event())[1]["label"] == "live again"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", EXITS)
async def test_subscriber_with_full_queue_that_is_to_end_learns_why(name: str, way: str) -> None:
    async with (
        live_server(max_queued_envelopes=_QUEUED, slow_policies="disconnect", direct_writes=WAYS[way]) as live,
        connect(live.address) as connection,
        deadline(_WAIT_UNITS),
    ):
        await make_boards(live.address)
        subscriber = await open_exit(name, connection)
        await Publisher(live.address).publish(*_flood())
        assert (await subscriber.event())[0] == "goodbye"
        word = _ENDINGS[name]
        with pytest.raises(Ended if word else StreamEnded) as ended:
            await subscriber.event()
        assert getattr(ended.value, "word", None) == word


async def test_socket_with_disconnect_gets_the_cursor_and_can_reconnect_with_it() -> None:
    async with live_server(max_queued_envelopes=_QUEUED) as live, deadline(_WAIT_UNITS):
        await make_boards(live.address)
        target = f"/api/v1/ws?boardId={BOARD}"
        async with open_socket(live.address, f"{target}&slow=disconnect") as socket:
            _, state = [orjson.loads(await socket.receive_text()) for _ in range(2)]
            await Publisher(live.address).publish(*_flood())
            goodbye = orjson.loads(await socket.receive_text())
            close = await socket.receive()
        cursor = state["cursor"]
        payload = {"reason": "slow_consumer", "reconnectAfterMs": 1000, "cursor": cursor}
        assert goodbye == {"type": "goodbye", "payload": payload}
        assert close.opcode == CLOSE
        assert close.close == (4013, f"Too slow; come back with after={cursor}")
        async with open_socket(live.address, f"{target}&after={cursor}") as socket:
            missed = [orjson.loads(await socket.receive_text()) for _ in range(_QUEUED + 2)][1:]
        assert [one["payload"]["label"] for one in missed] == [str(n) for n in range(_QUEUED + 1)]


async def test_subscription_with_disconnect_gets_the_cursor() -> None:
    async with live_server(max_queued_envelopes=_QUEUED) as live, deadline(_WAIT_UNITS):
        await make_boards(live.address)
        async with open_graphql_stream(live.address, _EVENTS, {"id": BOARD}) as stream:
            await _check_ending(live.address, stream)


async def _check_ending(address: Address, stream: GraphqlStream) -> None:
    _, state = [(await stream.result())["data"]["boardEvents"] for _ in range(2)]
    await Publisher(address).publish(*_flood())
    goodbye = (await stream.result())["data"]["boardEvents"]
    assert goodbye == {"__typename": "Goodbye", "reason": "SLOW_CONSUMER", "reconnectAfterMs": 1000}
    (error,) = (await stream.result())["errors"]
    assert error["extensions"] == {"code": "SLOW_CONSUMER", "cursor": state["cursor"]}


@pytest.mark.parametrize("target", [f"/api/v1/ws?boardId={BOARD}", f"/api/v1/sse?boardId={BOARD}", "/api/v1/sse?x=1"])
async def test_policy_that_the_server_does_not_have_is_a_400(target: str) -> None:
    async with live_server(slow_policies="snapshot") as live, deadline(_WAIT_UNITS):
        await make_boards(live.address)
        if "/ws" in target:
            async with open_socket(live.address, f"{target}&slow=disconnect") as socket:
                answer = socket.response
        else:
            answer = await exchange(live.address, "GET", f"{target}&slow=disconnect")
    body: Any = answer.json()
    assert (answer.status, body["errors"]) == (
        400,
        [{"field": "slow", "message": "expected snapshot, got 'disconnect'"}],
    )


async def test_dashboard_socket_ignores_what_it_is_asked() -> None:
    target = "/api/v1/ws/dashboard?slow=nonsense"
    async with live_server() as live, deadline(_WAIT_UNITS), open_socket(live.address, target) as socket:
        assert orjson.loads(await socket.receive_text())["type"] == "hello"
