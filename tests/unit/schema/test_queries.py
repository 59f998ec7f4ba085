"""Queries return the current stored values in GraphQL's form."""

from __future__ import annotations

from typing import Any

import pytest

from realtime.dashboard.overview import build_overview
from realtime.dashboard.time_range import TimeRange, TimeRangePreset
from realtime.global_ids import Kind, global_id
from realtime.kanban.board import Board
from realtime.node import Node
from schema.export import sdl
from tests.kit.nodes import BOARD, create_board, publish
from tests.kit.publishing import event
from tests.unit.schema.caller import Caller
from tests.unit.schema.dashboard_seed import FROM, NOW, TO, as_shown, compared, seed_dashboard
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


def ids(kind: Kind, name: str, id: str) -> dict[str, str]:
    """The three ids of a thing on the board."""
    return {"id": global_id(kind, BOARD, id), name: id, "boardId": BOARD}


FULL_SHOWN = {
    **FULL,
    **ids(Kind.CARD, "cardId", "k1"),
    "ticketType": "FEAT",
    "updatedAt": "2025-01-01T01:00:00.000Z",
    "columnId": "c2",
}
BARE_SHOWN: dict[str, Any] = {
    **dict.fromkeys(("ticketKey", "prUrl", "ticketType", "githubIssue", "description")),
    "disableAutoCloseOnPRMerge": False,
    "isEnhanced": False,
    "dependsOn": [],
    "columnId": "c2",
    **BARE,
    **ids(Kind.CARD, "cardId", "k2"),
}
BOARD_QUERY = f"query ($id: ID!) {{ board(boardId: $id) {selection(sdl(), 'BoardState')} }}"


async def test_board_shows_columns_in_order_and_all_fields_of_cards(caller: Caller, node: Node, board: Board) -> None:
    (accepted,) = await publish(node, event("board.state.changed", {"boardId": BOARD, "state": STATE}))
    shown = await caller.run(BOARD_QUERY, id=BOARD)
    assert shown == {
        "id": global_id(Kind.BOARD, BOARD, BOARD),
        "boardId": BOARD,
        "cursor": accepted.cursor,
        "offset": 2,
        "columnOrder": ["c1", "c2"],
        "columns": [
            {**ids(Kind.COLUMN, "columnId", "c1"), "title": "Now", "cardIds": [], "cards": []},
            {
                **ids(Kind.COLUMN, "columnId", "c2"),
                "title": "Later",
                "cardIds": ["k2", "k1"],
                "cards": [BARE_SHOWN, FULL_SHOWN],
            },
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
    shown = await caller.run(f"{{ projects {{ nodes {selection(sdl(), 'Project')} }} }}")
    first, second = shown["nodes"]
    assert first == {
        "id": global_id(Kind.PROJECT, "p1", "p1"),
        "projectId": "p1",
        "name": "Alpha Board",
        "status": "ACTIVE",
        "ticketPrefix": "AB",
        "repositoryPath": "/r",
        "repositoryUrl": "https://github.com/o/r",
        "repositorySlug": "o/r",
        "createdAt": AT,
    }
    assert (second["projectId"], second["repositoryUrl"]) == ("p2", None)


async def test_projects_of_an_empty_store_are_none(caller: Caller) -> None:
    document = (
        "{ projects { nodes { id } edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"
    )
    page = {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None}
    assert await caller.run(document) == {"nodes": [], "edges": [], "pageInfo": page}


def page_of(field: str) -> str:
    """The selection of a whole page, with one field of each entry."""
    page_info = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
    return f"nodes {{ {field} }} edges {{ cursor node {{ {field} }} }} {page_info}"


async def test_projects_come_in_pages(caller: Caller, node: Node) -> None:
    for id in ("p1", "p2", "p3"):
        await create_board(node, id, id)
    document = f"query ($after: String) {{ projects(first: 2, after: $after) {{ {page_of('projectId')} }} }}"
    first = await caller.run(document)
    end = first["pageInfo"]["endCursor"]
    assert (
        [one["node"]["projectId"] for one in first["edges"]]
        == [one["projectId"] for one in first["nodes"]]
        == ["p1", "p2"]
    )
    assert [one["cursor"] for one in first["edges"]] == [first["pageInfo"]["startCursor"], end]
    assert (first["pageInfo"]["hasNextPage"], first["pageInfo"]["hasPreviousPage"]) == (True, False)
    second = await caller.run(document, after=end)
    assert [one["projectId"] for one in second["nodes"]] == ["p3"]
    assert (second["pageInfo"]["hasNextPage"], second["pageInfo"]["hasPreviousPage"]) == (False, True)
    assert (await caller.run(document, after=second["pageInfo"]["endCursor"]))["nodes"] == []


@pytest.mark.parametrize(("first", "shown"), [("", 3), ("first: null", 3), ("first: 1", 1)])
async def test_null_is_the_length_that_is_the_default(caller: Caller, node: Node, first: str, shown: int) -> None:
    for id in ("p1", "p2", "p3"):
        await create_board(node, id, id)
    found = await caller.run(f"{{ projects({first}) {{ nodes {{ id }} }} }}".replace("()", ""))
    assert len(found["nodes"]) == shown


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
    assert compared(shown) == compared(as_shown(overview.to_wire()))


async def test_dashboard_seed_has_something_in_every_list(caller: Caller, node: Node) -> None:
    await seed_dashboard(node)
    shown = await caller.run(OVERVIEW, range=None)
    lists = ("activeAttempts", "endedAttempts", "projectSnapshots", "agentStats")
    assert all(shown[name] for name in lists)
    assert all(shown["inboxItems"][kind] for kind in ("review", "failed", "stuck"))


async def test_bounds_of_any_length_travel(caller: Caller, node: Node) -> None:
    bounds = {"from": "0001-01-01T00:00:00Z", "to": "9999-12-31T00:00:00Z"}
    shown = await caller.run(OVERVIEW, range=bounds)
    seconds = shown["metrics"]["series"][0]["points"][0]["bucketSizeSeconds"]
    assert seconds == (NOW.fromisoformat("9999-12-31") - NOW.fromisoformat("0001-01-01")).total_seconds()


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"from": FROM.text}, "to"),
        ({"to": TO.text}, "from"),
        ({"preset": "LAST_7D", "from": FROM.text, "to": TO.text}, "preset"),
    ],
)
async def test_bad_time_range_is_bad_user_input(caller: Caller, asked: dict[str, Any], field: str) -> None:
    message, extensions = await caller.refused(OVERVIEW, range=asked)
    assert (extensions["code"], extensions["field"]) == ("BAD_USER_INPUT", field)
    assert message.startswith(f"{field}: expected ")


