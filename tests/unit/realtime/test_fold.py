"""Three ways to the same board: the rows of the store, the view in memory, and a fold of the whole log.

The three agree after each step, whatever happens on two boards, watched or not. A subscriber that stayed has the newest
state. Snapshots, replay and time travel depend on this property.
"""

from __future__ import annotations

from contextlib import AsyncExitStack, aclosing

import orjson
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from realtime.backends.memory import MemoryBroker
from realtime.fanout.subscriber import Subscriber
from realtime.kanban import events
from realtime.kanban.board import Board
from realtime.kanban.changes import changes_from_json, changes_to_json
from realtime.kanban.ids import BoardId
from realtime.kanban.models import AttemptRef
from realtime.kanban.projection import new_project
from realtime.kanban.wire.board_wire import state_json
from realtime.messages.channels import EVERYBODY, Channel, board_channel
from realtime.node import Node
from realtime.ports import StoredEvent
from tests.kit.deadline import deadline
from tests.kit.envelope_streams import board_stream
from tests.kit.nodes import open_node, open_store, order_of, queued
from tests.unit.realtime.history import BOARDS, Step, carry_out, steps

_UNITS = 30


class _Subscriber:
    """A subscriber that watches a board for a while."""

    def __init__(self, node: Node, board_id: BoardId) -> None:
        self.board_id = board_id
        self.queue = Subscriber(10_000)
        self._node = node
        self._open = AsyncExitStack()
        self.last_state = b""

    async def begin(self) -> None:
        stream = await self._open.enter_async_context(aclosing(board_stream(self._node, self.board_id, self.queue)))
        hello = await anext(stream)
        assert hello.type == "hello"
        self.last_state = (await anext(stream)).payload_json()

    async def catch_up(self) -> None:
        """Read the queue; remember the last state."""
        for envelope in await queued(self.queue):
            if envelope.type == "state":
                self.last_state = envelope.payload_json()

    async def end(self) -> None:
        await self._open.aclose()


class _Watchers:
    """The subscribers of the two boards, at most one for each."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._subscribers: dict[BoardId, _Subscriber] = {}

    async def toggle(self, board_id: BoardId) -> None:
        subscriber = self._subscribers.pop(board_id, None)
        if subscriber:
            await subscriber.end()
        elif await self._node.store.board(board_id):
            subscriber = self._subscribers[board_id] = _Subscriber(self._node, board_id)
            await subscriber.begin()

    async def check(self) -> None:
        for board_id, subscriber in list(self._subscribers.items()):
            view = self._node.views.get(board_id)
            if view is None:  # the board was deleted
                await self.toggle(board_id)
            else:
                await subscriber.catch_up()
                assert orjson.loads(subscriber.last_state) == orjson.loads(state_json(view.board.state))

    async def end(self) -> None:
        for subscriber in self._subscribers.values():
            await subscriber.end()


def _folded(log: list[StoredEvent], board_id: BoardId) -> Board | None:
    """Fold the whole log of a board, with changes read back from their stored form."""
    board: Board | None = None
    for stored in log:
        recorded = stored.recorded
        if stored.channel != board_channel(board_id):
            continue
        if isinstance(recorded.event, events.ProjectCreated) and board is None:
            board = Board(new_project(recorded.event, recorded.at))
        if isinstance(recorded.event, events.ProjectDeleted):
            board = None
        if board is not None:
            payload = orjson.loads(orjson.dumps(recorded.event.payload()))
            read = events.parse_event(recorded.event.type, payload)
            made = changes_from_json(changes_to_json(recorded.changes))
            board.apply(recorded._replace(event=read, changes=made))
    return board


async def _check_board(node: Node, log: list[StoredEvent], board_id: BoardId) -> None:
    stored, view = await node.store.board(board_id), node.views.get(board_id)
    folded = _folded(log, board_id)
    if stored is None:
        assert folded is None
        assert view is None
        return
    assert folded is not None
    assert stored.board == folded
    assert order_of(stored.board) == order_of(folded)
    cards = folded.state.cards
    assert await node.store.cards_by_key([(board_id, id) for id in cards]) == {
        (board_id, id): card for id, card in cards.items()
    }
    rows = await node.store.attempts(board_id)
    refs = [AttemptRef(row.id, row.card_id, row.status, row.created_at, row.updated_at, row.ended_at) for row in rows]
    assert refs == folded.newest_attempts()
    assert list(stored.board.gone) == list(folded.gone)
    if view is not None:
        assert view.board == folded
        assert order_of(view.board) == order_of(folded)
        assert (view.position.offset, view.position.global_offset) == (stored.offset, stored.global_offset)


async def _check_offsets(node: Node, log: list[StoredEvent]) -> None:
    for channel in (EVERYBODY, *map(board_channel, BOARDS)):
        offsets = [stored.offset for stored in log if stored.channel == channel]
        assert offsets == list(range(1, len(offsets) + 1))
        assert await node.store.offset(channel) == len(offsets)
    seen = 0
    for stored in log:
        seen += stored.channel == EVERYBODY
        assert stored.global_offset == seen


async def _check_history(node: Node, log: list[StoredEvent], history: list[Step]) -> None:
    watchers = _Watchers(node)
    try:
        for step in history:
            if step.kind == "watch":
                await watchers.toggle(BOARDS[step.board])
            else:
                await carry_out(node, step)
            for board_id in BOARDS:
                await _check_board(node, log, board_id)
            await watchers.check()
        await _check_offsets(node, log)
    finally:
        await watchers.end()


# A history is slow, so there are fewer of them. No shrinking, because the first failing one is clear enough.
@settings(phases=(Phase.explicit, Phase.reuse, Phase.generate), max_examples=settings().max_examples // 3 + 1)
@pytest.mark.timeout(0)  # each history has its own deadline
@given(history=st.lists(steps(), min_size=5, max_size=40))
async def test_rows_view_and_log_agree_after_each_step(history: list[Step]) -> None:
    log: list[StoredEvent] = []
    broker = MemoryBroker()
    async with deadline(_UNITS), open_store() as store, open_node(store, broker=broker) as node:
        broker.subscribe(log.extend)
        for board_id in BOARDS:
            await carry_out(node, Step("project.created", BOARDS.index(board_id)))
        await _check_history(node, log, history)


def test_boards_of_the_property_have_channels_of_their_own() -> None:
    channels: set[Channel] = set(map(board_channel, BOARDS))
    assert len(channels) == len(BOARDS)
