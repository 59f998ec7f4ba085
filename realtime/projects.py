"""Projects are made, changed and deleted by events like any other; here is the way there and back.

What may be asked is `kanban.projects`'. Every function raises `StoreUnavailable` when the store does not answer.
"""

from __future__ import annotations

from dataclasses import dataclass

from realtime.errors import NotFound
from realtime.kanban.ids import BoardId
from realtime.kanban.incoming import Incoming
from realtime.kanban.models import Project
from realtime.kanban.projection import new_project
from realtime.kanban.projects import CreateProject, DeleteProject, UpdateProject, project_created
from realtime.node import Node
from realtime.writing.bus import Executed

__all__ = ["ProjectChange", "create_project", "delete_project", "find_project", "update_project"]


@dataclass(frozen=True, slots=True)
class ProjectChange:
    """A project as it is stored after a change, and the position behind the change."""

    project: Project
    cursor: str


async def find_project(node: Node, project_id: str) -> Project:
    """Return a project.

    Raises:
        NotFound: there is none of that id.
    """
    found = await node.store.project(BoardId(project_id))
    if found is None:
        raise NotFound("Project not found", "project_not_found")
    return found


async def create_project(node: Node, command: CreateProject) -> ProjectChange:
    """Make a project and its board, with the default columns."""
    now = node.clock()
    event = project_created(command, now)
    (accepted,) = await node.bus.ingest([Incoming(event, now)])
    # As it was made: somebody may have changed it since, or deleted it.
    return ProjectChange(new_project(event, now), accepted.cursor)


async def update_project(node: Node, project_id: str, command: UpdateProject) -> ProjectChange:
    """Rename a project or point it at another repository.

    Raises:
        InvalidInput: the command gives no new value.
        NotFound: there is none of that id.
    """
    executed = await _execute(node, project_id, command)
    return ProjectChange(executed.board.project, executed.position.cursor)


async def delete_project(node: Node, project_id: str) -> str:
    """Delete a project, its board and all that is kept of its attempts, end its streams; return the cursor behind.

    Raises:
        NotFound: there is none of that id.
    """
    return (await _execute(node, project_id, DeleteProject())).position.cursor


async def _execute(node: Node, project_id: str, command: UpdateProject | DeleteProject) -> Executed:
    # By command, because what follows from its values (the slug of a repository) does from those as they are then.
    try:
        return await node.bus.execute(BoardId(project_id), command)
    except NotFound as gone:
        raise NotFound("Project not found", "project_not_found") from gone
