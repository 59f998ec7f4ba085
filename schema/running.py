"""Running operations to their end: what comes after Strawberry and graphql-core have begun one.

They parse, validate, coerce the arguments and call the resolver of a subscription; that leaves a `Source`, which is
read here. Their own way from there on takes seven generators for each subscription, which are most of the memory of one
to which nothing happens, and which hold on to the last event.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from inspect import isawaitable
from typing import Any

from graphql import GraphQLError
from strawberry import Schema
from strawberry.types import ExecutionResult

from realtime.batches import Batch
from realtime.envelopes import Envelope
from realtime.errors import StreamEnded
from schema.context import Context
from schema.errors import stream_ended
from schema.events import Events, EventsInUse

__all__ = ["run"]


async def run(schema: Schema, begun: AsyncGenerator[Any, None], context: Context) -> AsyncGenerator[Any, None]:
    """Yield the results of an operation: those of `begun`, then those of the source that it has left in `context`.

    Closing it closes the source before anything else happens.
    """
    async with aclosing(begun):
        async for result in begun:
            yield result
            del result
    del begun
    source, context.source = context.source, None
    executor, context.executor = context.executor, None
    if source is None or executor is None:
        return
    events = EventsInUse.of(executor.schema).events(executor, source.telling, context)
    context.encoding = events.encoding
    del executor
    goodbye: Envelope | None = None
    try:
        async with aclosing(source.batches) as batches:
            async for batch in batches:
                for envelope in batch:
                    goodbye = envelope if envelope.type == "goodbye" else None
                    if source.telling.tells(envelope):
                        context.account.counters.told(Batch((envelope,)))
                        context.cursor = envelope.cursor
                        yield await _result(schema, events, envelope)
                # Whoever sleeps holds on to nothing.
                del batch, envelope
    except source.completing:
        return  # `Goodbye` has said it
    except StreamEnded as ended:
        yield _failure(schema, stream_ended(ended, goodbye))
    except Exception as fault:  # noqa: BLE001 - whoever shows it to clients logs what is ours
        yield _failure(schema, fault)


async def _result(schema: Schema, events: Events, envelope: Envelope) -> ExecutionResult:
    executed = events.executed(envelope)
    found = await executed if isawaitable(executed) else executed
    if found.errors:
        schema.process_errors(found.errors)
    return ExecutionResult(data=found.data, errors=found.errors)


def _failure(schema: Schema, fault: Exception) -> ExecutionResult:
    errors = [fault if isinstance(fault, GraphQLError) else GraphQLError(str(fault), original_error=fault)]
    schema.process_errors(errors)
    return ExecutionResult(data=None, errors=errors)
