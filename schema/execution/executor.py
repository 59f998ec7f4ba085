"""graphql-core's executor without memory growth per event, with fresh loaders, and with lists completed in slices."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Awaitable, Iterator, Sequence
from functools import partial
from inspect import CORO_CREATED, getcoroutinestate
from types import CoroutineType, FrameType
from typing import Any, TypeVar

from graphql import GraphQLResolveInfoHelpers, OperationType, is_leaf_type
from graphql.execution import Executor
from graphql.pyutils import Path, Undefined, gather_with_cancel, is_iterable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from schema.execution.context import Context
from schema.execution.gathering import Gathering, may_be_one_unit
from schema.execution.loaders import Loaders
from schema.execution.pacing import Meter, Pacer, pacer

__all__ = ["BoundedExecutor"]

_T = TypeVar("_T")
_Found = TypeVar("_Found", list[Any], dict[str, Any])


class BoundedExecutor(StrawberryGraphQLCoreExecutionContext):
    """Executes operations. The executor of a subscription is stored in the context, for `schema.execution.running`.

    graphql-core 3.3.2 shares a cache of collected sub-fields between the executors of all events, and adds about 1.7
    KiB to it with each event. Remove that part when upstream is repaired.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """Make the executor of an operation."""
        super().__init__(*arguments, **named)
        #: The loop time of the operation; the executors of all events of a subscription share it.
        self.meter = Meter()
        #: The parts of one execution that wait for their turn.
        self.underway = _Underway()
        # graphql-core's helpers are bound methods: with them, the executor stays until the next garbage collection.
        cls, one = type(self), weakref.proxy(self)
        gather, track = partial(cls.gather_async_work, one), partial(cls.track_async_work, one)
        self.async_helpers = GraphQLResolveInfoHelpers(gather, track)
        if isinstance(self.context_value, Context):
            self.hide_suggestions = not self.context_value.limits.introspection
        if self.operation.operation is OperationType.SUBSCRIPTION and isinstance(self.context_value, Context):
            self.context_value.executor = self

    def build_per_event_executor(self, payload: Any) -> Executor[Any]:
        """Return the executor of one event, with its own cache and loaders."""
        executor = super().build_per_event_executor(payload)
        executor._relevant_sub_fields = {}  # noqa: SLF001 - there is no public way to it
        if isinstance(self.context_value, Context):
            executor.context_value = self.context_value.for_event()
        return executor

    def execute_operation(self, serially: bool | None = None) -> Any:
        """Execute the operation, or one event. The loaders of a mutation read the rows again for each field."""
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

    def execute_fields(
        self, parent_type: Any, source_value: Any, path: Any, grouped_field_set: Any, position_context: Any
    ) -> Any:
        """Execute the fields of an object; those that have to be awaited are awaited together."""
        found: dict[str, Any] = {}
        waiting: list[str] = []
        try:
            for name, details in grouped_field_set.items():
                place = Path(path, name, parent_type.name)
                value = self.execute_field(parent_type, source_value, details, place, position_context)
                if value is Undefined:
                    continue
                if self.is_awaitable(value):
                    waiting.append(name)
                    value = _Guarded(value)
                found[name] = value
        except Exception:
            if waiting:
                self.settle_in_background([found[name] for name in waiting])
            raise
        return _awaited(found, waiting) if waiting else found

    def execute_fields_serially(
        self, parent_type: Any, source_value: Any, path: Any, grouped_field_set: Any, position_context: Any
    ) -> Any:
        """Execute the fields of a mutation; several commands on cards are one unit (docs/graphql.md, "Mutations").

        The bus still carries them out in the order of the document. They are no unit when an answer is read from the
        store: each answer must show the effect of the fields up to its own (GraphQL, 6.2.2).
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
        """Await the awaitable of a resolver, then wait for the turn to complete its value.

        graphql-core calls this for every awaitable. Many of them wait for one loader, and without turns they would all
        be completed in one loop iteration.
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
        """Complete a list in slices, so that the event loop does other work in between."""
        pace = _running_pacer()
        if pace is None or is_leaf_type(getattr(item_type, "of_type", item_type)) or not is_iterable(items):
            return super().complete_iterable_value(item_type, field_details_list, info, path, items, position_context)
        completing = _Completing(self, iter(items), (item_type, field_details_list, info), path, position_context)
        return completing.begin(pace)


