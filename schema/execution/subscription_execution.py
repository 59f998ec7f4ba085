"""Executing the events of subscriptions: by plan, or once for all equal ones by graphql-core."""

from __future__ import annotations

from collections.abc import Hashable
from functools import partial
from typing import Any, cast
from weakref import WeakValueDictionary

import orjson
from graphql import ExecutionResult, GraphQLSchema

from realtime.messages.envelopes import Envelope
from schema.execution.context import Context
from schema.execution.event_selector import Encoding, EventSelector
from schema.execution.executor import BoundedExecutor
from schema.execution.sharing import SharedExecution
from schema.plan.plans import Plans

__all__ = ["Events", "EventsInUse"]

#: Where a schema keeps them.
_IN_USE = "events"


class Events:
    """Makes results of a subscription's envelopes. Equal subscriptions share one, so it knows none of them."""

    __slots__ = ("__weakref__", "_executor", "_is_overdue", "_shared", "_telling", "encoding")

    def __init__(
        self,
        executor: BoundedExecutor,
        selector: EventSelector,
        encoding: Encoding | None,
        shared: SharedExecution | None,
    ) -> None:
        """Execute the operation that `executor` was built for, with `encoding` and `shared` if it has them."""
        self._executor = executor
        self._telling = selector
        self._shared = shared
        self._is_overdue = False
        #: How the events are encoded by plan; None where graphql-core executes them.
        self.encoding = encoding

    @property
    def is_too_expensive(self) -> bool:
        """Whether an event has exceeded the deadline, or all of them the subscription's share of the node."""
        return self._is_overdue or self._executor.meter.is_exceeded

    @is_too_expensive.setter
    def is_too_expensive(self, is_overdue: bool) -> None:
        self._is_overdue = is_overdue

    def executed(self, envelope: Envelope) -> Any:
        """Return the result of one event, or what it can be awaited of.

        Where there is an encoding or sharing, `data` is an `orjson.Fragment`.
        """
        encoded = envelope.cached(self.encoding) if self.encoding else None
        if encoded is not None:
            return ExecutionResult(cast("dict[str, Any]", orjson.Fragment(encoded)))
        execute = partial(self._execute, envelope)
        return envelope.cached(self._shared).executed(execute) if self._shared else execute()

    def _execute(self, envelope: Envelope) -> Any:
        return self._executor.build_per_event_executor(self._telling.event_of(envelope)).execute_operation(False)


class EventsInUse:
    """The events of a schema's subscriptions, and its plans."""

    def __init__(self) -> None:
        """Begin without any."""
        self._plans = Plans()
        self._shared: WeakValueDictionary[tuple[Hashable, SharedExecution], Events] = WeakValueDictionary()

    @classmethod
    def of(cls, schema: GraphQLSchema) -> EventsInUse:
        """Return those of `schema`."""
        found: EventsInUse | None = schema.extensions.get(_IN_USE)
        if found is None:
            found = schema.extensions[_IN_USE] = cls()
        return found

    def events(self, executor: BoundedExecutor, selector: EventSelector, context: Context) -> Events:
        """Return what executes the events of the operation that `executor` was built for, with `context`."""
        # Of its own, for several subscriptions may have it: they have the service and the scope of access in common.
        executor.context_value = Context(context.service, context.caller)
        if not context.encoded:
            return Events(executor, selector, None, None)
        shared = _shared(executor, selector)
        if shared is None:
            return Events(executor, selector, self._encoding(executor, selector), None)
        # An execution that is found holds the service, so no other one has its key.
        key = (context.service.sharing_key(context.caller), shared)
        events = self._shared.get(key)
        if events is None:
            events = self._shared[key] = Events(executor, selector, self._encoding(executor, selector), shared)
        return events

    def _encoding(self, executor: BoundedExecutor, selector: EventSelector) -> Encoding | None:
        plan = self._plans.plan_of(executor)
        return None if plan is None else Encoding(plan, selector)


def _shared(executor: BoundedExecutor, selector: EventSelector) -> SharedExecution | None:
    """Return what equal subscriptions have in common; None where the variables do not say."""
    try:
        variables = orjson.dumps(executor.variable_values.coerced, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        return None
    return SharedExecution(executor.operation, variables, selector)
