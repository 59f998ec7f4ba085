"""graphql-core's executor without its growth per event of a subscription."""

from __future__ import annotations

from typing import Any

from graphql.execution import Executor
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

__all__ = ["BoundedExecutor"]


class BoundedExecutor(StrawberryGraphQLCoreExecutionContext):
    """Runs operations; a subscription keeps nothing of an event once its result is out.

    graphql-core 3.3.2 shares the memory of collected sub-fields between the executors of all events, and adds
    about 1.7 KiB to it with each. Drop this class when upstream has the repair.
    """

    def build_per_event_executor(self, payload: Any) -> Executor[Any]:
        """Return the executor of one event, with a memory of its own."""
        executor = super().build_per_event_executor(payload)
        executor._relevant_sub_fields = {}  # noqa: SLF001 - there is no public way to it
        return executor
