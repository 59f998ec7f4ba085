"""The table of envelopes is complete, and a missing type raises an error."""

from __future__ import annotations

import pytest

from realtime.kanban.board import Board
from realtime.messages.envelopes import Envelope
from realtime.node import Node
from schema.envelopes.mapping import (
    BOARD_EVENT_TYPES,
    DASHBOARD_EVENT_TYPES,
    UnexpectedEnvelope,
    board_event,
    board_state,
    dashboard_event,
    dashboard_overview,
)
from tests.kit.envelope_streams import board_stream
from tests.kit.nodes import BOARD, publish, take
from tests.kit.publishing import event
from tests.unit.realtime.event_samples import SAMPLES

#: Every type of the table of docs/protocol.md except those that are never on a board's stream.
ON_STREAMS = {
    *("hello", "state", "attempt_started", "attempt_status", "attempt_log", "conversation_item", "attempt_session"),
    *("attempt_todos", "git_status", "git_commit", "git_push", "attempt_pr", "agent_profile", "agent_registered"),
    *("gap", "goodbye"),
}
#: The types of the dashboard's stream.
ON_DASHBOARD = {"hello", "dashboard_overview", "agent_profile", "agent_registered", "gap", "goodbye"}
#: Types of the raw transports, or of the dashboard's stream.
ELSEWHERE = ("heartbeat", "pong", "error", "dashboard_overview", "nonsense", "")


def test_every_type_of_the_streams_has_a_member() -> None:
    assert BOARD_EVENT_TYPES == ON_STREAMS
    assert DASHBOARD_EVENT_TYPES == ON_DASHBOARD


@pytest.mark.parametrize("type", ["state", "attempt_log", "nonsense", ""])
def test_type_that_is_not_on_the_dashboard_is_an_error(type: str) -> None:
    with pytest.raises(UnexpectedEnvelope, match=f"got Envelope\\({type}, c\\)"):
        dashboard_event(Envelope(type, {}, "c"))


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
    assert seen == ON_STREAMS - {"gap"}  # a subscriber that reads in time gets none


@pytest.mark.parametrize("type", ELSEWHERE)
def test_unknown_type_is_an_error(type: str) -> None:
    with pytest.raises(UnexpectedEnvelope, match=f"got Envelope\\({type}, c\\)"):
        board_event(Envelope(type, {}, "c"), BOARD)


@pytest.mark.parametrize("type", sorted(BOARD_EVENT_TYPES - {"git_status"}))
def test_payload_of_another_kind_is_an_error(type: str) -> None:
    with pytest.raises(UnexpectedEnvelope):
        board_event(Envelope(type, None, "c"), BOARD)


def test_word_that_is_in_no_enumeration_is_an_error() -> None:
    with pytest.raises(ValueError, match="new_reason"):
        board_event(Envelope("goodbye", {"reason": "new_reason", "reconnectAfterMs": 0}), BOARD)


def test_state_and_overview_are_taken_from_their_envelopes_only() -> None:
    with pytest.raises(UnexpectedEnvelope, match="expected a state"):
        board_state(Envelope("hello", {}), BOARD)
    with pytest.raises(UnexpectedEnvelope, match="expected an overview"):
        dashboard_overview(Envelope("hello", {}))


def test_samples_are_of_the_board_of_the_fixture() -> None:
    assert SAMPLES["project.deleted"]["projectId"] == BOARD
