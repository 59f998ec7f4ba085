"""A fault at any place between a commit and the last socket: each client gets each event once in order, or a gap.

There is one client at each exit, and one unit at a time. Each unit has a fault at one place, in every function of ours
that runs. A client whose connection ends reconnects with its cursor.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import anyio
import orjson
import pytest

from realtime.kanban.commands import CreateCard
from realtime.kanban.ids import BoardId
from realtime.kanban.incoming import parse_incoming
from realtime.writing.bus import Accepted
from realtime.writing.command_unit import Executed
from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer, live_server
from tests.kit.publishing import event
from tests.kit.raw_http import Address, connect
from tests.kit.raw_socket import open_socket
from tests.kit.sse_reader import StreamEnded
from tests.live.boards import BOARD, TODO, make_boards
from tests.live.exits import EXITS, Ended, ExitSubscriber, open_behind, open_exit
from tests.live.fault_points import Injector, Point

_WAIT_UNITS = 15
#: The places are divided into this many parts, for several processes.
_SHARDS = 6
_GONE = (Ended, StreamEnded, anyio.EndOfStream, anyio.IncompleteRead, anyio.BrokenResourceError, ConnectionError)


@dataclass
class _Client:
    """A client at one exit that reconnects whenever its connection ends."""

    name: str
    address: Address
    subscriber: ExitSubscriber | None = None
    #: The events since the last check: the number of cards of a `state`, the label of an agent, or `gap`.
    received: list[str | int] = field(default_factory=list)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    @property
    def is_of_board(self) -> bool:
        """Whether it reads the board, and not the dashboard."""
        return not self.name.startswith("dashboard")

    async def open(self) -> None:
        """Connect for the first time."""
        self.subscriber = await open_exit(self.name, await self._stack.enter_async_context(connect(self.address)))

    async def aclose(self) -> None:
        """Close the connection."""
        await self._stack.aclose()

    async def read_until(self, *last: str | int) -> bool:
        """Read until one of these events. False: the client began anew after the event, and will not get it."""
        while not any(one in self.received for one in last):
            received = await self._next()
            if received is not None:
                self.received.append(received)
            elif self.name == "dashboard-ws":
                return False
        return True

    async def _next(self) -> str | int | None:
        assert self.subscriber is not None
        try:
            kind, payload = await self.subscriber.event()
        except _GONE:
            await self._come_back(self.subscriber.cursor)
            return None
        if kind in ("dashboard_overview", "heartbeat"):
            return await self._next()
        if kind == "state":
            return len(payload.get("state", payload)["cards"])
        return payload["label"] if kind == "agent_registered" else kind

    async def _come_back(self, cursor: str | None) -> None:
        with suppress(Exception):
            await self._stack.aclose()
        self._stack = AsyncExitStack()
        connection = await self._stack.enter_async_context(connect(self.address))
        self.subscriber = await open_behind(self.name, connection, cursor)
        if self.name == "dashboard-ws":
            self.received.append(
                "gap"
            )  # it begins anew, because its exit ignores the cursor in the address, as recorded


class _World:
    """A server, a client at each exit, and one unit after the other."""

    def __init__(self, live: LiveServer, clients: list[_Client]) -> None:
        self.live, self.clients = live, clients
        self._cards = 3
        self._units = 0

    async def happen(self, kind: str, injector: Injector) -> list[str]:
        """Execute one unit under `injector`; return a description of each error in the clients' events."""
        self._units += 1
        self._cards += 1
        label = f"unit {self._units}"
        async with deadline(_WAIT_UNITS):
            with injector.watching():
                answer = await self._carry_out(kind, label)
                for client in self.clients:
                    if client.is_of_board or kind == "events":
                        await client.read_until(label if kind == "events" else self._cards, "gap")
            self._check(answer)
            ends = await self._settle()
        due: list[str | int] = [self._cards, *([label] if kind == "events" else []), *ends]
        bad = (client for client in self.clients if not _is_right(client, due))
        wrong = [f"{client.name} received {client.received}" for client in bad]
        for client in self.clients:
            client.received.clear()
        return [*wrong, *await self._differences()]

    async def _carry_out(self, kind: str, label: str) -> Executed | list[Accepted]:
        if kind == "command":
            return await self.live.node.bus.execute(BoardId(BOARD), CreateCard(column_id=TODO, title=label))
        return await self._publish(_state(self._cards), _agent(label))

    def _check(self, answer: Executed | list[Accepted]) -> None:
        """Check that the caller's answer is a success, and correct."""
        if isinstance(answer, Executed):
            assert len(answer.board.state.cards) == self._cards
        else:
            assert [accepted.duplicate for accepted in answer] == [False, False]

    async def _publish(self, *events: dict[str, Any]) -> list[Accepted]:
        return await self.live.node.bus.ingest(parse_incoming(list(events)))

    async def _settle(self) -> list[str]:
        """Publish a marker after the unit and return it; publish again if a connection ended during the marker."""
        ends: list[str] = []
        while not ends or not all([await client.read_until(ends[-1]) for client in self.clients]):
            ends.append(f"end {len(ends)}")
            await self._publish(_agent(ends[-1]))
        return ends

    async def _differences(self) -> list[str]:
        """Compare the view with the rows."""
        view, stored = self.live.node.views.get(BoardId(BOARD)), await self.live.node.store.board(BoardId(BOARD))
        assert stored is not None
        if view is None or view.board != stored.board or view.position.offset != stored.offset:
            return [f"the view is {view and view.position}, the rows are at {stored.offset}"]
        return []


