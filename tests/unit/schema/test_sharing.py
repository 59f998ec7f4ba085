"""Equal subscriptions execute an event once, with or without a plan, and leave without an effect on each other."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from inspect import isawaitable
from typing import Any

import anyio
import orjson
import pytest
import strawberry
from graphql import ExecutionResult, GraphQLError

from realtime.kanban.board import Board
from realtime.kanban.grants import Action, Grants
from realtime.node import Node
from realtime.service import Caller
from schema.execution.executor import BoundedExecutor
from schema.execution.sharing import SharedEvent
from schema.plan.compiling import Plan
from tests.kit.contexts import context_on
from tests.kit.deadline import deadline
from tests.kit.nodes import BOARD, TESTER, publish
from tests.kit.publishing import event

_SUBSCRIBERS = 10
#: A document with a plan, and one without: it asks the store for the attempt of an event.
_PLANNED = """subscription ($board: ID!) { boardEvents(boardId: $board) { kind: __typename
    ... on AttemptLogAppended { message } } }"""
_ASKING = """subscription ($board: ID!) { boardEvents(boardId: $board) { kind: __typename
    ... on AttemptLogAppended { message attempt { id } } } }"""
BOTH = pytest.mark.parametrize("document", [_PLANNED, _ASKING], ids=["by plan", "by graphql-core"])


def _line(message: str = "m") -> dict[str, Any]:
    return event("attempt.log.appended", {"attemptId": "a1", "boardId": BOARD, "level": "info", "message": message})


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count the encodings by a plan, and the executions field by field."""
    counted: Counter[str] = Counter()
    encoded, fields = Plan.encoded, BoundedExecutor.execute_fields

    def counting_encoded(plan: Plan, value: object) -> bytes | None:
        counted["encoded"] += 1
        return encoded(plan, value)

    def counting_fields(executor: Any, parent: Any, *arguments: Any) -> Any:
        counted["executed"] += parent.name == "Subscription"
        return fields(executor, parent, *arguments)

    monkeypatch.setattr(Plan, "encoded", counting_encoded)
    monkeypatch.setattr(BoundedExecutor, "execute_fields", counting_fields)
    return counted


@asynccontextmanager
async def _subscribed(
    schema: strawberry.Schema, node: Node, document: str, subscribers: int = _SUBSCRIBERS, caller: Caller = TESTER
) -> AsyncIterator[list[Any]]:
    """Open equal subscriptions as transports do, and read up to the state."""
    async with AsyncExitStack() as stack:
        streams: list[Any] = []
        for _ in range(subscribers):
            stream = await schema.stream(document, {"board": BOARD}, context_on(node, caller, encoded=True))
            stack.push_async_callback(stream.aclose)
            assert [(await _next(stream))["boardEvents"]["kind"] for _ in range(2)] == ["Hello", "State"]
            streams.append(stream)
        yield streams


async def _next(stream: Any) -> Any:
    async with deadline(5):
        result: Any = await anext(stream)
    assert result.errors is None
    return orjson.loads(orjson.dumps(result.data))


@BOTH
async def test_event_is_executed_once_for_equal_subscriptions(
    document: str, schema: strawberry.Schema, node: Node, board: Board, work: Counter[str]
) -> None:
    async with _subscribed(schema, node, document) as streams:
        work.clear()
        await publish(node, _line())
        results = [await _next(stream) for stream in streams]
        # If other events have a plan, it is tried first.
        assert work == ({"encoded": 1} if document == _PLANNED else {"encoded": 1, "executed": 1})
        assert all(result == results[0] and result["boardEvents"]["message"] == "m" for result in results)


async def test_other_documents_and_boards_have_executions_of_their_own(
    schema: strawberry.Schema, node: Node, board: Board, work: Counter[str]
) -> None:
    other = _ASKING.replace("message", "text: message")
    async with _subscribed(schema, node, _ASKING, 2) as some, _subscribed(schema, node, other, 2) as others:
        work.clear()
        await publish(node, _line())
        assert [(await _next(stream))["boardEvents"]["message"] for stream in some] == ["m", "m"]
        assert [(await _next(stream))["boardEvents"]["text"] for stream in others] == ["m", "m"]
        assert work["executed"] == 2


