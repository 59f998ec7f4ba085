"""Caches of clients, as they come: they keep boards apart, and are as the server whatever has changed."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from realtime.kanban.attempts import QueueAttempt
from realtime.kanban.commands import CreateCard
from realtime.kanban.ids import BoardId
from realtime.service import Service
from server.demo import running_demo
from server.demo.catalogue import PROJECTS
from tests.clients.caches import CACHES, EVENTS, FOLLOW, READ, Cache, open_cache
from tests.clients.requirements import require_node
from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer, live_server
from tests.kit.publishing import event

pytestmark = pytest.mark.node
_BOARDS = ("one", "two")
#: Events of the demo after which the cache is compared.
_EVENTS = 150
_LABEL = "the demo has stopped"


@pytest.fixture(params=CACHES)
async def cache(request: pytest.FixtureRequest, live: LiveServer, tmp_path: Path) -> AsyncGenerator[Cache]:
    require_node()
    async with open_cache(CACHES[request.param], live.url, tmp_path) as cache:
        yield cache


@pytest.fixture
async def live() -> AsyncGenerator[LiveServer]:
    # More than usual, because a board with the todos of all attempts costs more than one operation may.
    async with live_server(max_graphql_cost=1_000_000) as live:
        yield live


async def _publish(live: LiveServer, *events: dict[str, Any]) -> None:
    async with httpx.AsyncClient(base_url=live.url) as http:
        (await http.post("/api/v1/events", json=list(events))).raise_for_status()


async def _board(live: LiveServer, board_id: str) -> Any:
    """Return a board as the server has it."""
    async with httpx.AsyncClient(base_url=live.url) as http:
        answer = await http.post("/graphql", json={"query": READ, "variables": {"boardId": board_id}})
    return orjson.loads(answer.content)["data"]["board"]


def _bare(shown: Any) -> Any:
    """Return a result without what the clients add to it."""
    if isinstance(shown, list):
        return [_bare(one) for one in shown]
    if isinstance(shown, dict):
        return {name: _bare(value) for name, value in shown.items() if not name.startswith("__")}
    return shown


async def _queue(live: LiveServer, board_id: BoardId) -> None:
    """Queue an attempt and change the board: `attempt.queued` has no envelope, so the next state shows the attempt."""
    found = await live.node.store.board(board_id)
    assert found is not None
    column = next(iter(found.board.state.columns))
    tried, last = (CreateCard(column_id=column, title=title) for title in ("Tried", "Last"))
    await live.node.bus.execute(board_id, tried)
    await live.node.bus.execute(board_id, QueueAttempt(card_id=tried.card_id, agent="CODEX"))
    await live.node.bus.execute(board_id, last)


def _todo_texts(board: Any) -> list[str]:
    attempts = [one for column in board["columns"] for card in column["cards"] for one in card["attempts"]["nodes"]]
    return [item["text"] for one in attempts if one["todos"] for item in one["todos"]["items"]]


def _seed(board_id: str) -> list[dict[str, Any]]:
    """The events of a board; all boards have columns, a card, an attempt and a todo of the same ids."""
    of_attempt = {"boardId": board_id, "attemptId": "attempt"}
    columns = {
        id: {"id": id, "title": f"{id} of {board_id}", "cardIds": ["card"] if id == "left" else []}
        for id in ("left", "right")
    }
    card = {"id": "card", "title": f"Card of {board_id}"}
    state = {"columns": columns, "columnOrder": list(columns), "cards": {"card": card}}
    items = [{"id": "1", "text": f"Todo of {board_id}", "status": "open"}]
    return [
        event("project.created", {"projectId": board_id, "name": board_id, "repositoryPath": "/r"}),
        event("board.state.changed", {"boardId": board_id, "state": state}),
        event("attempt.queued", {**of_attempt, "cardId": "card", "agent": "CODEX"}),
        event("attempt.todos.updated", {**of_attempt, "todos": {"total": 1, "completed": 0, "items": items}}),
    ]


@pytest.fixture
async def boards(live: LiveServer) -> None:
    await _publish(live, *(one for board_id in _BOARDS for one in _seed(board_id)))


async def test_cache_keeps_boards_with_equal_ids_apart(cache: Cache, live: LiveServer, boards: None) -> None:
    for board_id in _BOARDS:
        await cache.query(board_id)
    for board_id in _BOARDS:
        shown = _bare(await cache.read(board_id))
        assert shown == await _board(live, board_id)
        (card,) = shown["columns"][0]["cards"]
        assert card["title"] == f"Card of {board_id}"
        assert card["attempts"]["nodes"][0]["todos"]["items"][0]["text"] == f"Todo of {board_id}"


async def test_subscription_updates_what_a_query_has_read(cache: Cache, live: LiveServer, boards: None) -> None:
    before = _bare(await cache.query("one"))
    await cache.query("two")
    await cache.subscribe(FOLLOW, "two")
    await cache.event("two")
    state = _seed("two")[1]["payload"]["state"]
    state["cards"]["card"]["title"] = "Other title"
    await _publish(live, event("board.state.changed", {"boardId": "two", "state": state}))
    await cache.event("two")
    shown = _bare(await cache.read("two"))
    assert shown["columns"][0]["cards"][0]["title"] == "Other title"
    assert shown == await _board(live, "two")
    assert _bare(await cache.read("one")) == before
    await cache.leave("two")


async def test_mutation_updates_what_a_query_has_read(cache: Cache, live: LiveServer, boards: None) -> None:
    for board_id in _BOARDS:
        await cache.query(board_id)
    await cache.move("two", cardId="card", toColumnId="right", toIndex=0)
    shown = _bare(await cache.read("two"))
    assert [len(column["cards"]) for column in shown["columns"]] == [0, 1]
    for board_id in _BOARDS:
        assert _bare(await cache.read(board_id)) == await _board(live, board_id)


async def test_cache_is_as_the_server_after_the_demo(cache: Cache, live: LiveServer) -> None:
    board_ids = [project.id for project in PROJECTS]
    async with running_demo(Service(live.node), 1, 200), deadline(120):
        for board_id in board_ids:
            await cache.query(board_id)
            await cache.subscribe(EVENTS, board_id)
        for _ in range(_EVENTS):
            await cache.event(board_ids[0])
    for board_id in board_ids:
        await _queue(live, BoardId(board_id))
    await _publish(live, event("agent.registered", {"agent": "CODEX", "label": _LABEL}))
    for board_id in board_ids:
        async with deadline(60):
            while (await cache.event(board_id)).get("label") != _LABEL:
                pass
    texts: list[str] = []
    for board_id in board_ids:
        shown = _bare(await cache.read(board_id))
        assert shown == await _board(live, board_id)
        texts += _todo_texts(shown)
        await cache.leave(board_id)
    assert len(set(texts)) > 1, "the demo has made no todos"
