"""Shares the execution of events between equal subscriptions, for events that no plan covers.

graphql-core executes such an event, and may read from the store. The first subscription that reaches an event executes
it; the others wait for its result. If the first is cancelled in the middle, the others execute the event themselves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from inspect import isawaitable
from typing import Any, cast

import orjson
from graphql import ExecutionResult, OperationDefinitionNode

from realtime.messages.envelopes import Envelope
from schema.execution.event_selector import EventSelector

__all__ = ["SharedEvent", "SharedExecution"]

#: A result, or an awaitable of it (graphql-core: `AwaitableOrValue`).
_Executed = Any


class SharedExecution:
    """The key of equal subscriptions: the same operation, variables, selector and access.

    `envelope.cached(execution)` is the `SharedEvent` of all equal subscriptions.
    """

    __slots__ = ("_access", "_operation", "_selector", "_variables")

    def __init__(
        self, operation: OperationDefinitionNode, variables: bytes, selector: EventSelector, access: Hashable
    ) -> None:
        """Store all four. Documents are parsed once, so equal operations are the same object.

        Args:
            operation: the subscription.
            variables: its variables as JSON.
            selector: selects its events.
            access: what the result may depend on besides (`Service.sharing_key`).
        """
        self._access = access
        self._operation = operation
        self._variables = variables
        self._selector = selector

    def __eq__(self, other: object) -> bool:
        """Return whether the two keys are equal."""
        return (
            isinstance(other, SharedExecution)
            and other._operation is self._operation
            and other._variables == self._variables
            and other._selector == self._selector
            and other._access == self._access
        )

    def __hash__(self) -> int:
        """Return equal hashes for equal keys."""
        return hash((id(self._operation), self._variables, self._selector, self._access))

    def __call__(self, envelope: Envelope) -> SharedEvent:
        """Begin without a result."""
        return SharedEvent()


class SharedEvent:
    """The result of one event, when there is one."""

    __slots__ = ("_result", "_running")

    def __init__(self) -> None:
        """Begin without a result."""
        self._result: ExecutionResult | None = None
        self._running: asyncio.Future[None] | None = None

    def executed(self, execute: Callable[[], _Executed]) -> _Executed:
        """Return the result of another subscription's execution, or an awaitable of it; if there is none, execute.

        `data` of the result is an `orjson.Fragment`. An error of `execute` is raised only to the caller that executed.
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
            return result  # an incremental result: it cannot be shared, and no transport here sends it
        if result.data is not None:
            result = ExecutionResult(cast("dict[str, Any]", orjson.Fragment(orjson.dumps(result.data))), result.errors)
        self._result = result
        return _copy(result)


def _copy(result: ExecutionResult) -> ExecutionResult:
    # Each subscription replaces the errors in the list by those that its client may see, so each needs its own list.
    return ExecutionResult(result.data, list(result.errors) if result.errors else result.errors)
