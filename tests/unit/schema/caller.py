"""A client that executes documents on the schema itself, without a server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import strawberry
from strawberry.schema.schema import SubscriptionResult

from realtime.node import Node
from schema.execution.context import Context
from schema.operation_limits import OperationLimits
from tests.kit.contexts import context_on
from tests.kit.deadline import deadline

__all__ = ["Caller", "Error", "Results", "error_of"]

Json = dict[str, Any]
#: Message and extensions of an error.
Error = tuple[str, Json]


class Results:
    """The results of a subscription, one at a time. Every wait has a deadline."""

    def __init__(self, stream: SubscriptionResult) -> None:
        self._stream = stream

    async def next(self) -> Any:
        """Return the next value of the subscription's one field."""
        async with deadline(5):
            result = await anext(self._stream)
        assert result.errors is None, result.errors
        assert isinstance(result.data, dict)
        return next(iter(result.data.values()))

    async def take(self, count: int) -> list[Any]:
        """Return the next values."""
        return [await self.next() for _ in range(count)]

    async def refusal(self) -> Error:
        """Return the error that ends the subscription. It must come next, and be the last result."""
        async with deadline(5):
            result = await anext(self._stream)
        assert result.data is None
        assert result.errors is not None
        await self.end()
        return error_of(result.errors)

    async def end(self) -> None:
        """Return when the subscription completes, which must happen next."""
        async with deadline(5):
            left = [result async for result in self._stream]
        assert left == []


@dataclass(frozen=True)
class Caller:
    """A client of `schema` on `node`."""

    schema: strawberry.Schema
    node: Node
    limits: OperationLimits = field(default_factory=OperationLimits)

    async def run(self, document: str, **variables: Any) -> Any:
        """Execute a query or mutation of one field; return its value."""
        async with deadline(5):
            result = await self.schema.execute(document, variables, context_on(self.node, limits=self.limits))
        assert result.errors is None, result.errors
        assert result.data is not None
        return next(iter(result.data.values()))

    async def refused(self, document: str, **variables: Any) -> Error:
        """Execute a query or mutation that ends in one error; return it."""
        async with deadline(5):
            result = await self.schema.execute(document, variables, context_on(self.node, limits=self.limits))
        assert result.errors is not None
        return error_of(result.errors)

    @asynccontextmanager
    async def subscribe(
        self, document: str, context: Context | None = None, **variables: Any
    ) -> AsyncIterator[Results]:
        """Run a subscription until the block ends, in its own context."""
        stream = await self.schema.subscribe(document, variables, context or context_on(self.node, limits=self.limits))
        async with aclosing(stream):
            yield Results(stream)


def error_of(errors: list[Any]) -> Error:
    """Return message and extensions of the only error."""
    assert len(errors) == 1, errors
    formatted = errors[0].formatted
    return formatted["message"], formatted.get("extensions", {})
