"""The plans of a schema: equal subscriptions of all clients share one plan."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

from graphql import NamedTypeNode, NonNullTypeNode, OperationDefinitionNode
from graphql.execution import Executor

from schema.plan.compiling import Plan, compile_plan

__all__ = ["MOST_PLANS", "Plans"]

#: Most cached plans; the least recently used are dropped. A running subscription keeps a reference to its plan.
MOST_PLANS = 256

_Key = tuple[int, tuple[Any, ...]]


class Plans:
    """Plans by operation. `document_cache` parses each document once, so equal operations are the same object."""

    def __init__(self, most: int = MOST_PLANS) -> None:
        """Cache at most `most` plans."""
        self._most = most
        #: Each plan with its operation: while the operation is stored here, no other one can get its id.
        self._cached: OrderedDict[_Key, tuple[OperationDefinitionNode, Plan | None]] = OrderedDict()

    def __len__(self) -> int:
        """Return the number of cached plans."""
        return len(self._cached)

    def plan_of(self, executor: Executor[Any]) -> Plan | None:
        """Return the plan of the subscription that `executor` runs; None = graphql-core must execute it."""
        key = (id(executor.operation), tuple(_conditions(executor)))
        if key in self._cached:
            self._cached.move_to_end(key)
        else:
            self._cached[key] = (executor.operation, compile_plan(executor))
            if len(self._cached) > self._most:
                self._cached.popitem(last=False)
        return self._cached[key][1]


def _conditions(executor: Executor[Any]) -> Iterator[Any]:
    """Yield the values of all Boolean variables, on which `@skip` and `@include` may depend."""
    for definition in executor.operation.variable_definitions or ():
        kind = definition.type
        named = kind.type if isinstance(kind, NonNullTypeNode) else kind
        if isinstance(named, NamedTypeNode) and named.name.value == "Boolean":
            yield executor.variable_values.coerced.get(definition.variable.name.value)
