"""The matrix: every domain event × every raw exit. Exact payload, order and channels, and silence on the others.

`event_table` has the table, and `test_graphql_matrix` is the test for GraphQL.
"""

from __future__ import annotations

import pytest

from realtime.kanban.events import EVENT_NAMES
from tests.kit.live_server import live_server
from tests.kit.publishing import Publisher, event
from tests.kit.recordings import Json, load
from tests.live.event_table import AT, BOARD, CARD, MATRIX, OTHER, RENAMED, mark_dashboard, payload_of, set_stage
from tests.live.replay.listeners import Era, listening


@pytest.fixture(autouse=True)
def prompt_dashboard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let overviews come at once. Otherwise an unexpected one could be conflated with the marker's."""
    monkeypatch.setattr("realtime.views.dashboard_feed.DEBOUNCE_SECONDS", 0.0)


def test_matrix_names_every_event_and_all_of_the_recordings() -> None:
    names = {*load("ws-events")["summary"], *load("sse-events")["summary"]} - {"some.unknown.event"}
    assert set(MATRIX) == set(EVENT_NAMES) >= names


@pytest.mark.parametrize("era", ["ws", "sse"])
@pytest.mark.parametrize("name", sorted(set(MATRIX) - {"project.deleted"}))
async def test_event_reaches_exactly_its_subscribers(name: str, era: Era) -> None:
    row = MATRIX[name]
    async with live_server() as server:
        publisher = Publisher(server.address)
        await set_stage(publisher, with_attempt=name != "attempt.queued")
        async with listening(server.address, era, BOARD, OTHER) as listeners:
            await publisher.publish(event(name, payload_of(name), AT))
            if row.refreshes:
                await listeners.overview()
            received = await listeners.received("afterwards")
            await mark_dashboard(publisher)
            overview = await listeners.overview()
    assert RENAMED in [one["name"] for one in overview["payload"]["projectSnapshots"]]
    _check_board(received["board-1"], [_as_sent(era, one) for one in row.board + row.everybody], row.column)
    assert received["board-2"] == row.everybody
    assert received["dashboard"] == row.everybody


@pytest.mark.parametrize("era", ["ws", "sse"])
async def test_every_event_in_one_batch_keeps_the_order(era: Era) -> None:
    names = [name for name in MATRIX if name not in {"project.deleted", "attempt.queued", "board.state.changed"}]
    async with live_server() as server:
        publisher = Publisher(server.address)
        await set_stage(publisher, with_attempt=True)
        async with listening(server.address, era, BOARD, OTHER) as listeners:
            await publisher.publish(*(event(name, payload_of(name), AT) for name in names))
            received = await listeners.received("afterwards")
    expected = [_as_sent(era, one)["type"] for name in names for one in MATRIX[name].board]
    of_board = [one["type"] for one in received["board-1"] if not one["type"].startswith("agent_")]
    assert of_board == expected


def _as_sent(era: Era, envelope: Json) -> Json:
    """Return the spelling of `git:status` on the exit."""
    if era == "sse" and envelope["type"] == "git:status":
        return {"type": "git_status", "payload": {}}
    return envelope


def _check_board(received: list[Json], expected: list[Json], column: str) -> None:
    assert [one["type"] for one in received] == [one["type"] for one in expected]
    for got, wanted in zip(received, expected, strict=True):
        if wanted["type"] == "state":
            columns = got["payload"]["columns"].values()
            assert [one["title"] for one in columns if CARD in one["cardIds"]] == [column]
        else:
            assert (got, list(got.get("payload", ()))) == (wanted, list(wanted.get("payload", ())))