class _Underway:
    """Counts the parts of an execution that wait for their turn. Loaders are awaited only when none waits.

    So a loader gets all its keys at once, as if everything were completed in one go: one query for each kind of row,
    and not one for each turn.
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
        """Return when no part waits, including parts that begin to wait in the caller's loop iteration."""
        await asyncio.sleep(0)
        while self._waiting:
            if self._none is None:
                self._none = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._none)


class _Completing:
    """One list in completion: its completed entries, and those that are awaited."""

    def __init__(
        self, executor: BoundedExecutor, items: Iterator[Any], place: tuple[Any, Any, Any], path: Any, context: Any
    ) -> None:
        self._executor = executor
        self._items = enumerate(items)
        self._place = place
        self._path = path
        self._context = context
        self.completed: list[Any] = []
        self._awaitable: list[int] = []

    def begin(self, pace: Pacer) -> Any:
        """Return the list, or an awaitable of it when the slice is used up or an entry has to be awaited."""
        meter = self._executor.meter
        try:
            for index, item in self._items:
                self._add(index, item)
                if pace.is_used_up(meter):
                    return self._go_on(pace)
        except Exception:
            self._executor.settle_in_background([self.completed[index] for index in self._awaitable])
            raise
        return _awaited(self.completed, self._awaitable) if self._awaitable else self.completed

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
            _abandon(self)
            raise
        return await _awaited(self.completed, self._awaitable) if self._awaitable else self.completed

    def _add(self, index: int, item: Any) -> None:
        executor, (item_type, details, info) = self._executor, self._place
        path = self._path.add_key(index, None)
        if executor.is_awaitable(item):
            self._awaitable.append(index)
            entry = executor.complete_awaitable_list_item_value(item, item_type, details, info, path, self._context)
            self.completed.append(_Guarded(entry))
        elif executor.complete_list_item_value(item, self.completed, item_type, details, info, path, self._context):
            self._awaitable.append(index)
            self.completed[index] = _Guarded(self.completed[index])


async def _awaited(found: _Found, waiting: Sequence[Any]) -> _Found:
    """Replace the awaitables of `found`, which are those at the keys or places `waiting`, with their results."""
    if len(waiting) == 1:  # the usual case, which needs no task
        found[waiting[0]] = await found[waiting[0]]
        return found
    try:
        results = await gather_with_cancel(*(found[place] for place in waiting))
    except BaseException:
        _abandon(found)
        raise
    for place, result in zip(waiting, results, strict=True):
        found[place] = result
    return found


class _Guarded:
    """A coroutine that a task may never begin, because the task is cancelled before its first step; see `_abandon`."""

    __slots__ = ("coroutine",)

    def __init__(self, coroutine: Any) -> None:
        self.coroutine = coroutine

    def __await__(self) -> Any:
        return self.coroutine.__await__()


def _running_pacer() -> Pacer | None:
    try:
        return pacer()
    except RuntimeError:
        return None  # no event loop runs, as in an introspection by the schema itself


def _abandon(value: Any) -> None:
    """Close the coroutines in `value` that nothing has begun, and the coroutines that they would have awaited.

    Python warns of each coroutine that is dropped before its first step.
    """
    match value:
        case dict():
            _abandon(list(value.values()))
        case list():
            for one in value:
                _abandon(one)
        case _Guarded():
            _abandon(value.coroutine)
        case _Completing():
            _abandon(value.completed)
        case CoroutineType(cr_frame=FrameType() as frame) if getcoroutinestate(value) == CORO_CREATED:
            inner = list(frame.f_locals.values())
            value.close()
            _abandon(inner)
