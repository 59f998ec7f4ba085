"""The plans of a schema: equal subscriptions share one, whoever subscribes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

from graphql import NamedTypeNode, NonNullTypeNode, OperationDefinitionNode
from graphql.execution import Executor

from schema.plan.compiling import Plan, compile_plan

__all__ = ["MOST_PLANS", "Plans"]

#: Plans that are kept, the last used ones. A running subscription has its own, kept or not.
MOST_PLANS = 256

_Key = tuple[int, tuple[Any, ...]]


class Plans:
    """Plans by operation. Documents are parsed once (`document_cache`), so an equal operation is the same object."""

    def __init__(self, most: int = MOST_PLANS) -> None:
        """Keep at most so many."""
        self._most = most
        #: With its operation, whose id can be no other's as long as it is here.
        self._cached: OrderedDict[_Key, tuple[OperationDefinitionNode, Plan | None]] = OrderedDict()

    def __len__(self) -> int:
        """Return how many are kept."""
        return len(self._cached)

    def plan_of(self, executor: Executor[Any]) -> Plan | None:
        """Return the plan of the subscription that `executor` was built for; None when there can be none."""
        key = (id(executor.operation), tuple(_conditions(executor)))
        if key in self._cached:
            self._cached.move_to_end(key)
        else:
            self._cached[key] = (executor.operation, compile_plan(executor))
            if len(self._cached) > self._most:
                self._cached.popitem(last=False)
        return self._cached[key][1]


def _conditions(executor: Executor[Any]) -> Iterator[Any]:
    """Yield what `@skip` and `@include` may depend on: the values of all variables that are Boolean."""
    for definition in executor.operation.variable_definitions or ():
        kind = definition.type
        named = kind.type if isinstance(kind, NonNullTypeNode) else kind
        if isinstance(named, NamedTypeNode) and named.name.value == "Boolean":
            yield executor.variable_values.coerced.get(definition.variable.name.value)
