"""Events of the subscriptions as their resolvers yield them: each kind once, and with a strange value inserted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from graphql import Undefined
from hypothesis import strategies as st
from pydantic import BaseModel

from realtime.kanban.models import BoardState
from realtime.messages.envelopes import Envelope
from realtime.messages.payloads import Overview, State
from schema.envelopes.mapping import (
    ATTEMPT_EVENT_TYPES,
    BOARD_CHANGE_TYPES,
    BOARD_EVENT_TYPES,
    DASHBOARD_EVENT_TYPES,
    board_event,
    board_state,
    dashboard_event,
    dashboard_overview,
)
from tests.kit.nodes import BOARD
from tests.unit.realtime.payload_samples import payload_samples, small_state

__all__ = ["CURSOR", "ROOT_FIELDS", "events_of", "put_in", "small_state"]

CURSOR = "e-0a1b2c3d-7.2-3"
#: The subscriptions of these events.
ROOT_FIELDS = ("boardState", "boardEvents", "boardChanges", "attemptEvents", "dashboardOverview", "dashboardEvents")
#: Values that most fields do not accept.
STRANGE = st.one_of(
    st.sampled_from([None, Undefined]),
    st.text(max_size=5),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.booleans(),
    st.dates().map(str),
    st.just("\ud800"),
    st.builds(ValueError, st.just("a value")),
    st.builds(object),
    st.just([]),
    st.just({"k": [1]}),
    st.just(()),
)


def events_of(root_field: str) -> list[Any]:
    """Return new events of a subscription, each kind at least once."""
    envelopes = [Envelope(payload, CURSOR) for payload in payload_samples()]
    match root_field:
        case "boardState":
            empty = Envelope(State(BoardState()), CURSOR)
            return [board_state(one, BOARD) for one in (*envelopes, empty) if one.type == State.type]
        case "boardEvents":
            return [board_event(one, BOARD) for one in envelopes if one.type in BOARD_EVENT_TYPES]
        case "boardChanges":
            return [board_event(one, BOARD) for one in envelopes if one.type in BOARD_CHANGE_TYPES]
        case "attemptEvents":
            return [board_event(one, BOARD) for one in envelopes if one.type in ATTEMPT_EVENT_TYPES]
        case "dashboardOverview":
            return [dashboard_overview(one) for one in envelopes if one.type == Overview.type]
        case _:
            return [dashboard_event(one) for one in envelopes if one.type in DASHBOARD_EVENT_TYPES]


def put_in(draw: Callable[[st.SearchStrategy[Any]], Any], event: Any) -> None:
    """Put a strange value into some place of an event. The event must not be shared."""
    places = list(_places(event))
    parent, name = places[draw(st.integers(0, len(places) - 1))]
    object.__setattr__(parent, name, draw(STRANGE))  # they are frozen


def _places(value: Any) -> Iterator[tuple[Any, str]]:
    if isinstance(value, Mapping):
        value = tuple(value.values())
    if isinstance(value, tuple | list):
        for one in value:
            yield from _places(one)
        return
    for name in _attributes(value):
        yield value, name
        yield from _places(getattr(value, name))


def _attributes(value: Any) -> list[str]:
    if isinstance(value, BaseModel):
        return list(type(value).model_fields)
    return [one.name for one in fields(value)] if is_dataclass(value) else []
