"""Projects: list them, read them, and create, change and delete them by events like any other.

The rules are those of `kanban.projects`. Every method raises `StoreUnavailable` when the store does not answer.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from realtime.errors import NotFound
from realtime.kanban.ids import BoardId
from realtime.kanban.incoming import Incoming
from realtime.kanban.models import Project
from realtime.kanban.projection import new_project
from realtime.kanban.projects import CreateProject, DeleteProject, UpdateProject, project_created
from realtime.node import Node
from realtime.service.access import Access, Action, Caller
from realtime.writing.bus import Executed

__all__ = ["ProjectChange", "Projects"]


@dataclass(frozen=True, slots=True)
class ProjectChange:
    """A project as it is stored after a change, and the position behind the change."""

    project: Project
    cursor: str


@dataclass(frozen=True, slots=True)
class Projects:
    """Requests about projects."""

    _node: Node
    _access: Access

    async def all(self, caller: Caller) -> list[Project]:
        """Return all projects, oldest first."""
        allows = self._access.allows
        return [one for one in await self._node.store.projects() if allows(caller, Action.READ, one.id)]

    async def find(self, caller: Caller, project_id: BoardId) -> Project | None:
        """Return a project, None when there is none of that id."""
        if not self._access.allows(caller, Action.READ, project_id):
            return None
        return await self._node.store.project(project_id)

    async def get(self, caller: Caller, project_id: BoardId) -> Project:
        """Return a project.

        Raises:
            NotFound: there is none of that id.
        """
        found = await self.find(caller, project_id)
        if found is None:
            raise _not_found()
        return found

    async def by_id(self, caller: Caller, project_ids: Collection[BoardId]) -> Mapping[BoardId, Project]:
        """Return those of the projects that exist, in one look."""
        allows = self._access.allows
        return await self._node.store.projects_by_id([one for one in project_ids if allows(caller, Action.READ, one)])

    async def create(self, caller: Caller, command: CreateProject) -> ProjectChange:
        """Make a project and its board, with the default columns.

        Raises:
            NotFound: the caller may not.
            LimitReached: see `Bus.ingest`.
        """
        self._check_admin(caller, None)
        now = self._node.clock()
        event = project_created(command, now)
        (accepted,) = await self._node.bus.ingest([Incoming(event, now)])
        # As it was made: somebody may have changed it since, or deleted it.
        return ProjectChange(new_project(event, now), accepted.cursor)

    async def update(self, caller: Caller, project_id: BoardId, command: UpdateProject) -> ProjectChange:
        """Rename a project or point it at another repository.

        Raises:
            InvalidInput: the command gives no new value.
            NotFound: there is none of that id.
        """
        executed = await self._execute(caller, project_id, command)
        return ProjectChange(executed.board.project, executed.position.cursor)

    async def delete(self, caller: Caller, project_id: BoardId) -> str:
        """Delete a project, its board and all that is kept of its attempts, end its streams; return the cursor behind.

        Raises:
            NotFound: there is none of that id.
        """
        return (await self._execute(caller, project_id, DeleteProject())).position.cursor

    async def _execute(self, caller: Caller, project_id: BoardId, command: UpdateProject | DeleteProject) -> Executed:
        self._check_admin(caller, project_id)
        # By command, because what follows from its values (the slug of a repository) does from those as they are then.
        try:
            return await self._node.bus.execute(project_id, command)
        except NotFound as gone:
            raise _not_found() from gone

    def _check_admin(self, caller: Caller, project_id: BoardId | None) -> None:
        if not self._access.allows(caller, Action.ADMIN, project_id):
            raise _not_found()


def _not_found() -> NotFound:
    return NotFound("Project not found", "project_not_found")
