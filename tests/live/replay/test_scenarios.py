"""Every scenario of the recordings, over real sockets: as recorded, or with a row of docs/departures.md by name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import orjson
import pytest

from tests.kit.live_server import LiveServer, live_server
from tests.kit.publishing import Publisher
from tests.kit.raw_http import Answer
from tests.kit.raw_socket import open_socket
from tests.kit.recordings import Json, scenarios
from tests.kit.sse_reader import open_stream
from tests.live.replay import departures, elsewhere
from tests.live.replay.answers import check_headers, check_problem, recorded_header
from tests.live.replay.departures import Instead
from tests.live.replay.player import Player
from tests.live.replay.stage import set_stage
from tests.live.replay.steps import SubscriberPlan, opening, sse_plan, ws_plan
from tests.live.replay.subscribers import SocketSubscriber, StreamSubscriber, Subscriber

_NOT_HERE_WS = {*elsewhere.WS, *elsewhere.APART_WS}
_NOT_HERE_SSE = {*elsewhere.SSE, *elsewhere.APART_SSE}
WS = [one for one in scenarios("ws-transcripts") if one["name"] not in _NOT_HERE_WS]
SSE = [one for one in scenarios("sse-transcripts") if one["name"] not in _NOT_HERE_SSE]


@pytest.fixture
async def live(clean_log: None, store: dict[str, str]) -> AsyncIterator[LiveServer]:
    """Run a server as `tests.live.conftest` does, for pages of loopback origins as in the recordings."""
    async with live_server(allow_local_origins=True, **store) as server:
        yield server


@pytest.mark.parametrize("scenario", WS, ids=[one["name"] for one in WS])
async def test_socket_scenario_is_as_recorded(scenario: Json, live: LiveServer) -> None:
    instead = departures.WS.get(scenario["name"])
    plans, steps = ws_plan(scenario, instead)
    await set_stage(Publisher(live.address), scenario, _openings(plans), _other_boards(scenario))
    async with AsyncExitStack() as stack:
        subscribers: dict[str, Subscriber] = {}
        for plan in plans:
            headers = [(name, value) for name, value in plan.request["headers"]]
            socket = await stack.enter_async_context(open_socket(live.address, plan.target, headers))
            _check_handshake(plan.response, socket.response, instead)
            if socket.response.status == 101:
                subscribers[plan.label] = SocketSubscriber(socket, is_dashboard=plan.is_dashboard)
        await Player(live.address, scenario, subscribers, instead).play(steps if subscribers else [])


@pytest.mark.parametrize("scenario", SSE, ids=[one["name"] for one in SSE])
async def test_stream_scenario_is_as_recorded(scenario: Json, live: LiveServer) -> None:
    instead = departures.SSE.get(scenario["name"])
    plans, steps = sse_plan(scenario, instead)
    await set_stage(Publisher(live.address), scenario, _openings(plans), _other_boards(scenario))
    async with AsyncExitStack() as stack:
        subscribers: dict[str, Subscriber] = {}
        for plan in plans:
            headers = [(name, value) for name, value in plan.request["headers"] if name != "Host"]
            method = plan.request["method"]
            stream = await stack.enter_async_context(open_stream(live.address, plan.target, headers, method))
            _check_stream_answer(plan, stream.response, None if scenario.get("rest_calls") else instead)
            if stream.is_stream and method == "GET":
                subscribers[plan.label] = StreamSubscriber(stream)
        await Player(live.address, scenario, subscribers, instead).play(steps if subscribers else [])


def _openings(plans: list[SubscriberPlan]) -> dict[str, list[Json]]:
    """Return the first envelopes of the first subscriber of each board, by board id."""
    found: dict[str, list[Json]] = {}
    for plan in plans:
        envelopes = opening(plan)
        if any(one["type"] == "state" for one in envelopes):
            found.setdefault(_board_id(plan.target), envelopes)
    return found


def _board_id(target: str) -> str:
    """Return the board that a target names, as the original read it: the first `boardId`, or else `projectId`."""
    pairs = [pair.partition("=")[::2] for pair in target.partition("?")[2].split("&")]
    named = [value for key, value in pairs if key == "boardId"] or [value for key, value in pairs if key == "projectId"]
    return named[0].replace("%2D", "-")


def _other_boards(scenario: Json) -> set[str]:
    events = [one["payload"] for one in scenario["domain_events"] if one["name"] == "project.created"]
    return {payload["projectId"] for payload in events if payload["name"] == "Beta Board"}


def _check_handshake(recorded: Json, response: Answer, instead: Instead | None) -> None:
    if instead and instead.status:
        check_problem(response, instead.status)
        return
    assert response.status == recorded["status"], f"expected {recorded['status']}, got {response}"
    if response.status != 101:
        assert response.header("X-Request-Id")
        check_problem(response, recorded["status"], _detail(recorded))
        return
    assert recorded_header(recorded, "Sec-WebSocket-Extensions") is None
    for name in ("Upgrade", "Connection", "Sec-WebSocket-Accept", "Sec-WebSocket-Protocol"):
        expected, got = recorded_header(recorded, name), response.header(name)
        same = got == expected or (got and expected and got.lower() == expected.lower())
        assert same, f"header {name}: expected {expected!r}, got {got!r}"


def _check_stream_answer(plan: SubscriberPlan, response: Answer, instead: Instead | None) -> None:
    if instead and instead.status:
        check_problem(response, instead.status)
        assert response.status != 405 or response.header("Allow")
    elif plan.response["status"] == 200:
        assert response.status == 200, f"expected a stream, got {response}"
        assert response.header("Content-Type") == "text/event-stream"
        accepted = dict(plan.request["headers"]).get("Accept-Encoding", "")
        assert response.header("Content-Encoding") == ("gzip" if "gzip" in accepted else None)
        assert response.header("X-Accel-Buffering") == "no"
        check_headers(plan.response, response)
    elif plan.request["method"] == "OPTIONS":
        _check_preflight(plan, response)
    else:
        check_problem(response, plan.response["status"], _detail(plan.response))


def _check_preflight(plan: SubscriberPlan, response: Answer) -> None:
    """Row 18: a loopback origin is allowed where the test says so, and echoed (docs/protocol.md)."""
    assert (response.status, response.body) == (204, b"")
    assert response.header("Access-Control-Allow-Origin") == dict(plan.request["headers"])["Origin"]
    methods = (response.header("Access-Control-Allow-Methods") or "").replace(" ", "").split(",")
    assert set((recorded_header(plan.response, "Access-Control-Allow-Methods") or "").split(",")) <= set(methods)


def _detail(recorded: Json) -> str:
    body: Json = orjson.loads(recorded["body"])
    detail: str = body.get("detail") or body["error"]
    return detail
