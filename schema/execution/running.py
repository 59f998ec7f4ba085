"""Runs operations to their end, after Strawberry and graphql-core have begun them.

The libraries parse and validate the document, coerce the arguments, and call the resolver of a subscription. The
resolver leaves a `Source`, which this module reads. The libraries themselves would use seven generators for each
subscription: most of the memory of an idle one, and they would keep the last event in memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from inspect import isawaitable
from typing import Any

from graphql import GraphQLError
from strawberry import Schema
from strawberry.types import ExecutionResult

from realtime.endings import OPERATION_TIMEOUT, TOO_EXPENSIVE
from realtime.errors import StreamEnded
from realtime.messages.batches import Batch
from realtime.messages.envelopes import Envelope
from schema.execution.context import Context
from schema.execution.errors import error_of, stream_ended
from schema.execution.pacing import pacer
from schema.execution.subscription_execution import Events, EventsInUse

__all__ = ["run"]


async def run(schema: Schema, begun: AsyncGenerator[Any, None], context: Context) -> AsyncGenerator[Any, None]:
    """Yield the results of an operation: those of `begun`, then those of the source that it left in `context`.

    Closing the generator closes the source first.
    """
    seconds = context.limits.timeout_seconds
    turns: AbstractAsyncContextManager[Any] = context.turns or nullcontext()
    async with turns, aclosing(_in_time(schema, begun, seconds)) as results:
        async for result in results:
            yield result
            del result
    del begun, results
    source, context.source = context.source, None
    executor, context.executor = context.executor, None
    if source is None or executor is None:
        return
    in_use = EventsInUse.of(executor.schema)
    events = in_use.events(executor, source.selector, context)
    context.encoding = events.encoding
    del executor
    goodbye: Envelope | None = None
    try:
        async with aclosing(source.batches) as batches:
            async for batch in batches:
                for envelope in batch:
                    goodbye = envelope if envelope.type == "goodbye" else None
                    if source.selector.selects(envelope):
                        context.metrics.sent_batch(Batch((envelope,)))
                        context.cursor = envelope.cursor
                        if context.refresh():
                            events = in_use.regranted(events, context)
                        async with turns:
                            if envelope.type == "state" and not events.is_ready(envelope):
                                await _room(events)
                            result = await _result(schema, events, envelope, seconds)
                            if result is None:
                                yield _failure(schema, error_of(TOO_EXPENSIVE))
                                return
                            yield result
                            del result
                # Free the batch while the generator waits for the next one.
                del batch, envelope
    except source.completing:
        return  # the event `Goodbye` has reported the end
    except StreamEnded as ended:
        yield _failure(schema, stream_ended(ended, goodbye))
    except Exception as fault:  # noqa: BLE001 - `public_error` logs faults of the server
        yield _failure(schema, fault)


async def _in_time(schema: Schema, begun: AsyncGenerator[Any, None], seconds: float) -> AsyncGenerator[Any, None]:
    """Yield the results of `begun`; each step has a deadline, and a step that misses it is the last."""
    async with aclosing(begun):
        while True:
            # Around the step alone: a timeout around a `yield` would cancel the consumer.
            deadline = asyncio.timeout(seconds)
            try:
                async with deadline:
                    result = await anext(begun, None)
            except TimeoutError:
                if not deadline.expired():
                    raise
                result = _failure(schema, _too_long(seconds))
            if result is None:
                return
            yield result
            if deadline.expired():
                return
            del result


async def _room(events: Events) -> None:
    """Return in a turn of the event loop that has time: the states of subscriptions that begin together take long.

    Other results do not wait. A `goodbye` must not: a revoked client gets it within half a second, or never.
    """
    pace = pacer()
    if pace.is_used_up(events.executor.meter):
        await pace.turn(events.executor.meter)
    pace.pause()


async def _result(schema: Schema, events: Events, envelope: Envelope, seconds: float) -> ExecutionResult | None:
    """Execute one event; None = the subscription has become too expensive."""
    if events.is_too_expensive:
        return None
    executed = events.executed(envelope)
    if isawaitable(executed):
        deadline = asyncio.timeout(seconds)
        try:
            async with deadline:
                found = await executed
        except TimeoutError:
            if not deadline.expired():
                raise
            # For all subscriptions that share the execution: none of them may try it again.
            events.is_too_expensive = True
            return None
    else:
        found = executed
    if found.errors:
        schema.process_errors(found.errors)
    return ExecutionResult(data=found.data, errors=found.errors)


def _too_long(seconds: float) -> GraphQLError:
    message = f"expected an operation that takes at most {seconds:g} seconds, and gave this one up; ask for less"
    return error_of(OPERATION_TIMEOUT, message, timeoutSeconds=seconds)


def _failure(schema: Schema, fault: Exception) -> ExecutionResult:
    errors = [fault if isinstance(fault, GraphQLError) else GraphQLError(str(fault), original_error=fault)]
    schema.process_errors(errors)
    return ExecutionResult(data=None, errors=errors)