@pytest.mark.parametrize("text", ["", "soon", "2025-02-01", "2025-02-30T00:00:00Z", "2025-02-01T00:00:00"])
async def test_time_that_does_not_fit_is_named_with_what_was_expected(caller: Caller, text: str) -> None:
    expected = f"expected an RFC 3339 time with an offset, like 2025-01-02T03:04:05.678Z, got {text!r}"
    message, extensions = await caller.refused(OVERVIEW, range={"from": text, "to": TO.text})
    assert (message, extensions["code"]) == (
        f"Variable '$range' has invalid value at .from: {expected}",
        "GRAPHQL_VALIDATION_FAILED",
    )
    message, extensions = await caller.refused(
        f'{{ dashboardOverview(timeRange: {{ from: "{text}", to: "{TO.text}" }}) {{ generatedAt }} }}'
    )
    assert (message, extensions["code"]) == (f"from: {expected}", "GRAPHQL_VALIDATION_FAILED")


async def test_preset_that_does_not_exist_is_refused_by_validation(caller: Caller) -> None:
    _, extensions = await caller.refused("{ dashboardOverview(timeRange: {preset: LAST_YEAR}) { generatedAt } }")
    assert extensions == {"code": "GRAPHQL_VALIDATION_FAILED"}


async def test_project_is_shown_and_null_when_there_is_none(caller: Caller, board: Board) -> None:
    document = "query ($id: ID!) { project(projectId: $id) { projectId name } }"
    assert await caller.run(document, id=BOARD) == {"projectId": BOARD, "name": "Alpha Board"}
    assert await caller.run(document, id="nowhere") is None


