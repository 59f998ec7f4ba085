"""Events of the subscriptions as their resolvers yield them: each kind once, and with a strange value inserted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from graphql import Undefined
from hypothesis import strategies as st
from pydantic import BaseModel

from realtime.clock import iso
from realtime.dashboard.rows import AgentRow
from realtime.kanban import changes
from realtime.kanban.ids import BoardId, CardId, ColumnId
from realtime.kanban.models import BoardState, Card, Column, GithubIssue, TicketType
from realtime.messages.envelopes import Envelope, checked_heartbeat
from schema.envelopes.change_mapping import board_change
from schema.envelopes.mapping import board_event, board_state, dashboard_event, dashboard_overview
from tests.kit.nodes import BOARD, START
from tests.unit.realtime.dashboard.counting import overview_of
from tests.unit.realtime.dashboard.samples import ALL_TIME, NOW, ago, attempt, board, card, log
from tests.unit.realtime.event_samples import AT, ITEMS, PR, TODOS

__all__ = ["ROOT_FIELDS", "events_of", "put_in", "small_state"]

#: The subscriptions of these events.
ROOT_FIELDS = ("boardState", "boardEvents", "boardChanges", "dashboardOverview", "dashboardEvents")
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
OF_ATTEMPT = {"attemptId": "a1"}


def small_state() -> BoardState:
    """Return a new state with three cards in two columns."""
    id, other, third = CardId("k1"), CardId("k2"), CardId("k3")
    board_id, first = BoardId(BOARD), ColumnId("c1")
    issue = GithubIssue(2**40, "https://example.com/i/1")
    cards = [
        Card(
            id, board_id, first, 'ünïcödé 🚀 "q"', START, START, "AB-1", "https://x", True, TicketType.CI, True, issue
        ),
        Card(other, board_id, first, "", START, START, description="a\n\u2028b\0", depends_on=(id, third)),
        Card(third, board_id, ColumnId("c2"), "third", START, START),
    ]
    columns = [Column(first, "Backlog", (other, id)), Column(ColumnId("c2"), "Done", (third,))]
    return BoardState({one.id: one for one in columns}, {one.id: one for one in cards})


def events_of(root_field: str) -> list[Any]:
    """Return new events of a subscription, each kind at least once."""
    state = Envelope("state", small_state(), "c-1")
    overview = Envelope("dashboard_overview", _overview(), "c-1")
    match root_field:
        case "boardState":
            return [board_state(state, BOARD), board_state(Envelope("state", BoardState(), "c"), BOARD)]
        case "boardEvents":
            return [board_event(one, BOARD) for one in (state, *_of_boards(), *_of_agents(), *_of_all())]
        case "boardChanges":
            return [board_change(one, BOARD) for one in (state, *_of_changes(), *_of_all())]
        case "dashboardOverview":
            return [dashboard_overview(overview)]
        case _:
            return [dashboard_event(one) for one in (overview, *_of_agents(), *_of_all())]


def _of_boards() -> Iterator[Envelope]:
    yield Envelope("attempt_started", {**OF_ATTEMPT, "cardId": "k1"}, "c-2")
    yield Envelope("attempt_status", {**OF_ATTEMPT, "status": "running"}, "c-2")
    yield Envelope("attempt_log", {**OF_ATTEMPT, "level": "warn", "message": "a\nb", "ts": AT}, "c-2")
    yield Envelope("attempt_session", {**OF_ATTEMPT, "sessionId": "s"}, "c-2")
    yield Envelope("attempt_todos", {**OF_ATTEMPT, "todos": TODOS}, "c-2")
    yield Envelope("git_status", None, "c-2")
    yield Envelope("git_commit", {**OF_ATTEMPT, "shortSha": "abc", "subject": "s", "ts": AT}, "c-2")
    yield Envelope("git_push", {"attemptId": "", "remote": "origin", "branch": "b", "ts": AT}, "c-2")
    yield Envelope("attempt_pr", {**OF_ATTEMPT, "pr": PR}, "c-2")
    for item in ITEMS.values():
        yield Envelope("conversation_item", {**OF_ATTEMPT, "item": item}, "c-2")


def _of_changes() -> Iterator[Envelope]:
    card = small_state().cards[CardId("k1")]
    yield Envelope("card_created", changes.CardCreated(card, 0), "c-2")
    yield Envelope("card_updated", changes.CardUpdated(card, ("title", "github_issue", "depends_on")), "c-2")
    one, other = card.column_id, ColumnId("c2")
    yield Envelope("card_moved", changes.CardMoved(card.id, one, 0, other, 1, START), "c-2")
    yield Envelope("card_deleted", changes.CardDeleted(card.id, one, 0, None), "c-2")
    headings = (changes.Heading(one, "Backlog"), changes.Heading(other, "Done"))
    yield Envelope("columns_changed", changes.ColumnsChanged(headings, ()), "c-2")
    yield checked_heartbeat(START, "c-2", "0a1b")


def _of_agents() -> Iterator[Envelope]:
    profile = {"kind": "deleted", "profileId": "ap-1", "agent": "CODEX", "label": None}
    yield Envelope("agent_profile", profile, "c-3")
    yield Envelope("agent_registered", {"agent": "CODEX", "label": "Codex"}, "c-3")


def _of_all() -> Iterator[Envelope]:
    yield Envelope("hello", {"serverTime": iso(START), "cursor": "c-0", "heartbeatSeconds": 30.0})
    yield Envelope("gap", {"reason": "slow_consumer", "from": "c-1", "to": "c-3"}, "c-3")
    yield Envelope("goodbye", {"reason": "server_shutdown", "reconnectAfterMs": 5})


def _overview() -> Any:
    attempts = [
        attempt("a-review", card="k1"),
        attempt("a", "failed", card="k2", started=ago(50)),
        attempt("a-stuck", "queued", card="k3", created=ago(7_000)),
        attempt("a-running", "running", started=ago(10)),
    ]
    rows = board(card("k1", "Review"), card("k2"), card("k3"), card("c"), attempts=attempts, logs=[log("no such file")])
    return overview_of(replace(rows, agents=[AgentRow("CODEX", "Codex")]), ALL_TIME, NOW)


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
