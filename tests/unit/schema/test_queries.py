"""Queries return the current stored values in GraphQL's form."""

from __future__ import annotations

from typing import Any

import pytest

from realtime.dashboard.overview import build_overview
from realtime.dashboard.time_range import TimeRange, TimeRangePreset
from realtime.kanban.board import Board
from realtime.node import Node
from schema.export import sdl
from tests.kit.nodes import BOARD, create_board, publish
from tests.kit.publishing import event
from tests.unit.schema.caller import Caller
from tests.unit.schema.dashboard_seed import FROM, NOW, TO, as_wire, seed_dashboard
from tests.unit.schema.selection import selection

AT = "2025-01-01T00:00:00.000Z"
BARE = {"id": "k2", "title": "Bare", "createdAt": AT, "updatedAt": AT}
FULL = {
    "id": "k1",
    "ticketKey": "AB-7",
    "prUrl": "https://example.com/pull/1",
    "disableAutoCloseOnPRMerge": True,
    "ticketType": "feat",
    "isEnhanced": True,
    "githubIssue": {"issueNumber": 3_000_000_000, "url": "https://example.com/issues/3"},
    "title": "Full – 🚀",
    "description": "Text",
    "dependsOn": ["k2"],
    "createdAt": "2024-12-31T23:59:59.999Z",
    "updatedAt": "2025-01-01T02:00:00+01:00",
}
STATE = {
    "columns": {
        "c2": {"id": "c2", "title": "Later", "cardIds": ["k2", "k1"]},
        "c1": {"id": "c1", "title": "Now", "cardIds": []},
    },
    "columnOrder": ["c1", "c2"],
    "cards": {"k1": FULL, "k2": BARE},
}
FULL_SHOWN = {**FULL, "ticketType": "FEAT", "updatedAt": "2025-01-01T01:00:00.000Z", "columnId": "c2"}
BARE_SHOWN: dict[str, Any] = {
    **dict.fromkeys(("ticketKey", "prUrl", "ticketType", "githubIssue", "description")),
    "disableAutoCloseOnPRMerge": False,
    "isEnhanced": False,
    "dependsOn": [],
    "columnId": "c2",
    **BARE,
}
BOARD_QUERY = f"query ($id: ID!) {{ board(id: $id) {selection(sdl(), 'BoardState')} }}"


async def test_board_shows_columns_in_order_and_all_fields_of_cards(caller: Caller, node: Node, board: Board) -> None:
    (accepted,) = await publish(node, event("board.state.changed", {"boardId": BOARD, "state": STATE}))
    shown = await caller.run(BOARD_QUERY, id=BOARD)
    assert shown == {
        "cursor": accepted.cursor,
        "columnOrder": ["c1", "c2"],
        "columns": [
            {"id": "c1", "title": "Now", "cardIds": [], "cards": []},
            {"id": "c2", "title": "Later", "cardIds": ["k2", "k1"], "cards": [BARE_SHOWN, FULL_SHOWN]},
        ],
        "cards": [FULL_SHOWN, BARE_SHOWN],
    }


async def test_board_that_does_not_exist_is_null(caller: Caller) -> None:
    assert await caller.run(BOARD_QUERY, id="nowhere") is None


async def test_board_names_the_cursor_of_its_stream(caller: Caller, node: Node, board: Board) -> None:
    await publish(node, event("agent.registered", {"agent": "CODEX", "label": None}))
    async with caller.subscribe(f'subscription {{ boardState(boardId: "{BOARD}") {{ cursor }} }}') as results:
        streamed = (await results.next())["cursor"]
    assert (await caller.run(BOARD_QUERY, id=BOARD))["cursor"] == streamed


async def test_projects_are_listed_oldest_first(caller: Caller, node: Node) -> None:
    await publish(
        node,
        event(
            "project.created",
            {
                "projectId": "p1",
                "name": "Alpha Board",
                "repositoryPath": "/r",
                "repositoryUrl": "https://github.com/o/r",
                "repositorySlug": "o/r",
                "createdAt": AT,
            },
        ),
    )
    await create_board(node, "p2", "Beta")
    first, second = await caller.run(f"{{ projects {selection(sdl(), 'Project')} }}")
    assert first == {
        "id": "p1",
        "name": "Alpha Board",
        "status": "Active",
        "ticketPrefix": "AB",
        "repositoryPath": "/r",
        "repositoryUrl": "https://github.com/o/r",
        "repositorySlug": "o/r",
        "createdAt": AT,
    }
    assert (second["id"], second["repositoryUrl"]) == ("p2", None)


async def test_projects_of_an_empty_store_are_none(caller: Caller) -> None:
    assert await caller.run("{ projects { id } }") == []


OVERVIEW = (
    f"query ($range: TimeRangeInput) {{ dashboardOverview(timeRange: $range) {selection(sdl(), 'DashboardOverview')} }}"
)


@pytest.mark.parametrize(
    ("asked", "range_"),
    [
        (None, TimeRange(TimeRangePreset.LAST_7D)),
        ({}, TimeRange(TimeRangePreset.LAST_7D)),
        ({"preset": "ALL_TIME"}, TimeRange(TimeRangePreset.ALL_TIME)),
        ({"preset": "LAST_24H"}, TimeRange(TimeRangePreset.LAST_24H)),
        ({"from": FROM.text, "to": TO.text}, TimeRange(None, FROM.text, TO.text, FROM.instant, TO.instant)),
    ],
    ids=["no argument", "empty argument", "all time", "last day", "bounds"],
)
async def test_dashboard_is_the_overview_of_the_core(
    caller: Caller, node: Node, asked: dict[str, Any] | None, range_: TimeRange
) -> None:
    await seed_dashboard(node)
    shown = await caller.run(OVERVIEW, range=asked)
    made_at = NOW.fromisoformat(shown["generatedAt"])
    window = range_.window(made_at)
    overview = build_overview(await node.store.dashboard_figures(window), window, made_at)
    assert as_wire(shown) == as_wire(overview.to_wire())


