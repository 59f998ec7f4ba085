"""Executes the events of subscriptions: by a plan, or by graphql-core once for all equal subscriptions."""

from __future__ import annotations

from collections.abc import Hashable
from copy import copy
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

#: Key in the extensions of a schema.
_IN_USE = "events"


class Events:
    """Makes the results of a subscription from envelopes. Equal subscriptions share one object."""

    __slots__ = ("__weakref__", "_is_overdue", "_shared", "encoding", "executor", "selector")

    def __init__(
        self,
        executor: BoundedExecutor,
        selector: EventSelector,
        encoding: Encoding | None,
        shared: SharedExecution | None,
    ) -> None:
        """Execute the operation of `executor`, by `encoding` and `shared` if there are any."""
        self.executor = executor
        self.selector = selector
        self._shared = shared
        self._is_overdue = False
        #: Encodes the events by a plan; None = graphql-core executes them.
        self.encoding = encoding

    @property
    def is_too_expensive(self) -> bool:
        """Whether an event has exceeded its deadline, or all events together the subscription's share of the node."""
        return self._is_overdue or self.executor.meter.is_exceeded

    @is_too_expensive.setter
    def is_too_expensive(self, is_overdue: bool) -> None:
        """Note whether an event has exceeded its deadline; the share of the node is metered by itself."""
        self._is_overdue = is_overdue

    def is_ready(self, envelope: Envelope) -> bool:
        """Whether the result of an event was made already, for an equal subscription."""
        return self.encoding is not None and envelope.is_cached(self.encoding)

    def executed(self, envelope: Envelope) -> Any:
        """Return the result of one event, or an awaitable of it.

        With an encoding or with sharing, `data` is an `orjson.Fragment`.
        """
        encoded = envelope.cached(self.encoding) if self.encoding else None
        if encoded is not None:
            return ExecutionResult(cast("dict[str, Any]", orjson.Fragment(encoded)))
        execute = partial(self._execute, envelope)
        return envelope.cached(self._shared).executed(execute) if self._shared else execute()

    def _execute(self, envelope: Envelope) -> Any:
        return self.executor.build_per_event_executor(self.selector.event_of(envelope)).execute_operation(False)


class EventsInUse:
    """The plans of a schema, and the `Events` that its subscriptions share."""

    def __init__(self) -> None:
        """Begin without subscriptions."""
        self._plans = Plans()
        self._shared: WeakValueDictionary[SharedExecution, Events] = WeakValueDictionary()

    @classmethod
    def of(cls, schema: GraphQLSchema) -> EventsInUse:
        """Return the object of `schema`."""
        found: EventsInUse | None = schema.extensions.get(_IN_USE)
        if found is None:
            found = schema.extensions[_IN_USE] = cls()
        return found

    def events(self, executor: BoundedExecutor, selector: EventSelector, context: Context) -> Events:
        """Return the `Events` for the operation of `executor` with `context`."""
        # Its own context, because several subscriptions may share it: only the service and the caller's scope are
        # common.
        executor.context_value = Context(context.service, context.caller)
        if not context.encoded:
            return Events(executor, selector, None, None)
        shared = _shared(executor, selector, context.service.sharing_key(context.caller))
        if shared is None:
            return Events(executor, selector, self._encoding(executor, selector), None)
        # An `Events` in the dictionary keeps the service alive, so no other service can have an equal key.
        events = self._shared.get(shared)
        if events is None:
            events = self._shared[shared] = Events(executor, selector, self._encoding(executor, selector), shared)
        return events

    def regranted(self, events: Events, context: Context) -> Events:
        """Return the `Events` of the same operation for other grants; other subscriptions may go on with `events`."""
        return self.events(copy(events.executor), events.selector, context)

    def _encoding(self, executor: BoundedExecutor, selector: EventSelector) -> Encoding | None:
        plan = self._plans.plan_of(executor)
        return None if plan is None else Encoding(plan, selector)


def _shared(executor: BoundedExecutor, selector: EventSelector, access: Hashable) -> SharedExecution | None:
    """Return the key of equal subscriptions; None = the variables cannot be compared as JSON."""
    try:
        variables = orjson.dumps(executor.variable_values.coerced, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        return None
    return SharedExecution(executor.operation, variables, selector, access)
