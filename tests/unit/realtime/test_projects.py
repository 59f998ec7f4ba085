"""Projects on their way through the bus, for every door."""

from __future__ import annotations

import pytest

from realtime.errors import NotFound
from realtime.kanban.board import Board
from realtime.kanban.models import DEFAULT_COLUMNS
from realtime.kanban.projects import CreateProject, UpdateProject
from realtime.node import Node
from realtime.projects import create_project, delete_project, find_project, update_project
from tests.kit.nodes import BOARD


async def test_created_project_is_stored_with_its_board(node: Node) -> None:
    made = await create_project(node, CreateProject(name="Alpha", repository_path="/srv/alpha"))
    assert await node.store.projects() == [made.project]
    stored = await node.store.board(made.project.id)
    assert stored is not None
    assert [column.title for column in stored.board.state.columns.values()] == list(DEFAULT_COLUMNS)


async def test_updated_project_is_as_stored_and_later(node: Node) -> None:
    made = await create_project(node, CreateProject(name="Alpha", repository_path="/srv/alpha"))
    changed = await update_project(node, made.project, UpdateProject(name="Beta"))
    assert (changed.project.name, changed.project.repository_path) == ("Beta", "/srv/alpha")
    assert changed.project == await find_project(node, made.project.id)
    assert changed.cursor != made.cursor


async def test_project_that_is_gone_is_not_found(node: Node, board: Board) -> None:
    project = await find_project(node, BOARD)
    assert await delete_project(node, project)
    for late in (
        find_project(node, BOARD),
        update_project(node, project, UpdateProject(name="Late")),
        delete_project(node, project),
    ):
        with pytest.raises(NotFound) as refused:
            await late
        assert refused.value.code == "project_not_found"
