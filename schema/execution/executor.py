"""graphql-core's executor: no growth per event, loaders that are never stale, and lists that are completed by turns."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator
from inspect import CORO_CREATED, getcoroutinestate, iscoroutine
from typing import Any, TypeVar

from graphql import OperationType, is_leaf_type
from graphql.execution import Executor
from graphql.pyutils import gather_with_cancel, is_iterable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from schema.execution.context import Context
from schema.execution.gathering import Gathering, may_be_one_unit
from schema.execution.loaders import Loaders
from schema.execution.pacing import Meter, Pacer, pacer

__all__ = ["BoundedExecutor"]

_T = TypeVar("_T")


class BoundedExecutor(StrawberryGraphQLCoreExecutionContext):
    """Runs operations; that of a subscription is left in the context, for `schema.execution.running`.

    graphql-core 3.3.2 shares the memory of collected sub-fields between the executors of all events, and adds
    about 1.7 KiB to it with each. Drop that part when upstream has the repair.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """Make the executor of an operation."""
        super().__init__(*arguments, **named)
        #: What the operation takes of the loop's time; the executors of all events of a subscription have one.
        self.meter = Meter()
        #: What waits for its turn in one execution.
        self.underway = _Underway()
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
            context = self.context_value
            context.loaders = Loaders(context.service, context.caller, keep=False)
        pace = _running_pacer()
        if pace is None:
            return super().execute_operation(serially)
        self.underway = _Underway()
        pace.is_used_up(self.meter)
        try:
            return super().execute_operation(serially)
        finally:
            pace.is_used_up(self.meter)
            pace.pause()

    def execute_fields_serially(
        self, parent_type: Any, source_value: Any, path: Any, grouped_field_set: Any, position_context: Any
    ) -> Any:
        """Execute the fields of a mutation; several commands on cards are one unit (docs/graphql.md, "Mutations").

        They are carried out in the document's order all the same: so the bus takes them. Where an answer is read from
        the store they are not, for each is to show what the fields up to its own have done (GraphQL, 6.2.2).
        """
        fields = (parent_type, source_value, path, grouped_field_set, position_context)
        count = len(grouped_field_set)
        nodes = [one.node for details in grouped_field_set.values() for one in details]
        if count > 1 and isinstance(self.context_value, Context) and may_be_one_unit(nodes, self.fragments):
            context = self.context_value
            context.gathering = Gathering(context.service, context.caller, count)
            return self.execute_fields(*fields)
        return super().execute_fields_serially(*fields)

    async def with_abort_signal(self, awaitable: Awaitable[_T]) -> _T:
        """Await what a resolver has returned, then wait for the turn in which it is completed.

        graphql-core awaits all of them by this. Many wait for one loader, and would be completed in one pass.
        """
        try:
            await self.underway.none()
        except BaseException:
            _abandon(awaitable)
            raise
        found = await super().with_abort_signal(awaitable)
        pace = pacer()
        if pace.is_used_up(self.meter):
            with self.underway:
                await pace.turn(self.meter)
        return found

    def complete_iterable_value(
        self, item_type: Any, field_details_list: Any, info: Any, path: Any, items: Any, position_context: Any
    ) -> Any:
        """Complete a list, by turns with everything else that the process does."""
        pace = _running_pacer()
        if pace is None or is_leaf_type(getattr(item_type, "of_type", item_type)) or not is_iterable(items):
            return super().complete_iterable_value(item_type, field_details_list, info, path, items, position_context)
        completing = _Completing(self, iter(items), (item_type, field_details_list, info), path, position_context)
        return completing.begin(pace)


class _Underway:
    """How much of an execution waits for its turn; what it leads to is asked for when nothing does.

    So loaders find together what belongs together, as if all had been completed in one go: a query for each kind of
    thing, and not one for each turn.
    """

    def __init__(self) -> None:
        self._waiting = 0
        self._none: asyncio.Future[None] | None = None

    def __enter__(self) -> None:
        self._waiting += 1

    def __exit__(self, *_: object) -> None:
        self._waiting -= 1
        if self._waiting == 0 and self._none is not None:
            self._none.set_result(None)
            self._none = None

    async def none(self) -> None:
        """Return when nothing waits; what begins to in the same pass of the loop as the caller is waited for."""
        await asyncio.sleep(0)
        while self._waiting:
            if self._none is None:
                self._none = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._none)


class _Completing:
    """One list on its way: what is completed, and what has to be awaited of it."""

    def __init__(
        self, executor: BoundedExecutor, items: Iterator[Any], place: tuple[Any, Any, Any], path: Any, context: Any
    ) -> None:
        self._executor = executor
        self._items = enumerate(items)
        self._place = place
        self._path = path
        self._context = context
        self._completed: list[Any] = []
        self._awaitable: list[int] = []

    def begin(self, pace: Pacer) -> Any:
        """Return the list, or what can be awaited of it where the time of this pass is used up or an entry waits."""
        meter = self._executor.meter
        try:
            for index, item in self._items:
                self._add(index, item)
                if pace.is_used_up(meter):
                    return self._go_on(pace)
        except Exception:
            self._executor.settle_in_background([self._completed[index] for index in self._awaitable])
            raise
        return self._awaited() if self._awaitable else self._completed

    async def _go_on(self, pace: Pacer) -> list[Any]:
        meter = self._executor.meter
        try:
            with self._executor.underway:
                await pace.turn(meter)
                for index, item in self._items:
                    self._add(index, item)
                    if pace.is_used_up(meter):
                        await pace.turn(meter)
            pace.pause()
        except BaseException:
            _abandon([self._completed[index] for index in self._awaitable])
            raise
        return await self._awaited() if self._awaitable else self._completed

    def _add(self, index: int, item: Any) -> None:
        executor, (item_type, details, info) = self._executor, self._place
        path = self._path.add_key(index, None)
        if executor.is_awaitable(item):
            self._awaitable.append(index)
            self._completed.append(
                executor.complete_awaitable_list_item_value(item, item_type, details, info, path, self._context)
            )
        elif executor.complete_list_item_value(item, self._completed, item_type, details, info, path, self._context):
            self._awaitable.append(index)

    async def _awaited(self) -> list[Any]:
        found = await gather_with_cancel(*(self._completed[index] for index in self._awaitable))
        for index, value in zip(self._awaitable, found, strict=True):
            self._completed[index] = value
        return self._completed


def _running_pacer() -> Pacer | None:
    try:
        return pacer()
    except RuntimeError:
        return None  # nothing but this runs, as when the schema asks itself


def _abandon(value: Any) -> None:
    """Close coroutines that nobody will await, and those they would have awaited."""
    if iscoroutine(value) and value.cr_frame is not None and getcoroutinestate(value) == CORO_CREATED:
        inner = list(value.cr_frame.f_locals.values())
        value.close()
        _abandon(inner)
    elif isinstance(value, list | dict):
        for one in value.values() if isinstance(value, dict) else value:
            _abandon(one)
