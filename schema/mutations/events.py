"""Mutations that ingest events: one like `POST /api/v1/events`, and one typed mutation for each family."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

import strawberry
from strawberry.types.field import StrawberryField

from realtime import errors
from realtime.kanban.incoming import parse_incoming
from realtime.service import Accepted
from schema.execution.context import Info
from schema.nodes import find_kind
from schema.refusals import IdempotencyKeyReused, InvalidInput, refusable
from schema.types.event_inputs import FAMILIES, DoubtfulId, event_of, member_of
from schema.types.inputs import EventInput, shown_name
from schema.types.positions import offset_field
from schema.types.scalars import TimeText

__all__ = ["AcceptedEvent", "EventMutations", "PublishEventPayload", "PublishEventsPayload"]


@strawberry.type(description="An event that is in the log.")
class AcceptedEvent:
    """The fields are read from `service.Accepted`."""

    name: str = strawberry.field(description="Name of the event.")
    cursor: str = strawberry.field(
        description="The position after the event; for a duplicate, that of the first event with its `id`."
    )
    offset = offset_field("The offset of that position; of an agent's event, in the log of all boards.")
    duplicate: bool = strawberry.field(
        description="Whether an event with this `id` was stored before; then nothing was published."
    )


@strawberry.type(description="The result of `publishEvents`.")
class PublishEventsPayload:
    """The result of `publishEvents`."""

    accepted: list[Accepted] = strawberry.field(
        graphql_type=list[AcceptedEvent], description="An entry for each event, in the given order."
    )


@strawberry.type(description="The result of a mutation that reports one event.")
class PublishEventPayload:
    """The result of a mutation that reports one event."""

    accepted: Accepted = strawberry.field(graphql_type=AcceptedEvent, description="The event's place in the log.")


PublishEventsResult = Annotated[
    PublishEventsPayload | InvalidInput | IdempotencyKeyReused,
    strawberry.union(
        "PublishEventsResult", description="The answer to `publishEvents`: their positions, or the refusal."
    ),
]
PublishEventResult = Annotated[
    PublishEventPayload | InvalidInput | IdempotencyKeyReused,
    strawberry.union(
        "PublishEventResult", description="The answer to a report of one event: its position, or the refusal."
    ),
]


def _report(family: str) -> StrawberryField:
    """Make the mutation that reports an event of a family."""

    async def publish(
        info: Info,
        event: Any,
        at: Annotated[
            TimeText | None,
            strawberry.argument(description="When it happened; default: now."),
        ] = None,
        id: Annotated[
            strawberry.ID | None,
            strawberry.argument(
                description="Idempotency key, 1 to 200 characters: the same event with the same one is published once."
            ),
        ] = None,
    ) -> PublishEventPayload:
        """Store and publish the event."""
        given = event_of(event)
        await _check_ids(info, given.doubtful)
        entry = {"name": given.name, "payload": given.payload, "at": at, "id": id}
        try:
            (accepted,) = await _ingest(info, entry)
        except errors.InvalidInput as refused:
            raise errors.InvalidInput(*(_below(member_of(given.name), field) for field in refused.fields)) from refused
        return PublishEventPayload(accepted=accepted)

    publish.__annotations__["event"] = Annotated[
        Any, strawberry.argument(graphql_type=FAMILIES[family], description="The event.")
    ]
    return refusable(f"Report an event of the family `{family}`, as `publishEvents` does.", PublishEventResult)(publish)


@strawberry.type
class EventMutations:
    """Mutations that report events; part of the root."""

    @refusable(
        "Report events from outside, 1 to 1000: all are stored and published in the given order, or none. "
        "All subscribers see them.",
        PublishEventsResult,
    )
    async def publish_events(
        self, info: Info, events: Annotated[list[EventInput], strawberry.argument(description="The events, in order.")]
    ) -> PublishEventsPayload:
        """Store and publish the events."""
        return PublishEventsPayload(accepted=await _ingest(info, [event.entry() for event in events]))

    publish_project_event = _report("project")
    publish_board_event = _report("board")
    publish_card_event = _report("card")
    publish_attempt_event = _report("attempt")
    publish_git_event = _report("git")
    publish_github_event = _report("github")
    publish_agent_event = _report("agent")
    publish_workspace_event = _report("workspace")


async def _check_ids(info: Info, doubtful: Sequence[DoubtfulId]) -> None:
    """Check that no field has the `id` of a thing of another board or kind; it would be stored as an id of the wire.

    Raises:
        InvalidInput: it names each such field.
    """
    kinds = await asyncio.gather(*(find_kind(info.context, one.text) for one in doubtful))
    mistakes = [
        errors.FieldError(
            one.path, f"expected {one.expected}, got {errors.quoted(one.text)}, the id of another {kind.name.lower()}"
        )
        for one, kind in zip(doubtful, kinds, strict=True)
        if kind is not None
    ]
    if mistakes:
        raise errors.InvalidInput(*mistakes)


async def _ingest(info: Info, body: object) -> list[Accepted]:
    return await info.context.service.events.ingest(info.context.caller, parse_incoming(body))


def _below(member: str, found: errors.FieldError) -> errors.FieldError:
    """Return a field error of the ingest with its path in the arguments: `0.payload.x` becomes `event.<member>.x`."""
    _, _, path = found.field.partition(".")
    if path.split(".")[0] == "payload":
        inner = shown_name(path.removeprefix("payload").lstrip("."))
        path = f"event.{member}.{inner}".rstrip(".")
    return replace(found, field=path)
