"""An operation that takes too long, and a subscription that uses too much, end with the reason."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import strawberry

from realtime.backends.sql.store import SqlStore
from realtime.kanban.board import Board
from realtime.node import Node
from schema.execution import pacing
from schema.operation_limits import OperationLimits
from tests.kit.contexts import context_on
from tests.kit.nodes import BOARD, publish
from tests.kit.publishing import event
from tests.unit.realtime.event_samples import AT
from tests.unit.schema.caller import Caller

#: A document without a plan, so that graphql-core executes each event.
_NESTED = """
subscription ($id: ID!) {
  boardEvents(boardId: $id) { __typename ... on AttemptStarted { attempt { status } } }
}
"""
_SOON = OperationLimits(timeout_seconds=0.05)


async def _started(node: Node, attempt: str) -> None:
    of = {"boardId": BOARD, "attemptId": attempt, "cardId": "k1", "agent": "CODEX", "profileId": "default"}
    await publish(node, event("attempt.started", of, AT))


class _Away:
    """A store that does not answer."""

    def __init__(self) -> None:
        self.asked = 0
        self.cancelled = 0
        self.answers = asyncio.Event()

    async def read(self, *_: object) -> Any:
        self.asked += 1
        try:
            await self.answers.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return {}


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> _Away:
    """Block the store's answers about projects and attempts."""
    found = _Away()
    monkeypatch.setattr(SqlStore, "projects", found.read)
    monkeypatch.setattr(SqlStore, "attempts_by_key", found.read)
    return found


async def test_query_that_takes_too_long_is_given_up(schema: strawberry.Schema, node: Node, away: _Away) -> None:
    stream = await schema.stream("{ projects { nodes { id } } }", None, context_on(node, limits=_SOON))
    (result,) = [one async for one in stream]
    assert isinstance(result, strawberry.types.ExecutionResult)
    assert [error.formatted for error in result.errors or ()] == [
        {
            "message": "expected an operation that takes at most 0.05 seconds, and gave this one up; ask for less",
            "extensions": {"code": "TIMEOUT", "timeoutSeconds": 0.05},
        }
    ]
    assert (away.asked, away.cancelled) == (1, 1)


async def test_event_that_takes_too_long_ends_its_subscription(
    schema: strawberry.Schema, node: Node, board: Board, away: _Away
) -> None:
    async with Caller(schema, node, _SOON).subscribe(_NESTED, id=BOARD) as results:
        assert [one["__typename"] for one in await results.take(2)] == ["Hello", "State"]
        await _started(node, "a1")
        message, extensions = await results.refusal()
    assert extensions == {"code": "TOO_EXPENSIVE"}
    assert message.startswith("expected a subscription whose events take at most a tenth")
    assert away.asked == 1
    away.answers.set()  # a load that has begun completes, because others may wait for it


async def test_subscription_that_takes_too_much_ends(
    caller: Caller, node: Node, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with caller.subscribe(_NESTED, id=BOARD) as results, caller.subscribe(_NESTED, id=BOARD) as others:
        for one in (results, others):
            await one.take(2)
        await _started(node, "a1")
        for one in (results, others):
            assert (await one.next())["__typename"] == "AttemptStarted"
        monkeypatch.setattr(pacing, "BURST_SECONDS", 0.0)  # as if the minute had been used up
        await _started(node, "a2")
        codes = [(await one.refusal())[1]["code"] for one in (results, others)]
    assert codes == ["TOO_EXPENSIVE"] * 2
