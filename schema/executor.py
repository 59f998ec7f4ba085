"""graphql-core's executor: no growth per event, loaders that are never stale, and events by plan where there is one."""

from __future__ import annotations

from functools import cached_property
from typing import Any, cast

import orjson
from graphql import ExecutionResult, OperationType
from graphql.execution import Executor
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from schema.context import Context
from schema.loaders import Loaders
from schema.plan.compiling import Plan
from schema.plan.plans import Plans

__all__ = ["BoundedExecutor"]

#: Where a schema keeps its plans.
_PLANS = "plans"


class BoundedExecutor(StrawberryGraphQLCoreExecutionContext):
    """Runs operations; a subscription keeps nothing of an event once its result is out.

    graphql-core 3.3.2 shares the memory of collected sub-fields between the executors of all events, and adds
    about 1.7 KiB to it with each. Drop that part when upstream has the repair.
    """

    @cached_property
    def plan(self) -> Plan | None:
        """The plan by which events of the subscription are encoded; None where graphql-core executes them."""
        if not (isinstance(self.context_value, Context) and self.context_value.encoded):
            return None
        plans: Plans = self.schema.extensions.setdefault(_PLANS, Plans())
        return plans.plan_of(self)

    def build_per_event_executor(self, payload: Any) -> Executor[Any]:
        """Return the executor of one event, with a memory and loaders of its own, and the plan of all."""
        _ = self.plan  # before there are copies, so that they have it
        executor = super().build_per_event_executor(payload)
        executor._relevant_sub_fields = {}  # noqa: SLF001 - there is no public way to it
        if isinstance(self.context_value, Context):
            executor.context_value = self.context_value.for_event()
        return executor

    def execute_operation(self, serially: bool | None = None) -> Any:
        """Execute the operation, or one event by its plan.

        What a mutation loads is asked anew for each of its fields, which change it.
        """
        if self.operation.operation is OperationType.MUTATION and isinstance(self.context_value, Context):
            self.context_value.loaders = Loaders(self.context_value.node.store, keep=False)
        elif self.operation.operation is OperationType.SUBSCRIPTION and self.plan is not None:
            encoded = self.plan.encoded(self.root_value)
            if encoded is not None:
                return ExecutionResult(cast("dict[str, Any]", orjson.Fragment(encoded)))
        return super().execute_operation(serially)
