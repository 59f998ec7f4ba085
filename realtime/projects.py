"""Projects are made, changed and deleted by events like any other; here is the way there and back.

What may be asked is `kanban.projects`'. Every function raises `StoreUnavailable` when the store does not answer.
"""

from __future__ import annotations

from dataclasses import dataclass

from realtime.errors import InvalidInput, NotFound
from realtime.kanban.events import DomainEvent
from realtime.kanban.ids import BoardId
from realtime.kanban.incoming import Incoming
from realtime.kanban.models import Project
from realtime.kanban.projects import CreateProject, UpdateProject, project_created, project_deleted, project_updated
from realtime.node import Node

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
    event = project_created(command, node.clock())
    cursor = await _publish(node, event)
    return ProjectChange(await find_project(node, event.project_id), cursor)


async def update_project(node: Node, project: Project, command: UpdateProject) -> ProjectChange:
    """Rename a project or point it at another repository.

    Raises:
        InvalidInput: the command gives no new value.
        NotFound: it was deleted since the caller saw it.
    """
    cursor = await _publish(node, project_updated(project, command, node.clock()))
    return ProjectChange(await find_project(node, project.id), cursor)


async def delete_project(node: Node, project: Project) -> str:
    """Delete a project, its board and all that is kept of its attempts, end its streams; return the cursor behind.

    Raises:
        NotFound: it was deleted since the caller saw it.
    """
    return await _publish(node, project_deleted(project))


async def _publish(node: Node, event: DomainEvent) -> str:
    try:
        (accepted,) = await node.bus.publish([Incoming(event)])
    except InvalidInput as gone:
        # The event fits by its making: only its board can be missing.
        raise NotFound("Project not found", "project_not_found") from gone
    return accepted.cursor
