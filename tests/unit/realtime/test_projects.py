"""Changes of projects through the service, for every transport."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, aclosing

import pytest

from realtime.backends.sql.store import SNAPSHOT_EVENTS
from realtime.errors import NotFound
from realtime.kanban.board import Board
from realtime.kanban.models import DEFAULT_COLUMNS
from realtime.kanban.projects import CreateProject, UpdateProject, repository_slug
from realtime.node import Node
from realtime.service import Service
from tests.kit.envelope_streams import board_stream
from tests.kit.nodes import BOARD, TESTER, publish
from tests.kit.publishing import event


async def test_created_project_is_stored_with_its_board(service: Service, node: Node) -> None:
    made = await service.projects.create(TESTER, CreateProject(name="Alpha", repository_path="/srv/alpha"))
    assert await node.store.projects() == [made.project]
    stored = await node.store.board(made.project.id)
    assert stored is not None
    assert [column.title for column in stored.board.state.columns.values()] == list(DEFAULT_COLUMNS)


async def test_updated_project_is_as_stored_and_later(service: Service, node: Node) -> None:
    made = await service.projects.create(TESTER, CreateProject(name="Alpha", repository_path="/srv/alpha"))
    changed = await service.projects.update(TESTER, made.project.id, UpdateProject(name="Beta"))
    assert (changed.project.name, changed.project.repository_path) == ("Beta", "/srv/alpha")
    assert changed.project == await service.projects.get(TESTER, made.project.id)
    assert changed.cursor != made.cursor


async def test_project_that_is_gone_is_not_found(service: Service, node: Node, board: Board) -> None:
    assert await service.projects.delete(TESTER, BOARD)
    for late in (
        service.projects.get(TESTER, BOARD),
        service.projects.update(TESTER, BOARD, UpdateProject(name="Late")),
        service.projects.delete(TESTER, BOARD),
    ):
        with pytest.raises(NotFound) as refused:
            await late
        assert refused.value.code == "project_not_found"


async def test_slug_follows_from_the_path_and_url_of_its_moment(service: Service, node: Node) -> None:
    made = await service.projects.create(TESTER, CreateProject(name="Alpha", repository_path="/srv/alpha"))
    for n in range(20):
        path, url = UpdateProject(repository_path=f"/srv/{n}"), UpdateProject(repository_url=f"https://h/o/{n}")
        cleared = UpdateProject(repository_url=None)
        commands = [path, cleared, url] if n % 2 else [url, path, cleared]
        updates = [service.projects.update(TESTER, made.project.id, command) for command in commands]
        changed = await asyncio.gather(*updates)
        stored = await service.projects.get(TESTER, made.project.id)
        assert stored == changed[-1].project
        assert stored.repository_slug == (f"o/{n}" if n % 2 else f"{n}")
        for one in (each.project for each in changed):
            assert one.repository_slug == repository_slug(one.repository_path, one.repository_url)


@pytest.mark.parametrize("watched", [False, True])
async def test_board_deleted_where_a_snapshot_is_due_leaves_none(
    service: Service, node: Node, board: Board, watched: bool
) -> None:
    async with AsyncExitStack() as subscribers:
        if watched:
            stream = await subscribers.enter_async_context(aclosing(board_stream(node, BOARD)))
            await anext(stream)
        stored = await node.store.board(BOARD)
        assert stored is not None
        status = event("git.status.changed", {"projectId": BOARD})
        await publish(node, *[status] * (SNAPSHOT_EVENTS - 1 - stored.offset))
        await service.projects.delete(TESTER, BOARD)
    assert await node.store.past_board(BOARD, SNAPSHOT_EVENTS) is None
