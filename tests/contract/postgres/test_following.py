"""Hints that are lost, doubled, late or out of order: the readers of another node get each event once, in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import aclosing

import pytest

from realtime.backends.memory import MemoryBroker
from realtime.ports import Heads, Listener
from realtime.views import follower
from tests.kit.deadline import deadline
from tests.kit.envelope_streams import board_stream
from tests.kit.nodes import BOARD, create_board, open_node, open_store, publish, take
from tests.kit.plain_envelopes import decoded
from tests.kit.publishing import event

LINES = 6
Change = Callable[[Sequence[Heads]], Sequence[Heads]]
CHANGES: dict[str, Change] = {
    "as they were": lambda hints: hints,
    "lost": lambda hints: (),
    "every other lost": lambda hints: hints[::2],
    "doubled": lambda hints: [hint for hint in hints for _ in range(2)],
    "reversed": lambda hints: hints[::-1],
    "repeated late": lambda hints: [*hints, *hints[:2]],
}


class _Hints(MemoryBroker):
    """Collects the hints of one node, until the test gives them to the listener of another."""

    def __init__(self) -> None:
        super().__init__()
        self.listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        self.listeners.append(listener)


@pytest.mark.parametrize("change", CHANGES)
async def test_reader_of_another_node_has_each_event_once_in_order(
    change: str, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without comparing, unless hints are lost.
    monkeypatch.setattr(follower, "COMPARE_SECONDS", 0.05 if "lost" in change else 1000.0)
    broker = _Hints()
    async with (
        deadline(30),
        open_store(postgres_url) as store,
        open_node(store) as writer,
        open_store(postgres_url) as same,
        open_node(same, broker=broker) as reader,
    ):
        await create_board(writer)
        async with reader.following(), aclosing(board_stream(reader, BOARD)) as stream:
            await take(stream, 2)
            hints: list[Heads] = []
            for n in range(LINES):
                line = {"attemptId": "a1", "boardId": BOARD, "level": "info", "message": str(n)}
                (accepted,) = await publish(writer, event("attempt.log.appended", line))
                hints.append({accepted.channel: accepted.offset})
                (agent,) = await publish(writer, event("agent.registered", {"agent": f"A{n}"}))
                hints.append({agent.channel: agent.offset})
            for hint in CHANGES[change](hints):
                for listener in broker.listeners:
                    listener(hint)
            got = await take(stream, 2 * LINES, units=20)
    lines = [decoded(one)["message"] for one in got if one.type == "attempt_log"]
    assert lines == [str(n) for n in range(LINES)]
    assert [decoded(one)["agent"] for one in got if one.type == "agent_registered"] == [f"A{n}" for n in range(LINES)]
    assert len({one.cursor for one in got}) == 2 * LINES


async def test_node_compares_at_once_when_hints_may_be_lost(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower, "COMPARE_SECONDS", 1000.0)
    broker = _Hints()
    async with (
        deadline(30),
        open_store(postgres_url) as store,
        open_node(store) as writer,
        open_store(postgres_url) as same,
        open_node(same, broker=broker) as reader,
    ):
        await create_board(writer)
        async with reader.following(), aclosing(board_stream(reader, BOARD)) as stream:
            await take(stream, 2)
            await publish(writer, event("agent.registered", {"agent": "A"}))
            broker.listeners[0](None)
            (got,) = await take(stream, 1, units=20)
    assert got.type == "agent_registered"
