"""Events that graphql-core executes, once for all equal subscriptions: what no plan covers may wait for the store.

The first subscription that comes to an event executes it; the others wait for its result, and carry on themselves when
that one leaves in the middle.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Any, cast

import orjson
from graphql import ExecutionResult, OperationDefinitionNode

from realtime.messages.envelopes import Envelope
from schema.execution.event_selector import EventSelector

__all__ = ["SharedEvent", "SharedExecution"]

#: A result, or what it can be awaited of (graphql-core: `AwaitableOrValue`).
_Executed = Any


class SharedExecution:
    """What makes subscriptions equal: the same operation, variables and telling.

    Access is not among them: a token opens everything or nothing, and what is executed asks nobody who reads it.
    `envelope.cached(execution)` is the `SharedEvent` of all equal ones.
    """

    __slots__ = ("_operation", "_telling", "_variables")

    def __init__(self, operation: OperationDefinitionNode, variables: bytes, selector: EventSelector) -> None:
        """Documents are parsed once, so an equal operation is the same object; `variables` are JSON."""
        self._operation = operation
        self._variables = variables
        self._telling = selector

    def __eq__(self, other: object) -> bool:
        """Compare with another."""
        return (
            isinstance(other, SharedExecution)
            and other._operation is self._operation
            and other._variables == self._variables
            and other._telling == self._telling
        )

    def __hash__(self) -> int:
        """Agree with `==`."""
        return hash((id(self._operation), self._variables, self._telling))

    def __call__(self, envelope: Envelope) -> SharedEvent:
        """Begin without a result."""
        return SharedEvent()


class SharedEvent:
    """The result of one event, when there is one."""

    __slots__ = ("_result", "_running")

    def __init__(self) -> None:
        """Wait for the first who executes."""
        self._result: ExecutionResult | None = None
        self._running: asyncio.Future[None] | None = None

    def executed(self, execute: Callable[[], _Executed]) -> _Executed:
        """Return the result that another got, or is about to get, by what `execute` does; else execute.

        `data` of the result is an `orjson.Fragment`. What `execute` raises is raised to its caller alone.
        """
        if self._result is not None:
            return _copy(self._result)
        if self._running is not None:
            return self._followed(execute)
        executed = execute()
        return self._led(executed) if isawaitable(executed) else self._cached(executed)

    async def _led(self, executing: Awaitable[Any]) -> Any:
        running = self._running = asyncio.get_running_loop().create_future()
        try:
            return self._cached(await executing)
        finally:
            self._running = None
            running.set_result(None)

    async def _followed(self, execute: Callable[[], _Executed]) -> Any:
        while self._result is None and self._running is not None:
            await asyncio.wait([self._running])
        executed = self.executed(execute)
        return await executed if isawaitable(executed) else executed

    def _cached(self, result: Any) -> Any:
        if not isinstance(result, ExecutionResult):
            return result  # incremental: nothing to share, and nothing that a transport here would send
        if result.data is not None:
            result = ExecutionResult(cast("dict[str, Any]", orjson.Fragment(orjson.dumps(result.data))), result.errors)
        self._result = result
        return _copy(result)


def _copy(result: ExecutionResult) -> ExecutionResult:
    # Each subscription replaces the errors by what its client may see, in place.
    return ExecutionResult(result.data, list(result.errors) if result.errors else result.errors)