def _is_right(client: _Client, due: Sequence[str | int]) -> bool:
    """Return whether a client got every expected event once and in order.

    The state after a gap replaces missed events.
    """
    if not client.is_of_board:
        due = due[1:]
    if "gap" not in client.received:
        return client.received == list(due)
    at = client.received.index("gap")
    before, behind = client.received[:at], client.received[at + 1 :]
    is_in_order = (
        before == list(due[: len(before)]) and behind[-1] == due[-1] and len(set(map(str, behind))) == len(behind)
    )
    return is_in_order and (not client.is_of_board or behind[0] == due[0])


def _agent(label: str) -> dict[str, Any]:
    return event("agent.registered", {"agent": "A", "label": label})


def _state(count: int) -> dict[str, Any]:
    ids = [f"k{n}" for n in range(count)]
    columns = {TODO: {"id": TODO, "title": "Backlog", "cardIds": ids}}
    cards = {id: {"id": id, "title": id} for id in ids}
    state = {"columns": columns, "columnOrder": [TODO], "cards": cards}
    return event("board.state.changed", {"boardId": BOARD, "state": state})


@asynccontextmanager
async def _world(*, direct: bool) -> AsyncIterator[_World]:
    async with live_server(direct_writes=direct) as live, AsyncExitStack() as stack:
        await make_boards(live.address)
        clients = [_Client(name, live.address) for name in EXITS]
        async with deadline(_WAIT_UNITS):
            for client in clients:
                stack.push_async_callback(client.aclose)
                await client.open()
        yield _World(live, clients)


async def _points(world: _World, kind: str) -> list[Point]:
    """Return the places for faults: the functions of a second run without faults, when all caches are filled."""
    assert await world.happen(kind, Injector()) == []
    injector = Injector()
    assert await world.happen(kind, injector) == []
    return list(injector.points())


# A fault may come between the creation of a coroutine and its `await`.
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("shard", range(_SHARDS))
@pytest.mark.parametrize(("kind", "direct"), [("command", True), ("events", True), ("events", False)])
async def test_each_subscriber_gets_each_event_once_or_a_gap_despite_faults(
    kind: str, direct: bool, shard: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    async with _world(direct=direct) as world:
        failed: list[str] = []
        for point in (await _points(world, kind))[shard::_SHARDS]:
            try:
                failed += [f"{point}: {what}" for what in await world.happen(kind, Injector(point))]
            except TimeoutError as error:
                raise AssertionError(
                    f"{point}: {[(one.name, one.received) for one in world.clients]}, {failed}"
                ) from error
        assert not failed, "\n".join(failed)
    gc.collect()  # here, so that it does not affect the next test


async def test_client_that_asks_for_the_state_while_it_is_broken_gets_it_when_it_is_whole(boards: LiveServer) -> None:
    async with deadline(_WAIT_UNITS), open_socket(boards.address, f"/api/v1/ws?boardId={BOARD}") as socket:
        assert [orjson.loads(await socket.receive_text())["type"] for _ in range(2)] == ["hello", "state"]
        position = boards.node.views.position(BoardId(BOARD))
        boards.node.views.fall_behind(BoardId(BOARD), position)
        assert boards.node.views.get(BoardId(BOARD)) is None
        await socket.send_json({"type": "get_state"})
        answer = orjson.loads(await socket.receive_text())
        assert (answer["type"], len(answer["payload"]["cards"])) == ("state", 3)
