"""Whatever fails between a commit and the last socket: each reader has each event once, in order, or is told of a gap.

One reader at each exit, and a unit at a time; a fault at one place each time, in every function of ours that runs. A
reader whose connection ends comes back with the cursor it has.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import anyio
import pytest

from realtime.kanban.commands import CreateCard
from realtime.kanban.ids import BoardId
from realtime.kanban.incoming import parse_incoming
from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer, live_server
from tests.kit.publishing import event
from tests.kit.raw_http import Address, connect
from tests.kit.sse_reader import StreamEnded
from tests.live.boards import BOARD, TODO, make_boards
from tests.live.exits import EXITS, Ended, ExitReader, open_behind, open_exit
from tests.live.fault_points import Injector, Point

_WAIT_UNITS = 15
#: Parts of the work, so that several processes share it.
_SHARDS = 8
_GONE = (Ended, StreamEnded, anyio.EndOfStream, anyio.IncompleteRead, anyio.BrokenResourceError, ConnectionError)


@dataclass
class _Client:
    """A reader at one exit that stays, whatever happens to its connection."""

    name: str
    address: Address
    reader: ExitReader | None = None
    #: What it was told since the last look: `state` and the number of cards, or the label of an agent, or `gap`.
    told: list[str | int] = field(default_factory=list)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    @property
    def is_of_board(self) -> bool:
        """Whether it reads the board, and not the dashboard."""
        return not self.name.startswith("dashboard")

    async def open(self) -> None:
        """Come for the first time."""
        self.reader = await open_exit(self.name, await self._stack.enter_async_context(connect(self.address)))

    async def aclose(self) -> None:
        """Leave."""
        await self._stack.aclose()

    async def read_until(self, *last: str | int) -> None:
        """Read until one of these has been told."""
        while not any(one in self.told for one in last):
            told = await self._next()
            if told is not None:
                self.told.append(told)

    async def _next(self) -> str | int | None:
        assert self.reader is not None
        try:
            kind, payload = await self.reader.event()
        except _GONE:
            await self._come_back(self.reader.cursor)
            return None
        if kind == "state":
            return len(payload.get("state", payload)["cards"])
        return {"agent_registered": payload.get("label"), "gap": "gap", "goodbye": "goodbye"}.get(kind)

    async def _come_back(self, cursor: str | None) -> None:
        with suppress(Exception):
            await self._stack.aclose()
        self._stack = AsyncExitStack()
        connection = await self._stack.enter_async_context(connect(self.address))
        self.reader = await open_behind(self.name, connection, cursor)
        if self.name == "dashboard-ws":
            self.told.append("gap")  # it begins anew: what its address asks for is ignored, as recorded


class _World:
    """A server, a client at each exit, and one unit after the other."""

    def __init__(self, live: LiveServer, clients: list[_Client]) -> None:
        self.live, self.clients = live, clients
        self._cards = 3
        self._units = 0

    async def happen(self, kind: str, injector: Injector) -> list[str]:
        """Let one unit happen under `injector`; return what is wrong with what clients were told."""
        self._units += 1
        self._cards += 1
        label = f"unit {self._units}"
        async with deadline(_WAIT_UNITS):
            with injector.watching():
                await self._carry_out(kind, label)  # the caller has its success
                for client in self.clients:
                    due = label if kind == "events" else self._cards
                    if client.is_of_board or kind == "events":
                        await client.read_until(due, "gap")
            await self._publish(_agent("end"))
            for client in self.clients:
                await client.read_until("end")
        bad = (client for client in self.clients if not self._is_right(client, kind, label))
        wrong = [f"{client.name} was told {client.told}" for client in bad]
        for client in self.clients:
            client.told.clear()
        return [*wrong, *await self._differences()]

    async def _carry_out(self, kind: str, label: str) -> None:
        if kind == "command":
            command = CreateCard(column_id=TODO, title=label)
            done = await self.live.node.bus.execute(BoardId(BOARD), command)
            assert len(done.board.state.cards) == self._cards
        else:
            accepted = await self._publish(_state(self._cards), _agent(label))
            assert len(accepted) == 2

    async def _publish(self, *events: dict[str, Any]) -> list[Any]:
        return await self.live.node.bus.publish(parse_incoming(list(events)))

    def _is_right(self, client: _Client, kind: str, label: str) -> bool:
        """Tell whether a client was told all, once and in order; what a gap stands for is in the state behind it."""
        due: list[str | int] = [self._cards] if client.is_of_board else []
        due += [label] if kind == "events" else []
        due.append("end")
        if "gap" not in client.told:
            return client.told == due
        at = client.told.index("gap")
        before, behind = client.told[:at], client.told[at + 1 :]
        is_in_order = before == due[: len(before)] and behind[-1] == "end" and len(set(map(str, behind))) == len(behind)
        return is_in_order and (not client.is_of_board or behind[0] == self._cards)

    async def _differences(self) -> list[str]:
        """Compare the view with the rows."""
        view, stored = self.live.node.views.get(BoardId(BOARD)), await self.live.node.store.board(BoardId(BOARD))
        assert stored is not None
        if view is None or view.board != stored.board or view.position.offset != stored.offset:
            return [f"the view is {view and view.position}, the rows are at {stored.offset}"]
        return []


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
    """Return where to fail: what runs when nothing fails, the second time, when all that is made once is made."""
    assert await world.happen(kind, Injector()) == []
    injector = Injector()
    assert await world.happen(kind, injector) == []
    return list(injector.points())


@pytest.mark.parametrize("shard", range(_SHARDS))
@pytest.mark.parametrize("direct", [True, False], ids=["directly", "by ASGI"])
@pytest.mark.parametrize("kind", ["command", "events"])
async def test_each_reader_has_each_event_once_or_a_gap_whatever_fails(
    kind: str, direct: bool, shard: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    async with _world(direct=direct) as world:
        failed: list[str] = []
        for point in (await _points(world, kind))[shard::_SHARDS]:
            try:
                failed += [f"{point}: {what}" for what in await world.happen(kind, Injector(point))]
            except TimeoutError as error:
                raise AssertionError(f"{point}: {[(one.name, one.told) for one in world.clients]}, {failed}") from error
        assert not failed, "\n".join(failed)
