"""The matrix for GraphQL: every domain event × `boardEvents` of its board, `boardEvents` of another, the dashboard.

Raw subscribers of the same board run in parallel: the envelopes of one event have the same cursor on all exits.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest

from tests.kit.deadline import deadline
from tests.kit.graphql_transports import SUBPROTOCOLS, TRANSPORTS, Subscription, subscribe
from tests.kit.live_server import live_server
from tests.kit.publishing import Publisher, event
from tests.kit.raw_socket import RawSocket, open_socket
from tests.kit.recordings import Json
from tests.kit.sse_reader import SseReader, open_stream
from tests.live.event_table import AT, ATTEMPT, BOARD, MATRIX, OTHER, RENAMED, mark_dashboard, payload_of, set_stage
from tests.live.graphql_table import EVERYBODY, ITEMS, RESULTS

_DOCUMENT = (Path(__file__).parents[2] / "graphql/operations/BoardEvents.graphql").read_text(encoding="utf-8")
_OVERVIEW = "subscription { dashboardOverview { projectSnapshots { projectId name } } }"
_AFTERWARDS = "Afterwards"
_DELETED = "project.deleted"  # ends the stream, so it has its own test
_WAIT_UNITS = 10

both_subprotocols = pytest.mark.parametrize("transport", SUBPROTOCOLS)
every_transport = pytest.mark.parametrize("transport", TRANSPORTS)


@dataclass(frozen=True)
class Audience:
    """Three subscriptions, each on its own connection. Their first events are already read."""

    board: Subscription
    other: Subscription
    dashboard: Subscription
    publisher: Publisher

    async def names(self) -> dict[str, str]:
        """Wait for the next overview and return the projects' names by id."""
        overview = (await self.dashboard.data())["dashboardOverview"]
        return {one["projectId"]: one["name"] for one in overview["projectSnapshots"]}

    async def expect_nothing_more_on_dashboard(self) -> None:
        """Publish a change of the dashboard and check that it comes next."""
        await mark_dashboard(self.publisher)
        assert (await self.names())[OTHER] == RENAMED


async def until_marker(subscriber: Subscription, label: str = _AFTERWARDS) -> list[Json]:
    """Return the events before the marker."""
    found: list[Json] = []
    while (received := (await subscriber.data())["boardEvents"]).get("label") != label:
        found.append(received)
    return found


@asynccontextmanager
async def audience(transport: str = "graphql-transport-ws", *, with_attempt: bool = True) -> AsyncIterator[Audience]:
    """Run a server with two boards, subscribe to both and to the dashboard, and read the first events of each."""
    async with live_server() as server, AsyncExitStack() as stack:
        publisher = Publisher(server.address)
        await set_stage(publisher, with_attempt=with_attempt)
        board, other, dashboard = [
            await stack.enter_async_context(subscribe(transport, server.address, document, variables))
            for document, variables in (
                (_DOCUMENT, {"boardId": BOARD}),
                (_DOCUMENT, {"boardId": OTHER}),
                (_OVERVIEW, None),
            )
        ]
        made = Audience(board, other, dashboard, publisher)
        assert set(await made.names()) == {BOARD, OTHER}
        for subscriber in (board, other):
            # Not before both have begun: a marker reaches only subscribers that are already there.
            assert (await subscriber.data())["boardEvents"]["__typename"] == "Hello"
        await publisher.mark("opened")
        assert [one["__typename"] for one in await until_marker(board, "opened")] == _snapshot(with_attempt)
        assert [one["__typename"] for one in await until_marker(other, "opened")] == ["State"]
        yield made


def _snapshot(with_attempt: bool) -> list[str]:
    return ["State", "AttemptStatusChanged"] if with_attempt else ["State"]


@pytest.fixture(autouse=True)
def prompt_dashboard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let overviews come at once. Otherwise an unexpected one could be conflated with the marker's."""
    monkeypatch.setattr("realtime.views.dashboard_feed.DEBOUNCE_SECONDS", 0.0)


def without_cursors(received: list[Json]) -> list[Json]:
    """Return the results without their positions, which must be there."""
    assert all(isinstance(one["cursor"], str) and one["cursor"] for one in received)
    assert all(one["cursor"].split("-")[2].partition(".")[0] == str(one["offset"]) for one in received)
    return [{key: one[key] for key in one if key not in {"cursor", "offset", "part"}} for one in received]


