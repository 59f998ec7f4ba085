"""Events as a client sends them (docs/ingest.md). All are parsed together, so one answer names every mistake."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import GenericAlias
from typing import Annotated, Any, Literal, NamedTuple, Union

from pydantic import BaseModel, ConfigDict, FailFast, Field, TypeAdapter, ValidationError, create_model

from realtime.clock import parse_iso
from realtime.errors import (
    MAX_FIELD_ERRORS,
    FieldError,
    InvalidInput,
    field_errors,
    first_fields,
    more_fields,
    quoted,
)
from realtime.kanban.events import EVENT_MODELS, EVENT_NAMES, BoardStateChanged, DomainEvent, parse_event
from realtime.kanban.ids import Id
from realtime.kanban.input.fields import IsoTime
from realtime.kanban.input.many import stopping_early
from realtime.kanban.input.nesting import MAX_LEVELS, is_shallow

__all__ = ["MAX_EVENTS", "Incoming", "parse_incoming", "read_all", "read_each"]

#: Most events in one request.
MAX_EVENTS = 1000


class Incoming(NamedTuple):
    """An event that a client reports."""

    event: DomainEvent
    #: Time of the event; None = now.
    at: datetime | None = None
    #: Idempotency key of the client.
    key: str | None = None


class _Sent(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    at: IsoTime | None = None
    id: Id | None = None


class _Wire(_Sent):
    name: str
    payload: dict[str, Any]


_KEYS = frozenset(_Wire.model_fields)


def _sent(name: str, model: type[DomainEvent]) -> Any:
    """Return the model of an entry with this event name."""
    fields: dict[str, Any] = {"name": (Literal[name], ...), "payload": (model, ...)}
    return create_model(f"Sent{model.__name__}", __base__=_Sent, **fields)


_AnySent: Any = Union[tuple(_sent(name, model) for name, model in EVENT_MODELS.items())]  # noqa: UP007 - of a tuple
_Batch: Any = Annotated[GenericAlias(list, (Annotated[_AnySent, Field(discriminator="name")],)), FailFast()]
#: Validates a whole batch in one call, at a sixth of the cost of one call for each entry.
_batch = TypeAdapter[list[Any]](_Batch)


def parse_incoming(body: object) -> list[Incoming]:
    """Parse one event, or a list of events.

    Raises:
        InvalidInput: it names the index and the field of each mistake, such as `0.payload.status`.
    """
    entries = body if isinstance(body, list) else [body]
    if not 1 <= len(entries) <= MAX_EVENTS:
        raise InvalidInput(FieldError("", f"expected 1 to {MAX_EVENTS} events, got {len(entries)}"))
    return read_all(entries) or read_each(entries)


def read_all(entries: list[Any]) -> list[Incoming] | None:
    """Parse all events in one call; return None if some of them do not fit."""
    if any(isinstance(entry, dict) and len(entry) > len(_KEYS) for entry in entries):
        return None
    # Before validation, because models put unknown values into their error messages. The two more levels are the list
    # and the entry around the payload.
    if not is_shallow(entries, MAX_LEVELS + 2):
        return None
    try:
        with stopping_early():
            wires = _batch.validate_python(entries, by_alias=True, by_name=False)
    except ValidationError:
        return None
    incoming = [Incoming(wire.payload, parse_iso(wire.at) if wire.at else None, wire.id) for wire in wires]
    return None if any(_lacks_state(one.event) for one in incoming) else incoming


def read_each(entries: list[Any]) -> list[Incoming]:
    """Parse the events one by one, to name every mistake.

    Raises:
        InvalidInput: see `parse_incoming`.
    """
    incoming: list[Incoming] = []
    mistakes: tuple[FieldError, ...] = ()
    for index, entry in enumerate(entries):
        try:
            with stopping_early(len(mistakes) > MAX_FIELD_ERRORS):
                incoming.append(_parse(index, entry))
        except InvalidInput as error:
            mistakes = first_fields((*mistakes, *error.fields))
    if mistakes:
        raise InvalidInput(*mistakes)
    return incoming


def _parse(index: int, entry: object) -> Incoming:
    if not isinstance(entry, Mapping):
        raise InvalidInput(FieldError(str(index), f"expected an object with name and payload, got {quoted(entry)}"))
    # pydantic reports each unknown key as a mistake, so only the first ones are validated.
    unlisted = set([key for key in entry if key not in _KEYS][MAX_FIELD_ERRORS:])
    try:
        wire = _Wire.model_validate({key: value for key, value in entry.items() if key not in unlisted})
    except ValidationError as error:
        others = [more_fields(len(unlisted))] if unlisted else []
        raise InvalidInput(*field_errors(error, index), *others) from error
    if wire.name not in EVENT_NAMES:
        raise InvalidInput(FieldError(f"{index}.name", f"expected the name of a domain event, got {quoted(wire.name)}"))
    if not is_shallow(wire.payload):
        raise InvalidInput(FieldError(f"{index}.payload", f"expected at most {MAX_LEVELS} levels of nesting"))
    return Incoming(_event(index, wire), parse_iso(wire.at) if wire.at else None, wire.id)


def _event(index: int, wire: _Wire) -> DomainEvent:
    try:
        event = parse_event(wire.name, wire.payload)
    except ValidationError as error:
        raise InvalidInput(*field_errors(error, index, "payload")) from error
    if _lacks_state(event):
        raise InvalidInput(FieldError(f"{index}.payload.state", "this field is required, nothing came"))
    return event


def _lacks_state(event: DomainEvent) -> bool:
    # An event from outside without a state has no change. Such events in the log have their changes stored with them.
    return type(event) is BoardStateChanged and event.state is None
