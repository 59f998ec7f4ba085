"""Three subscribers of one kind, as in the recordings of events: a board, another board, the dashboard."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Literal

from tests.kit.publishing import Publisher
from tests.kit.raw_http import Address
from tests.kit.raw_socket import open_socket
from tests.kit.recordings import Json
from tests.kit.sse_reader import open_stream
from tests.live.replay.subscribers import SocketSubscriber, StreamSubscriber, Subscriber

__all__ = ["Era", "Listeners", "listening"]

#: The exit of the subscribers: raw WebSocket or raw SSE.
Era = Literal["ws", "sse"]

BOARD_1, BOARD_2, DASHBOARD = "board-1", "board-2", "dashboard"
_TARGETS = {
    "ws": ("/api/v1/ws?boardId={}", "/api/v1/ws/dashboard"),
    "sse": ("/api/v1/sse?boardId={}", "/api/v1/sse"),
}


class Listeners:
    """Connected subscribers by name. Their first events are already read."""

    def __init__(self, subscribers: Mapping[str, Subscriber], publisher: Publisher) -> None:
        """Listen with `subscribers`; publish markers through `publisher`."""
        self._subscribers = subscribers
        self._publisher = publisher

    async def received(self, label: str) -> dict[str, list[Json]]:
        """Publish a marker and return the envelopes before it, per subscriber."""
        await self._publisher.mark(label)
        return {name: await self._until_marker(subscriber, label) for name, subscriber in self._subscribers.items()}

    async def overview(self) -> Json:
        """Wait for the next overview on the dashboard, which must come next."""
        envelope = await self._subscribers[DASHBOARD].envelope()
        assert envelope["type"] == "dashboard_overview", f"expected an overview, got {envelope}"
        return envelope

    @staticmethod
    async def _until_marker(subscriber: Subscriber, label: str) -> list[Json]:
        found: list[Json] = []
        while True:
            envelope = await subscriber.envelope()
            if envelope["type"] == "agent_registered" and envelope["payload"]["label"] == label:
                return found
            found.append(envelope)


@asynccontextmanager
async def listening(address: Address, era: Era, board_1: str, board_2: str) -> AsyncIterator[Listeners]:
    """Connect to both boards and the dashboard and read `hello` and the first snapshot of each."""
    board, dashboard = _TARGETS[era]
    targets = {BOARD_1: board.format(board_1), BOARD_2: board.format(board_2), DASHBOARD: dashboard}
    async with AsyncExitStack() as stack:
        subscribers: dict[str, Subscriber] = {}
        for name, target in targets.items():
            if era == "ws":
                socket = await stack.enter_async_context(open_socket(address, target))
                subscribers[name] = SocketSubscriber(socket, is_dashboard=name == DASHBOARD)
            else:
                subscribers[name] = StreamSubscriber(await stack.enter_async_context(open_stream(address, target)))
        # A store with several connections may publish a marker first that was sent after a handshake.
        for name, subscriber in subscribers.items():
            assert [(await subscriber.envelope())["type"] for _ in range(2)] == ["hello", _snapshot(name)]
        listeners = Listeners(subscribers, Publisher(address))
        await listeners.received("opened")
        yield listeners


def _snapshot(name: str) -> str:
    return "dashboard_overview" if name == DASHBOARD else "state"