@both_subprotocols
@pytest.mark.parametrize("name", sorted(set(MATRIX) - {_DELETED}))
async def test_event_reaches_exactly_its_subscribers(name: str, transport: str) -> None:
    async with audience(transport, with_attempt=name != "attempt.queued") as subscribers:
        await subscribers.publisher.publish(event(name, payload_of(name), AT))
        if MATRIX[name].refreshes:
            assert (await subscribers.names())[OTHER] != RENAMED
        await subscribers.publisher.mark(_AFTERWARDS)
        of_board, of_other = await until_marker(subscribers.board), await until_marker(subscribers.other)
        await subscribers.expect_nothing_more_on_dashboard()
    everybody = EVERYBODY.get(name, [])
    assert without_cursors(of_board) == RESULTS.get(name, []) + everybody
    assert without_cursors(of_other) == everybody


@every_transport
async def test_deleted_board_ends_its_subscription_only(transport: str) -> None:
    async with audience(transport) as subscribers:
        await subscribers.publisher.publish(event(_DELETED, payload_of(_DELETED), AT))
        goodbye = (await subscribers.board.data())["boardEvents"]
        await subscribers.board.completed()
        assert set(await subscribers.names()) == {OTHER}
        await subscribers.publisher.mark(_AFTERWARDS)
        of_other = await until_marker(subscribers.other)
    # No client should reconnect to it, so there is no delay.
    assert goodbye == {"__typename": "Goodbye", "reason": "BOARD_DELETED", "reconnectAfterMs": 0}
    assert of_other == []


async def test_conversation_items_of_all_kinds_arrive_typed() -> None:
    async with audience() as subscribers:
        payloads = [{"attemptId": ATTEMPT, "boardId": BOARD, "item": item} for item, _ in ITEMS]
        await subscribers.publisher.publish(*(event("attempt.conversation.appended", one, AT) for one in payloads))
        await subscribers.publisher.mark(_AFTERWARDS)
        received = await until_marker(subscribers.board)
    assert without_cursors(received) == [result for _, result in ITEMS]


@every_transport
async def test_batch_of_all_events_has_one_order_and_cursors_on_all_exits(transport: str) -> None:
    names = [name for name in MATRIX if name not in {_DELETED, "attempt.queued", "board.state.changed"}]
    async with audience(transport) as subscribers, raw_cursors(subscribers.publisher) as (of_socket, of_stream):
        await subscribers.publisher.publish(*(event(name, payload_of(name), AT) for name in names))
        await subscribers.publisher.mark(_AFTERWARDS)
        received = await until_marker(subscribers.board)
        cursors = [one["cursor"] for one in received]
        async with deadline(_WAIT_UNITS):
            assert [await anext(of_socket) for _ in received] == cursors
            assert [await anext(of_stream) for _ in received] == cursors
    expected = [one["__typename"] for name in names for one in RESULTS.get(name, []) + EVERYBODY.get(name, [])]
    assert [one["__typename"] for one in received] == expected
    assert len(set(cursors)) > 10


@asynccontextmanager
async def raw_cursors(publisher: Publisher) -> AsyncIterator[tuple[AsyncIterator[str], AsyncIterator[str]]]:
    """Open a raw socket and a raw stream of the board; yield the cursors after their snapshots."""
    target = f"?boardId={BOARD}"
    async with (
        open_socket(publisher.address, f"/api/v1/ws{target}") as socket,
        open_stream(publisher.address, f"/api/v1/sse{target}") as stream,
    ):
        for _ in ("hello", "state", "attempt_status"):
            await socket.receive_text()
            await stream.block()
        yield _of_socket(socket), _of_stream(stream)


async def _of_socket(socket: RawSocket) -> AsyncIterator[str]:
    while True:
        yield orjson.loads(await socket.receive_text())["cursor"]


async def _of_stream(stream: SseReader) -> AsyncIterator[str]:
    while True:
        lines = dict(line.split(": ", 1) for line in (await stream.block()).split("\n") if line)
        yield lines["id"]