ATTEMPTS = """query ($id: ID!, $card: ID, $status: [AttemptStatus!]) {
    attempts(boardId: $id, cardId: $card, status: $status) { nodes { attemptId } } }"""


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
    assert [one["attemptId"] for one in (await caller.run(ATTEMPTS, id=BOARD, **asked))["nodes"]] == shown


async def test_attempts_come_in_pages_newest_first(caller: Caller, node: Node, board: Board) -> None:
    for id in ("a", "b", "c"):
        payload = {"boardId": BOARD, "attemptId": id, "cardId": f"k{id}", "agent": "CODEX"}
        await publish(node, event("attempt.queued", payload))
    attempts = f'attempts(boardId: "{BOARD}", first: 2, after: $after)'
    document = f"query ($after: String) {{ {attempts} {{ {page_of('attemptId')} }} }}"
    first = await caller.run(document)
    assert [one["attemptId"] for one in first["nodes"]] == ["c", "b"]
    second = await caller.run(document, after=first["pageInfo"]["endCursor"])
    assert [one["attemptId"] for one in second["nodes"]] == ["a"]
    project = await caller.run(f"{{ projects {{ {page_of('projectId')} }} }}")
    for foreign in ("soon", project["pageInfo"]["endCursor"]):
        _, extensions = await caller.refused(document, after=foreign)
        assert extensions == {"code": "INVALID_CURSOR"}


async def test_attempts_of_no_board_and_an_unknown_attempt_are_null(caller: Caller, board: Board) -> None:
    assert await caller.run(ATTEMPTS, id=BOARD) == {"nodes": []}
    assert await caller.run(ATTEMPTS, id="nowhere") is None
    assert await caller.run('{ attempt(attemptId: "nobody") { id } }') is None


async def test_agents_are_shown_with_their_profiles(caller: Caller, node: Node) -> None:
    def profile(id: str, agent: str, label: str | None) -> dict[str, Any]:
        payload = {"profileId": id, "agent": agent, "kind": "created", "label": label}
        return event("agent.profile.changed", payload)

    assert await caller.run("{ agents { agentKey } }") == []
    await publish(
        node,
        event("agent.registered", {"agent": "B", "label": "Bee"}),
        event("agent.registered", {"agent": "A"}),
        profile("y", "B", "why"),
        profile("z", "NOBODY", None),
        profile("x", "B", None),
    )
    assert await caller.run("{ agents { agentKey label profiles { profileId label } } }") == [
        {
            "agentKey": "B",
            "label": "Bee",
            "profiles": [{"profileId": "y", "label": "why"}, {"profileId": "x", "label": None}],
        },
        {"agentKey": "A", "label": None, "profiles": []},
    ]


async def test_inbox_shows_all_items_in_one_list_latest_change_first(caller: Caller, node: Node) -> None:
    await seed_dashboard(node)
    selected = "__typename kind attemptId updatedAt ... on StuckItem { stuckForSeconds }"
    document = f"{{ dashboardOverview {{ inboxItems {{ items {{ {selected} }} }} }} }}"
    items = (await caller.run(document))["inboxItems"]["items"]
    inbox = (await caller.run(OVERVIEW, range=None))["inboxItems"]
    kinds = ("review", "failed", "stuck")
    assert {one["attemptId"] for one in items} == {one["attemptId"] for kind in kinds for one in inbox[kind]}
    assert {(one["__typename"], one["kind"]) for one in items} == {
        ("ReviewItem", "REVIEW"),
        ("FailedItem", "FAILED"),
        ("StuckItem", "STUCK"),
    }
    assert len([one for one in items if one.get("stuckForSeconds")]) == len(inbox["stuck"]) > 0
    changed = [one["updatedAt"] for one in items]
    assert changed == sorted(changed, reverse=True)


@pytest.mark.parametrize(
    ("text", "shown"),
    [("2025-02-19t12:30:15.5z", "2025-02-19T12:30:15.500Z"), ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z")],
)
async def test_time_range_takes_every_date_time(caller: Caller, text: str, shown: str) -> None:
    document = """query ($from: DateTime!) { dashboardOverview(timeRange: { from: $from, to: "2030-01-01T00:00:00Z" }) {
        timeRange { from to } } }"""
    found = await caller.run(document, **{"from": text})
    assert found == {"timeRange": {"from": shown, "to": "2030-01-01T00:00:00.000Z"}}
