"""graphql-core's executor: no growth per event, loaders that are never stale, and events executed once for all."""

from __future__ import annotations

from functools import cached_property, partial
from typing import Any, cast

import orjson
from graphql import ExecutionResult, OperationType
from graphql.execution import Executor
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from schema.context import Context
from schema.loaders import Loaders
from schema.plan.plans import Plans
from schema.sharing import SharedExecution
from schema.telling import Encoding

__all__ = ["BoundedExecutor"]

#: Where a schema keeps its plans.
_PLANS = "plans"


class BoundedExecutor(StrawberryGraphQLCoreExecutionContext):
    """Runs operations; a subscription keeps nothing of an event once its result is out.

    graphql-core 3.3.2 shares the memory of collected sub-fields between the executors of all events, and adds
    about 1.7 KiB to it with each. Drop that part when upstream has the repair.
    """

    @cached_property
    def encoding(self) -> Encoding | None:
        """How events of the subscription are encoded by plan; None where graphql-core executes them."""
        context = self.context_value
        if not (isinstance(context, Context) and context.encoded) or context.telling is None:
            return None
        plans: Plans = self.schema.extensions.setdefault(_PLANS, Plans())
        plan = plans.plan_of(self)
        return None if plan is None else Encoding(plan, context.telling)

    def build_per_event_executor(self, payload: Any) -> Executor[Any]:
        """Return the executor of one event, with a memory and loaders of its own, and the plan of all."""
        encoding, _ = self.encoding, self.shared  # before there are copies, so that they have them
        executor = super().build_per_event_executor(payload)
        executor._relevant_sub_fields = {}  # noqa: SLF001 - there is no public way to it
        if isinstance(self.context_value, Context):
            self.context_value.encoding = encoding
            executor.context_value = self.context_value.for_event()
        return executor

    @cached_property
    def shared(self) -> SharedExecution | None:
        """What equal subscriptions have in common where graphql-core executes; None where the variables do not say."""
        context = self.context_value
        if not (isinstance(context, Context) and context.encoded) or context.telling is None:
            return None
        try:
            variables = orjson.dumps(self.variable_values.coerced, option=orjson.OPT_SORT_KEYS)
        except TypeError:
            return None
        return SharedExecution(self.operation, variables, context.telling)

    def execute_operation(self, serially: bool | None = None) -> Any:
        """Execute the operation, or one event: by its plan, or once for all equal subscriptions.

        What a mutation loads is asked anew for each of its fields, which change it.
        """
        execute = partial(super().execute_operation, serially)
        context = self.context_value
        if not isinstance(context, Context):
            return execute()
        if self.operation.operation is OperationType.MUTATION:
            context.loaders = Loaders(context.node.store, keep=False)
        if self.operation.operation is not OperationType.SUBSCRIPTION or context.envelope is None:
            return execute()
        encoded = context.envelope.kept(self.encoding) if self.encoding else None
        if encoded is not None:
            result = ExecutionResult(cast("dict[str, Any]", orjson.Fragment(encoded)))
            context.results[:] = [result]
            return result
        return context.envelope.kept(self.shared).executed(execute) if self.shared else execute()
