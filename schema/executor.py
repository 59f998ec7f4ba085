"""graphql-core's executor: no growth per event, and loaders that are never stale."""

from __future__ import annotations

from typing import Any

from graphql import OperationType
from graphql.execution import Executor
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from schema.context import Context
from schema.loaders import Loaders

__all__ = ["BoundedExecutor"]


class BoundedExecutor(StrawberryGraphQLCoreExecutionContext):
    """Runs operations; that of a subscription is left in the context, for `schema.running`.

    graphql-core 3.3.2 shares the memory of collected sub-fields between the executors of all events, and adds
    about 1.7 KiB to it with each. Drop that part when upstream has the repair.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """Make the executor of an operation."""
        super().__init__(*arguments, **named)
        if self.operation.operation is OperationType.SUBSCRIPTION and isinstance(self.context_value, Context):
            self.context_value.executor = self

    def build_per_event_executor(self, payload: Any) -> Executor[Any]:
        """Return the executor of one event, with a memory and loaders of its own."""
        executor = super().build_per_event_executor(payload)
        executor._relevant_sub_fields = {}  # noqa: SLF001 - there is no public way to it
        if isinstance(self.context_value, Context):
            executor.context_value = self.context_value.for_event()
        return executor

    def execute_operation(self, serially: bool | None = None) -> Any:
        """Execute the operation, or one event. What a mutation loads is asked anew for each of its fields."""
        if self.operation.operation is OperationType.MUTATION and isinstance(self.context_value, Context):
            self.context_value.loaders = Loaders(self.context_value.node.store, keep=False)
        return super().execute_operation(serially)