async def test_callers_with_other_grants_have_executions_of_their_own(
    schema: strawberry.Schema, node: Node, board: Board, work: Counter[str]
) -> None:
    reader = replace(TESTER, grants=Grants(frozenset({Action.READ}), frozenset({BOARD})))
    async with (
        _subscribed(schema, node, _ASKING, 2) as some,
        _subscribed(schema, node, _ASKING, 2, reader) as others,
    ):
        work.clear()
        await publish(node, _line())
        results = [await _next(stream) for stream in (*some, *others)]
        assert [result["boardEvents"]["message"] for result in results] == ["m"] * 4
        assert work["executed"] == 2


async def test_first_results_are_each_subscriptions_own(
    schema: strawberry.Schema, node: Node, board: Board, work: Counter[str]
) -> None:
    async with _subscribed(schema, node, _ASKING, 1) as (early,):
        await publish(node, _line("before"))
        async with _subscribed(schema, node, _ASKING, 1) as (late,):
            await publish(node, _line("after"))
            assert [(await _next(early))["boardEvents"]["message"] for _ in range(2)] == ["before", "after"]
            assert (await _next(late))["boardEvents"]["message"] == "after"


@BOTH
async def test_one_that_leaves_in_the_middle_does_not_end_the_others(
    document: str, schema: strawberry.Schema, node: Node, board: Board
) -> None:
    async with _subscribed(schema, node, document, 3) as streams:
        waiting = [asyncio.ensure_future(_next(stream)) for stream in streams]
        await anyio.wait_all_tasks_blocked()
        await publish(node, _line())
        waiting[0].cancel()
        async with deadline(5):
            received = [(await one)["boardEvents"]["message"] for one in waiting[1:]]
        assert received == ["m", "m"]
        await asyncio.wait([waiting[0]])


@BOTH
async def test_one_that_left_is_not_held_by_those_that_stay(
    document: str, schema: strawberry.Schema, node: Node, board: Board
) -> None:
    left = context_on(node, encoded=True)
    gone = weakref.ref(left)
    first = await schema.stream(document, {"board": BOARD}, left)
    del left
    await _next(first)
    async with _subscribed(schema, node, document, 1) as (stays,):
        await first.aclose()
        del first
        gc.collect()
        assert gone() is None
        await publish(node, _line())
        assert (await _next(stays))["boardEvents"]["message"] == "m"


class _Executions:
    """Executions that wait for a signal to end."""

    def __init__(self) -> None:
        self.begun = 0
        self.begins: asyncio.Queue[int] = asyncio.Queue()
        self.go_on = asyncio.Event()

    async def execute(self) -> ExecutionResult:
        self.begun += 1
        self.begins.put_nowait(self.begun)
        await self.go_on.wait()
        return ExecutionResult({"number": self.begun}, [GraphQLError("wrong")])


async def _executed(shared: SharedEvent, executions: _Executions) -> ExecutionResult:
    executed = shared.executed(executions.execute)
    result: ExecutionResult = await executed if isawaitable(executed) else executed
    return result


async def test_waiter_continues_when_the_first_is_cancelled() -> None:
    shared, executions = SharedEvent(), _Executions()
    tasks = [asyncio.create_task(_executed(shared, executions)) for _ in range(3)]
    await anyio.wait_all_tasks_blocked()
    assert executions.begun == 1
    tasks[0].cancel()
    async with deadline(5):
        assert [await executions.begins.get() for _ in range(2)] == [1, 2]
        executions.go_on.set()
        results = [await task for task in tasks[1:]]
    assert executions.begun == 2
    assert [orjson.dumps(result.data) for result in results] == [b'{"number":2}'] * 2


async def test_waiter_is_cancelled_alone() -> None:
    shared, executions = SharedEvent(), _Executions()
    tasks = [asyncio.create_task(_executed(shared, executions)) for _ in range(3)]
    await anyio.wait_all_tasks_blocked()
    tasks[1].cancel()
    executions.go_on.set()
    async with deadline(5):
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(ended[1], asyncio.CancelledError)
    assert executions.begun == 1
    assert [isinstance(one, ExecutionResult) for one in ended] == [True, False, True]


async def test_errors_are_each_ones_own_list() -> None:
    shared, executions = SharedEvent(), _Executions()
    executions.go_on.set()
    async with deadline(5):
        first, second = [await _executed(shared, executions) for _ in range(2)]
    assert first.errors is not None
    first.errors.clear()
    assert second.errors is not None
    assert [error.message for error in second.errors] == ["wrong"]


async def test_fault_is_for_the_one_who_executed() -> None:
    shared, executions = SharedEvent(), _Executions()

    async def fail() -> ExecutionResult:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        await shared.executed(fail)
    executions.go_on.set()
    async with deadline(5):
        assert (await _executed(shared, executions)).data is not None
