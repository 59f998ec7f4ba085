"""Execution in passes: other tasks run between them, and no operation is forgotten."""

from __future__ import annotations

import asyncio
import gc
import warnings
from typing import Any

import anyio
import pytest

from realtime.kanban.board import Board
from realtime.node import Node
from schema.execution import pacing
from schema.execution.pacing import Meter, pacer
from tests.kit.deadline import deadline
from tests.kit.nodes import BOARD, publish
from tests.kit.publishing import event
from tests.unit.schema.caller import Caller


@pytest.fixture
def no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """End every pass at once."""
    monkeypatch.setattr("realtime.fanout.turns.TURN_SECONDS", -1.0)


@pytest.mark.usefixtures("no_time")
async def test_turns_are_had_in_order() -> None:
    had: list[int] = []

    async def work(number: int) -> None:
        meter = Meter()
        for _ in range(3):
            await pacer().turn(meter)
            had.append(number)

    async with deadline(5), asyncio.TaskGroup() as tasks:
        for number in range(20):
            tasks.create_task(work(number))
    assert had[:20] == list(range(20))
    assert sorted(had) == sorted([*range(20)] * 3)


@pytest.mark.usefixtures("no_time")
async def test_turn_of_one_that_left_is_had_by_the_next() -> None:
    tasks = [asyncio.create_task(pacer().turn(Meter())) for _ in range(100)]
    await asyncio.sleep(0)
    for task in tasks[:-1]:
        task.cancel()
    async with deadline(5):
        await tasks[-1]
        ends = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(end) for end in ends] == [asyncio.CancelledError] * 99 + [type(None)]


@pytest.mark.usefixtures("no_time")
async def test_others_have_theirs_while_a_long_list_is_completed(caller: Caller, node: Node, board: Board) -> None:
    ids = [f"k{n}" for n in range(400)]
    state = {
        "columns": {"c": {"id": "c", "title": "C", "cardIds": ids}},
        "columnOrder": ["c"],
        "cards": {id: {"id": id, "title": id} for id in ids},
    }
    await publish(node, event("board.state.changed", {"boardId": BOARD, "state": state}))
    passes = 0

    async def count() -> None:
        nonlocal passes
        while True:
            await asyncio.sleep(0)
            passes += 1

    counting = asyncio.create_task(count())
    before = passes
    shown = await caller.run("query ($id: ID!) { board(boardId: $id) { cards { cardId title } } }", id=BOARD)
    assert [card["cardId"] for card in shown["cards"]] == ids
    assert passes - before >= 400  # one for each entry
    counting.cancel()
    await anyio.wait_all_tasks_blocked()


def test_meter_leaks_a_tenth_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(pacing, "perf_counter", lambda: now)
    meter = Meter()
    meter.charge(5.9)
    assert not meter.is_exceeded
    now += 10.0
    meter.charge(1.0)
    assert not meter.is_exceeded  # 5.9 - 1 + 1
    meter.charge(0.2)
    assert bool(meter.is_exceeded)
    now += 60.0
    meter.charge(0.0)
    assert not bool(meter.is_exceeded)
    assert meter.total == pytest.approx(7.1)


def test_steady_tenth_is_let_through_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(pacing, "perf_counter", lambda: now)
    meter = Meter()
    for _ in range(1000):
        now += 1.0
        meter.charge(0.1)
    assert not meter.is_exceeded
    for _ in range(70):
        now += 1.0
        meter.charge(0.2)
    assert meter.is_exceeded


_NESTED = """
query ($id: ID!) {
  board(boardId: $id) {
    columns { cards { cardId attempts { nodes { attemptId } } } }
    cards { cardId attempts { nodes { attemptId } } }
  }
}
"""


@pytest.mark.usefixtures("no_time", "board")
async def test_operation_that_is_cancelled_leaves_no_coroutine_behind(caller: Caller, node: Node) -> None:
    ids = ["a", "b", "c"]
    state = {
        "columns": {"c": {"id": "c", "title": "C", "cardIds": ids}},
        "columnOrder": ["c"],
        "cards": {id: {"id": id, "title": id} for id in ids},
    }
    await publish(node, event("board.state.changed", {"boardId": BOARD, "state": state}))
    whole = await caller.run(_NESTED, id=BOARD)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        steps, found = 0, None
        ended: list[Any] = []
        while found is None:
            found, steps = await _run_until(caller, steps, ended), steps + 1
        ended.append(ended)  # so that the collector ends all that is left, in no order
        del ended
        gc.collect()
    assert found == whole
    assert steps > 10
    assert {str(one.message) for one in warned} == set()


async def _run_until(caller: Caller, steps: int, ended: list[Any]) -> Any:
    """Cancel the operation after this many turns of the loop; return None, or the result if it was complete."""
    operation = asyncio.create_task(caller.run(_NESTED, id=BOARD))
    for _ in range(steps):
        await asyncio.sleep(0)
    operation.cancel()
    try:
        return await operation
    except asyncio.CancelledError as cancelled:
        ended.append(cancelled)  # its traceback keeps the frames
        return None
