"""The table of envelopes is complete, and a missing type raises an error."""

from __future__ import annotations

from typing import get_args

import pytest

from realtime.kanban.board import Board
from realtime.kanban.changes import Difference
from realtime.messages import envelopes
from realtime.messages.payloads import PAYLOADS
from realtime.node import Node
from schema.envelopes.feed import AttemptEvent, BoardChange, BoardEvent, DashboardEvent
from schema.envelopes.mapping import (
    ATTEMPT_EVENT_TYPES,
    BOARD_CHANGE_TYPES,
    BOARD_EVENT_TYPES,
    DASHBOARD_EVENT_TYPES,
    RAW_ONLY,
    UnexpectedEnvelope,
    board_event,
    board_state,
    dashboard_event,
    dashboard_overview,
)
from tests.kit.envelope_streams import board_stream
from tests.kit.nodes import BOARD, publish, take
from tests.kit.plain_envelopes import plain
from tests.kit.publishing import event
from tests.unit.realtime.event_samples import SAMPLES
from tests.unit.schema.plan.events import events_of

_UNIONS = {
    "boardEvents": BoardEvent,
    "boardChanges": BoardChange,
    "attemptEvents": AttemptEvent,
    "dashboardEvents": DashboardEvent,
}
#: Types that only the delivery `changes` has.
_CHANGES = {*(kind.__dataclass_fields__["type"].default for kind in get_args(Difference)), "heartbeat"}
#: Types of the raw transports, or of the dashboard's stream.
ELSEWHERE = ("pong", "error", "dashboard_overview", "nonsense", "")


def test_every_envelope_has_a_member_in_a_union_or_is_raw_only() -> None:
    mapped = BOARD_EVENT_TYPES | DASHBOARD_EVENT_TYPES
    assert mapped | RAW_ONLY == set(PAYLOADS)
    assert not mapped & RAW_ONLY


def test_changes_and_attempts_have_a_part_of_the_types_of_a_board() -> None:
    of_stream = {"hello", "access", "gap", "goodbye"}
    assert of_stream | _CHANGES | {"state"} == BOARD_CHANGE_TYPES
    assert of_stream == ATTEMPT_EVENT_TYPES & BOARD_CHANGE_TYPES
    left = BOARD_EVENT_TYPES - BOARD_CHANGE_TYPES - ATTEMPT_EVENT_TYPES
    assert left == {"git_status", "agent_profile", "agent_registered"}


@pytest.mark.parametrize("root_field", _UNIONS)
def test_every_member_of_a_union_is_made_of_an_envelope(root_field: str) -> None:
    union, *_ = get_args(_UNIONS[root_field])
    assert {type(one) for one in events_of(root_field)} == set(get_args(union))


@pytest.mark.parametrize("type", ["state", "attempt_log", "nonsense", ""])
def test_type_that_is_not_on_the_dashboard_is_an_error(type: str) -> None:
    with pytest.raises(UnexpectedEnvelope, match=f"got Envelope\\({type}, c\\)"):
        dashboard_event(plain(type, {}, "c"))


async def test_no_domain_event_makes_an_envelope_without_a_member(node: Node, board: Board) -> None:
    # A walk over the core's own table: every event name, as a real stream yields it.
    stream = board_stream(node, board.id)
    seen = {envelope.type for envelope in await take(stream, 2)}
    for name, payload in SAMPLES.items():
        if name != "project.deleted":
            await publish(node, event(name, payload))
    await publish(node, event("project.deleted", SAMPLES["project.deleted"]))
    while "goodbye" not in seen:
        (envelope,) = await take(stream, 1)
        seen.add(envelope.type)
        assert type(board_event(envelope, board.id)).__name__
    await stream.aclose()
    assert seen == BOARD_EVENT_TYPES - _CHANGES - {"access", "gap"}  # it reads in time, and has no token


@pytest.mark.parametrize("type", ELSEWHERE)
def test_unknown_type_is_an_error(type: str) -> None:
    with pytest.raises(UnexpectedEnvelope, match=f"got Envelope\\({type}, c\\)"):
        board_event(plain(type, {}, "c"), BOARD)


@pytest.mark.parametrize("type", sorted(BOARD_EVENT_TYPES - {"git_status"}))
def test_payload_of_another_kind_is_an_error(type: str) -> None:
    with pytest.raises(UnexpectedEnvelope):
        board_event(plain(type, None, "c"), BOARD)


def test_word_that_is_in_no_enumeration_is_an_error() -> None:
    with pytest.raises(ValueError, match="new_reason"):
        board_event(envelopes.goodbye("new_reason", 0), BOARD)


def test_state_and_overview_are_taken_from_their_envelopes_only() -> None:
    with pytest.raises(UnexpectedEnvelope, match="expected a state"):
        board_state(plain("hello", {}), BOARD)
    with pytest.raises(UnexpectedEnvelope, match="expected an overview"):
        dashboard_overview(plain("hello", {}))


def test_samples_are_of_the_board_of_the_fixture() -> None:
    assert SAMPLES["project.deleted"]["projectId"] == BOARD
