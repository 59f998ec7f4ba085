"""The rows of every store (docs/ingest.md): attempts and their parts, agents, projects, and their times."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from realtime.backends.sql.store import SqlStore
from realtime.clock import iso, parse_iso
from realtime.dashboard.figures import Counts
from realtime.dashboard.rows import AgentRow
from realtime.dashboard.time_range import Window
from realtime.kanban.commands import Command, CreateCard, DeleteCard, MoveCard, UpdateCard
from realtime.kanban.ids import AttemptId, BoardId, CardId
from realtime.kanban.models import AttemptStatus, GithubIssue
from realtime.node import Node
from realtime.ports import Agent, Attempt, Profile
from tests.kit.attempt_contents import items_of, lines_of
from tests.kit.nodes import BOARD, START, create_board, open_node, publish
from tests.kit.publishing import event

ATTEMPT = AttemptId("a1")
OF_ATTEMPT = {"attemptId": "a1", "boardId": "p1"}
OF_CARD = {**OF_ATTEMPT, "cardId": "k1", "agent": "CODEX"}
#: A window of the dashboard that contains all events of these tests.
EVER = Window(None, START + timedelta(days=1))


def at(seconds: int) -> datetime:
    """Return the instant this many seconds after the start."""
    return START + timedelta(seconds=seconds)


@pytest.fixture
async def node(store: SqlStore) -> Any:
    """A node with the board `p1`."""
    async with open_node(store) as made:
        await create_board(made)
        yield made


async def report(node: Node, seconds: int, name: str, **payload: Any) -> None:
    """Publish an event of that time about the attempt `a1`."""
    await publish(node, event(name, {**OF_ATTEMPT, **payload}, at=iso(at(seconds))))


async def row(node: Node) -> Attempt:
    """Return the row of the attempt `a1`."""
    found = await node.store.attempt(BOARD, ATTEMPT)
    assert found is not None
    return found


def times(attempt: Attempt) -> tuple[datetime | None, ...]:
    """Return when it was created, updated, started and ended."""
    return attempt.created_at, attempt.updated_at, attempt.started_at, attempt.ended_at


async def test_attempt_has_the_times_of_its_events(node: Node) -> None:
    await report(node, 1, "attempt.queued", cardId="k1", agent="CODEX", branchName="b", baseBranch="main")
    queued = await row(node)
    assert (queued.status, queued.card_id, queued.agent) == (AttemptStatus.QUEUED, "k1", "CODEX")
    assert (queued.branch_name, queued.base_branch, queued.board_id) == ("b", "main", BOARD)
    assert times(queued) == (at(1), at(1), None, None)
    await report(node, 2, "attempt.started", cardId="k1", agent="CODEX", worktreePath="/w")
    started = await row(node)
    assert (started.status, started.worktree_path, started.branch_name) == (AttemptStatus.RUNNING, "/w", "b")
    assert times(started) == (at(1), at(2), at(2), None)
    await report(node, 9, "attempt.completed", cardId="k1", status="succeeded")
    done = await row(node)
    assert (done.status, done.worktree_path) == (AttemptStatus.SUCCEEDED, "/w")
    assert times(done) == (at(1), at(9), at(2), at(9))


async def test_status_to_running_starts_the_attempt_once(node: Node) -> None:
    await report(node, 1, "attempt.queued", cardId="k1", agent="CODEX")
    await report(node, 2, "attempt.status.changed", status="running")
    await report(node, 3, "attempt.status.changed", status="running")
    assert times(await row(node)) == (at(1), at(3), at(2), None)


async def test_status_that_ends_takes_the_time_of_the_payload_else_its_own(node: Node) -> None:
    await report(node, 1, "attempt.started", cardId="k1", agent="CODEX")
    await report(node, 5, "attempt.status.changed", status="failed", endedAt=iso(at(4)))
    assert times(await row(node)) == (at(1), at(5), at(1), at(4))
    await report(node, 6, "attempt.completed", cardId="k1", status="failed")
    assert times(await row(node)) == (at(1), at(6), at(1), at(4))
    await report(node, 7, "attempt.started", cardId="k1", agent="CODEX")
    assert times(await row(node)) == (at(1), at(7), at(7), None)
    await report(node, 8, "attempt.status.changed", status="succeeded")
    assert times(await row(node)) == (at(1), at(8), at(7), at(8))


async def test_status_that_ends_at_no_known_time_leaves_it_open(node: Node) -> None:
    await report(node, 1, "attempt.started", cardId="k1", agent="CODEX")
    await report(node, 5, "attempt.status.changed", status="failed", endedAt=None)
    assert times(await row(node)) == (at(1), at(5), at(1), None)


async def test_stop_of_a_running_attempt_ends_it(node: Node) -> None:
    await report(node, 1, "attempt.started", cardId="k1", agent="CODEX")
    await report(node, 3, "attempt.stopped", reason="user")
    stopped = await row(node)
    assert stopped.status is AttemptStatus.STOPPED
    assert times(stopped) == (at(1), at(3), at(1), at(3))


async def test_stop_of_a_stopping_attempt_waits_for_its_runner(node: Node) -> None:
    await report(node, 1, "attempt.started", cardId="k1", agent="CODEX")
    await report(node, 2, "attempt.status.changed", status="stopping")
    await report(node, 2, "attempt.stopped", reason="user")
    assert (await row(node)).status is AttemptStatus.STOPPING
    await report(node, 4, "attempt.completed", cardId="k1", status="stopped")
    ended = await row(node)
    assert (ended.status, ended.ended_at) == (AttemptStatus.STOPPED, at(4))


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("attempt.status.changed", {"status": "running"}),
        ("attempt.completed", {"cardId": "k1", "status": "succeeded"}),
        ("attempt.stopped", {}),
    ],
)
async def test_news_of_an_unknown_attempt_makes_none(node: Node, name: str, payload: dict[str, Any]) -> None:
    await report(node, 1, name, **payload)
    assert await node.store.attempt(BOARD, ATTEMPT) is None
    assert await node.store.attempts(BOARD) == []


async def test_contents_of_an_unknown_attempt_are_kept_until_it_is_known(node: Node) -> None:
    item = {"z": 1, "type": "error", "timestamp": iso(START), "text": "boom", "a": None}
    todos = {"total": 0, "items": [], "completed": 0}
    await report(node, 1, "attempt.log.appended", level="warn", message="one")
    await report(node, 2, "attempt.log.appended", level="error", message="two", ts="2025-06-01T00:00:00.5+02:00")
    await report(node, 3, "attempt.conversation.appended", item=item)
    await report(node, 3, "attempt.conversation.appended", item={**item, "text": "again"})
    await report(node, 4, "attempt.todos.updated", todos={**todos, "total": 9})
    await report(node, 4, "attempt.todos.updated", todos=todos)
    await report(node, 5, "attempt.session.recorded", sessionId="s-0")
    await report(node, 5, "attempt.session.recorded", sessionId="s-1")
    lines = await lines_of(node.store, ATTEMPT)
    assert [(line.level, line.message, line.ts) for line in lines] == [
        ("warn", "one", at(1)),
        ("error", "two", parse_iso("2025-05-31T22:00:00.500Z")),
    ]
    assert len({line.id for line in lines}) == 2
    assert {line.attempt_id for line in lines} == {ATTEMPT}
    items = await items_of(node.store, ATTEMPT)
    assert items == [item, {**item, "text": "again"}]
    assert list(items[0]) == list(item)
    assert await node.store.todos(BOARD, ATTEMPT) == todos
    assert await node.store.attempt(BOARD, ATTEMPT) is None
    await report(node, 6, "attempt.queued", cardId="k1", agent="CODEX")
    assert (await row(node)).session_id == "s-1"
    assert len(await lines_of(node.store, ATTEMPT)) == 2


async def test_nothing_is_kept_under_an_id_nobody_used(node: Node) -> None:
    nobody = AttemptId("nobody")
    assert await lines_of(node.store, nobody) == []
    assert await items_of(node.store, nobody) == []
    assert await node.store.todos(BOARD, nobody) is None
    assert await node.store.attempt(BOARD, nobody) is None


async def test_attempts_come_newest_created_first_and_ties_by_the_later_event(node: Node) -> None:
    for name, card, seconds in (("old", "k1", 1), ("newest", "k2", 9), ("tie-1", "k1", 5), ("tie-2", "k2", 5)):
        await report(node, seconds, "attempt.queued", attemptId=name, cardId=card, agent="CODEX")
    assert [one.id for one in await node.store.attempts(BOARD)] == ["newest", "tie-2", "tie-1", "old"]
    assert [one.id for one in await node.store.attempts(BOARD, CardId("k1"))] == ["tie-1", "old"]
    assert [one.id for one in await node.store.attempts(BOARD, CardId("k1"), CardId("k2"))] == [
        "newest",
        "tie-2",
        "tie-1",
        "old",
    ]
    assert await node.store.attempts(BoardId("p2")) == []


async def test_agents_and_profiles_are_kept_oldest_first(node: Node) -> None:
    await publish(
        node,
        event("agent.registered", {"agent": "B", "label": "Bee"}),
        event("agent.registered", {"agent": "A"}),
        event("agent.registered", {"agent": "B", "label": "Bee 2"}),
        event("agent.profile.changed", {"profileId": "y", "agent": "B", "kind": "created", "label": "why"}),
        event("agent.profile.changed", {"profileId": "x", "agent": "A", "kind": "created"}),
        event("agent.profile.changed", {"profileId": "z", "agent": "A", "kind": "created"}),
        event("agent.profile.changed", {"profileId": "y", "agent": "A", "kind": "updated", "label": None}),
        event("agent.profile.changed", {"profileId": "z", "agent": "A", "kind": "deleted"}),
    )
    agents, profiles = await node.store.agents()
    assert agents == [Agent("B", "Bee 2"), Agent("A", None)]
    assert profiles == [Profile("y", "A", None), Profile("x", "A", None)]
    later = [
        *(event("agent.registered", {"agent": f"{n}"}) for n in range(70, 0, -1)),
        event("agent.registered", {"agent": "A"}),
    ]
    await publish(node, *later)
    agents, _ = await node.store.agents()
    assert [agent.key for agent in agents] == ["B", "A", *(f"{n}" for n in range(70, 0, -1))]


async def test_state_of_many_cards_is_kept_with_all_that_they_have(node: Node) -> None:
    ids = [f'k{n} "\x00ü' for n in range(150, 0, -1)]
    texts = {"ticketKey": "X-7", "prUrl": "https://h/p", "description": "d\x00", "ticketType": "fix"}
    flags = {"isEnhanced": True, "disableAutoCloseOnPRMerge": True}
    issue = {"githubIssue": {"issueNumber": 2**53 - 1, "url": "https://h/i"}}
    every: dict[str, Any] = {
        id: {"id": id, "title": f"t {id}", "dependsOn": ids[n + 1 : n + 4][::-1]} for n, id in enumerate(ids)
    }
    every[ids[3]] |= {**texts, **flags, **issue, "createdAt": iso(at(-9)), "updatedAt": iso(at(-4))}
    columns = {"c": {"id": "c", "title": "C", "cardIds": ids[::-1]}}
    state = {"columns": columns, "columnOrder": ["c"], "cards": every}
    await publish(node, event("board.state.changed", {"boardId": "p1", "state": state}))
    stored = await node.store.board(BOARD)
    assert stored is not None
    folded = await node.store.past_board(BOARD, stored.offset)
    assert stored.board == folded
    assert list(stored.board.state.cards) == ids
    assert stored.board.state.cards[CardId(ids[3])].depends_on == (ids[6], ids[5], ids[4])
    assert stored.board.state.cards[CardId(ids[3])].github_issue == GithubIssue(2**53 - 1, "https://h/i")


async def test_projects_come_oldest_first_and_keep_their_prefix(node: Node) -> None:
    early = {"projectId": "p0", "name": "Beta & Co 2", "repositoryPath": "/b", "createdAt": "2024-01-01T00:00:00.000Z"}
    await publish(node, event("project.created", early))
    await publish(node, event("project.created", {**early, "name": "Renamed", "repositoryUrl": "https://h/o/r"}))
    changes = {"name": "Twice", "repositoryPath": None, "repositoryUrl": None}
    first, second = await node.store.projects()
    assert (first.id, second.id) == ("p0", BOARD)
    assert (first.name, first.ticket_prefix, first.repository_url) == ("Renamed", "BC2", "https://h/o/r")
    assert first.created_at == parse_iso("2024-01-01T00:00:00.000Z")
    await publish(node, event("project.updated", {"projectId": "p0", "changes": changes}))
    updated = await node.store.project(BoardId("p0"))
    assert updated is not None
    assert (updated.name, updated.repository_path, updated.repository_url) == ("Twice", "/b", None)
    assert await node.store.project(BoardId("no")) is None


async def test_homes_of_a_card_are_the_boards_that_have_one_of_its_id(node: Node) -> None:
    await create_board(node, "p2")
    for board_id in ("p1", "p2"):
        state = {
            "columns": {
                "c": {"id": "c", "title": "C", "cardIds": ["k"]},
                "d": {"id": "d", "title": "D", "cardIds": []},
            },
            "columnOrder": ["d", "c"],
            "cards": {"k": {"id": "k", "title": "K", "ticketKey": "X-41"}},
        }
        await publish(node, event("board.state.changed", {"boardId": board_id, "state": state}))
    assert await node.store.homes_of(CardId("k")) == {"p1": "c", "p2": "c"}
    assert await node.store.homes_of(CardId("no")) == {}
    stored = await node.store.board(BOARD)
    assert stored is not None
    assert {card.board_id for card in stored.board.state.cards.values()} == {BOARD}
    assert list(stored.board.state.columns) == ["d", "c"]
    assert stored.board.next_ticket_number == 42


async def test_displaced_cards_and_those_edited_since_have_their_times(node: Node) -> None:
    backlog, _, _, done = (await create_board(node)).state.columns
    one, two, three, four = made = [CreateCard(column_id=backlog, title=title) for title in "1234"]
    await node.bus.execute(BOARD, *made)
    commands: list[Command] = [
        MoveCard(card_id=four.card_id, to_column_id=backlog, to_index=0),
        UpdateCard(card_id=one.card_id, title="edited"),
        UpdateCard(card_id=two.card_id, depends_on=(three.card_id,)),
        MoveCard(card_id=three.card_id, to_column_id=done, to_index=0),
        MoveCard(card_id=two.card_id, to_column_id=backlog, to_index=0),
        UpdateCard(card_id=three.card_id, title="edited"),
        DeleteCard(card_id=four.card_id),
    ]
    for command in commands:
        board = (await node.bus.execute(BOARD, command)).board
        stored = await node.store.board(BOARD)
        assert stored is not None
        assert stored.board == board
        cards = board.state.cards
        assert await node.store.cards_by_key([(BOARD, id) for id in cards]) == {(BOARD, id): cards[id] for id in cards}


async def test_deleted_project_takes_its_rows_along_and_leaves_those_of_others(node: Node) -> None:
    await create_board(node, "p2")
    for board_id, attempt in (("p1", "a1"), ("p2", "a2")):
        of = {"boardId": board_id, "attemptId": attempt}
        await publish(
            node,
            event("attempt.queued", {**of, "cardId": "k1", "agent": "CODEX"}),
            event("attempt.log.appended", {**of, "level": "info", "message": "m"}),
            event("attempt.todos.updated", {**of, "todos": {"total": 0, "completed": 0, "items": []}}),
        )
    await publish(node, event("project.deleted", {"projectId": "p1"}))
    assert await node.store.board(BOARD) is None
    assert await node.store.attempt(BOARD, ATTEMPT) is None
    assert (await lines_of(node.store, ATTEMPT), await node.store.todos(BOARD, ATTEMPT)) == ([], None)
    assert len(await lines_of(node.store, "a2", BoardId("p2"))) == 1
    assert [project.id for project in await node.store.projects()] == ["p2"]
    figures = await node.store.dashboard_figures(EVER)
    assert [one.id for one in figures.active] == ["a2"]


async def test_dashboard_figures_have_everything_with_its_times(node: Node) -> None:
    await report(node, 1, "attempt.started", cardId="k1", agent="CODEX")
    await report(node, 2, "attempt.log.appended", level="error", message="bad")
    await report(node, 3, "attempt.log.appended", level="info", message="last")
    await report(node, 4, "attempt.completed", cardId="k1", status="failed")
    await publish(node, event("agent.registered", {"agent": "CODEX"}))
    figures = await node.store.dashboard_figures(EVER)
    (attempt,) = figures.completed
    assert (attempt.id, attempt.status, attempt.started_at, attempt.ended_at) == ("a1", "failed", at(1), at(4))
    assert attempt.project_name == "Alpha Board"
    assert [finding.attempt for finding in figures.findings] == [attempt]
    assert [(line.message, line.at) for line in figures.logs] == [("bad", at(2))]
    assert figures.by_agent == {"CODEX": Counts(0, 1, 0, 1, at(1), at(1))}
    assert [project.id for project in figures.projects] == [BOARD]
    assert figures.agents == [AgentRow("CODEX", "CODEX")]
