"""`/metrics`: every number increases by exactly the number of occurrences, and reveals no board or client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

import orjson
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as plain_metrics
from pydantic import SecretStr

from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer, live_server
from tests.kit.publishing import Publisher, event
from tests.kit.raw_http import Answer, connect, exchange
from tests.kit.raw_socket import open_socket
from tests.kit.sse_reader import StreamEnded
from tests.live.boards import BOARD, TODO, make_boards
from tests.live.exits import EXITS, Ended, ExitSubscriber, open_exit
from tests.live.scrape import Key, Samples, key, samples

pytestmark = pytest.mark.usefixtures("clean_log")

_WAIT_UNITS = 30
_QUEUED = 8
_TOKEN = "a-token-of-sixteen-or-more"
_STATE = {"columns": {TODO: {"id": TODO, "title": "Backlog", "cardIds": []}}, "columnOrder": [TODO], "cards": {}}
#: Exits of a board. Those of the dashboard stay open when a board is deleted.
_OF_BOARD = [name for name in EXITS if not name.startswith("dashboard")]


async def _scrape(live: LiveServer, accept: str | None = None, token: str | None = None) -> Answer:
    headers = [("Accept", accept)] if accept else []
    headers += [("Authorization", f"Bearer {token}")] if token else []
    return await exchange(live.address, "GET", "/metrics", headers=headers)


def _growth(before: Samples, after: Samples) -> Samples:
    grown = {key: after.get(key, 0.0) - before.get(key, 0.0) for key in {**before, **after}}
    return {key: value for key, value in grown.items() if value}


async def _until(live: LiveServer, before: Samples, expected: Mapping[Key, float]) -> None:
    """Return when exactly these numbers were added. Streams notice a little later that their client has left."""
    grown: Samples = {}
    try:
        async with deadline(_WAIT_UNITS):
            while (grown := _growth(before, await samples(live.address))) != expected:
                pass
    except TimeoutError:
        raise AssertionError(f"expected {expected}, got {grown}") from None


@asynccontextmanager
async def _subscribers(live: LiveServer, *names: str) -> AsyncIterator[dict[str, ExitSubscriber]]:
    async with AsyncExitStack() as stack:
        yield {name: await open_exit(name, await stack.enter_async_context(connect(live.address))) for name in names}


@pytest.fixture
async def small() -> AsyncIterator[LiveServer]:
    """Run a server with the two boards and small queues."""
    async with live_server(max_queued_envelopes=_QUEUED) as live:
        await make_boards(live.address)
        yield live


async def test_subscribers_and_what_they_are_sent_are_counted_until_they_leave(small: LiveServer) -> None:
    before = await samples(small.address)
    async with _subscribers(small, *EXITS) as subscribers:
        await Publisher(small.address).mark("one")
        for subscriber in subscribers.values():
            assert (await subscriber.event())[0] == "agent_registered"
        opened = {key("readers", exit=name): 1.0 for name in EXITS}
        # Hello, the current state, the marker.
        sent = {key("envelopes_sent_total", exit=name): 3.0 for name in EXITS}
        stored = {key("events_stored_total"): 1.0}
        await _until(small, before, {**opened, **sent, **stored})
    assert BOARD not in (await _scrape(small)).body.decode()
    left = {key("readers_ended_total", exit=name, reason="client_left"): 1.0 for name in EXITS}
    await _until(small, before, {**sent, **stored, **left})


async def test_states_that_may_not_wait_together_are_conflated(small: LiveServer) -> None:
    async with _subscribers(small, *_OF_BOARD) as subscribers:
        before = await samples(small.address)
        titles = [b"T%d" % n for n in range(_QUEUED + 1)]
        titled = [orjson.loads(orjson.dumps(_STATE).replace(b"Backlog", title)) for title in titles]
        changed = [event("board.state.changed", {"boardId": BOARD, "state": state}) for state in titled]
        await Publisher(small.address).publish(*changed)
        for subscriber in subscribers.values():
            assert (await subscriber.event())[0] == "state"
        expected = {key("envelopes_conflated_total", exit=name): float(_QUEUED) for name in _OF_BOARD}
        expected |= {key("envelopes_sent_total", exit=name): 1.0 for name in _OF_BOARD}
        await _until(small, before, {**expected, key("events_stored_total"): _QUEUED + 1.0})


async def test_dropped_envelopes_and_their_gap_are_counted(small: LiveServer) -> None:
    async with _subscribers(small, *EXITS) as subscribers:
        before = await samples(small.address)
        await Publisher(small.address).publish(*[event("agent.registered", {"agent": "A"})] * (_QUEUED + 1))
        for subscriber in subscribers.values():
            gap, _ = await subscriber.event(), await subscriber.event()
            assert gap[0] == "gap"
        expected = {key("events_stored_total"): _QUEUED + 1.0}
        for name in EXITS:
            expected[key("envelopes_dropped_total", exit=name)] = _QUEUED + 1.0
            expected[key("gaps_total", exit=name, reason="slow_consumer")] = 1.0
            expected[key("envelopes_sent_total", exit=name)] = 2.0
        await _until(small, before, expected)


async def test_gap_of_a_cursor_that_leads_nowhere_is_counted_by_its_reason(small: LiveServer) -> None:
    before = await samples(small.address)
    target = f"/api/v1/ws?boardId={BOARD}&after=0-00000000-0-0"
    async with open_socket(small.address, target) as socket:
        types = [orjson.loads(await socket.receive_text())["type"] for _ in range(3)]
    assert types == ["hello", "gap", "state"]
    expected = {key("gaps_total", exit="board-ws", reason="epoch_changed"): 1.0}
    expected |= {key("readers_ended_total", exit="board-ws", reason="client_left"): 1.0}
    await _until(small, before, {**expected, key("envelopes_sent_total", exit="board-ws"): 3.0})


@pytest.mark.parametrize("reason", ["board_deleted", "slow_consumer"])
async def test_end_of_a_stream_is_counted_by_its_reason(reason: str) -> None:
    narrow = live_server(max_queued_envelopes=_QUEUED, slow_policies="disconnect")
    async with narrow as live, deadline(_WAIT_UNITS):
        await make_boards(live.address)
        names = [name for name in _OF_BOARD if reason != "board_deleted" or "graphql" in name]
        async with _subscribers(live, *names) as subscribers:
            before = await samples(live.address)
            flood = [event("attempt.log.appended", _LINE)] * (_QUEUED + 1)
            ending = [event("project.deleted", {"projectId": BOARD})] if reason == "board_deleted" else flood
            await Publisher(live.address).publish(*ending)
            for subscriber in subscribers.values():
                assert (await subscriber.event())[0] == "goodbye"
                with pytest.raises((Ended, StreamEnded)):
                    await subscriber.event()
            expected = {key("readers_ended_total", exit=name, reason=reason): 1.0 for name in names}
            expected |= {key("readers", exit=name): -1.0 for name in names}
            expected |= {key("envelopes_sent_total", exit=name): 1.0 for name in names}
            if reason == "slow_consumer":
                expected |= {key("envelopes_dropped_total", exit=name): _QUEUED + 1.0 for name in names}
            await _until(live, before, {**expected, key("events_stored_total"): float(len(ending))})


_LINE = {"attemptId": "a", "boardId": BOARD, "level": "info", "message": "m"}


async def test_socket_that_says_nothing_is_counted_as_such() -> None:
    async with live_server(heartbeat_timeout_seconds=0.2) as live, deadline(_WAIT_UNITS):
        await make_boards(live.address)
        before = await samples(live.address)
        async with _subscribers(live, "board-ws") as subscribers:
            with pytest.raises(Ended):
                await subscribers["board-ws"].event()
            expected = {key("readers_ended_total", exit="board-ws", reason="heartbeat_timeout"): 1.0}
            await _until(live, before, {**expected, key("envelopes_sent_total", exit="board-ws"): 2.0})


async def test_refused_command_is_counted_by_its_code(small: LiveServer) -> None:
    before = await samples(small.address)
    answer = await exchange(small.address, "DELETE", f"/api/v1/boards/{BOARD}/cards/nowhere")
    assert answer.status == 404
    await _until(small, before, {key("commands_refused_total", code="card_not_found"): 1.0})


@pytest.mark.parametrize("accept", [None, "application/openmetrics-text; version=1.0.0"])
async def test_format_is_the_one_that_is_asked_for(accept: str | None, standing: LiveServer) -> None:
    answer = await _scrape(standing, accept)
    kind = answer.header("Content-Type") or ""
    assert kind.startswith("application/openmetrics-text; version=1.0.0" if accept else "text/plain; version=")
    families = {one.name for one in (open_metrics if accept else plain_metrics)(answer.body.decode())}
    assert {"boardcast_readers", "boardcast_envelopes_sent", "process_resident_memory_bytes"} <= families
    assert (await exchange(standing.address, "POST", "/metrics")).status == 405


async def test_metrics_are_for_those_who_may_enter() -> None:
    async with live_server(tokens=SecretStr(_TOKEN)) as live:
        assert [(await _scrape(live, token=token)).status for token in (None, "another-token-of-16", _TOKEN)] == [
            401,
            401,
            200,
        ]