async def test_dashboard_seed_has_something_in_every_list(caller: Caller, node: Node) -> None:
    await seed_dashboard(node)
    shown = await caller.run(OVERVIEW, range=None)
    lists = ("activeAttempts", "recentAttemptActivity", "projectSnapshots", "agentStats")
    assert all(shown[name] for name in lists)
    assert all(shown["inboxItems"][kind] for kind in ("review", "failed", "stuck"))


async def test_bounds_of_any_length_travel(caller: Caller, node: Node) -> None:
    bounds = {"from": "0001-01-01", "to": "9999-12-31"}
    shown = await caller.run(OVERVIEW, range=bounds)
    seconds = shown["metrics"]["series"][0]["points"][0]["bucketSizeSeconds"]
    assert seconds == (NOW.fromisoformat("9999-12-31") - NOW.fromisoformat("0001-01-01")).total_seconds()


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"from": "2025-01-01"}, "to"),
        ({"to": "2025-01-01"}, "from"),
        ({"from": "", "to": ""}, "from"),
        ({"from": "2025-02-30", "to": "2025-03-01"}, "from"),
        ({"from": "2025-02-01", "to": "soon"}, "to"),
        ({"preset": "LAST_7D", "from": "2025-01-01", "to": "2025-02-01"}, "preset"),
    ],
)
async def test_bad_time_range_is_bad_user_input(caller: Caller, asked: dict[str, Any], field: str) -> None:
    message, extensions = await caller.refused(OVERVIEW, range=asked)
    assert (extensions["code"], extensions["field"]) == ("BAD_USER_INPUT", field)
    assert message.startswith(f"{field}: expected ")


async def test_preset_that_does_not_exist_is_refused_by_validation(caller: Caller) -> None:
    _, extensions = await caller.refused("{ dashboardOverview(timeRange: {preset: LAST_YEAR}) { generatedAt } }")
    assert extensions == {"code": "GRAPHQL_VALIDATION_FAILED"}


async def test_project_is_shown_and_null_when_there_is_none(caller: Caller, board: Board) -> None:
    document = "query ($id: ID!) { project(id: $id) { id name } }"
    assert await caller.run(document, id=BOARD) == {"id": BOARD, "name": "Alpha Board"}
    assert await caller.run(document, id="nowhere") is None


ATTEMPTS = """query ($id: ID!, $card: ID, $status: [AttemptStatus!]) {
    attempts(boardId: $id, cardId: $card, status: $status) { id } }"""


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ({}, ["c", "b", "a"]),
        ({"card": None, "status": None}, ["c", "b", "a"]),
        ({"card": "k1"}, ["c", "a"]),
        ({"card": "gone"}, []),
        ({"status": ["QUEUED"]}, ["b", "a"]),
        ({"status": ["QUEUED", "RUNNING"], "card": "k1"}, ["c", "a"]),
        ({"status": []}, []),
    ],
)
async def test_attempts_are_those_that_fit_newest_first(
    caller: Caller, node: Node, board: Board, asked: dict[str, Any], shown: list[str]
) -> None:
    for id, card, name in (("a", "k1", "queued"), ("b", "k2", "queued"), ("c", "k1", "started")):
        payload = {"boardId": BOARD, "attemptId": id, "cardId": card, "agent": "CODEX"}
        await publish(node, event(f"attempt.{name}", payload))
    assert [one["id"] for one in await caller.run(ATTEMPTS, id=BOARD, **asked)] == shown


async def test_attempts_of_no_board_are_refused_and_an_unknown_attempt_is_null(caller: Caller, board: Board) -> None:
    assert await caller.run(ATTEMPTS, id=BOARD) == []
    assert await caller.refused(ATTEMPTS, id="nowhere") == ("Board not found", {"code": "BOARD_NOT_FOUND"})
    assert await caller.run('{ attempt(id: "nobody") { id } }') is None


async def test_agents_are_shown_with_their_profiles(caller: Caller, node: Node) -> None:
    def profile(id: str, agent: str, label: str | None) -> dict[str, Any]:
        payload = {"profileId": id, "agent": agent, "kind": "created", "label": label}
        return event("agent.profile.changed", payload)

    assert await caller.run("{ agents { key } }") == []
    await publish(
        node,
        event("agent.registered", {"agent": "B", "label": "Bee"}),
        event("agent.registered", {"agent": "A"}),
        profile("y", "B", "why"),
        profile("z", "NOBODY", None),
        profile("x", "B", None),
    )
    assert await caller.run("{ agents { key label profiles { id label } } }") == [
        {"key": "B", "label": "Bee", "profiles": [{"id": "y", "label": "why"}, {"id": "x", "label": None}]},
        {"key": "A", "label": None, "profiles": []},
    ]


async def test_inbox_shows_all_items_in_one_list_latest_change_first(caller: Caller, node: Node) -> None:
    await seed_dashboard(node)
    inbox = (await caller.run(OVERVIEW, range=None))["inboxItems"]
    kinds = ("review", "failed", "stuck")
    assert {one["id"] for one in inbox["items"]} == {one["id"] for kind in kinds for one in inbox[kind]}
    assert [one["__typename"] for one in inbox["items"]].count("StuckItem") == len(inbox["stuck"]) > 0
    changed = [one["updatedAt"] for one in inbox["items"]]
    assert changed == sorted(changed, reverse=True)
