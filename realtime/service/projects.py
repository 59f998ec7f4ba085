"""Projects: list and read them; create, change and delete them, which makes events like any other change.

`kanban.projects` has the rules. Every method raises `StoreUnavailable` if the store does not answer.
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
    """A project as it is stored after a change, and the cursor behind the change."""

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
        """Return a project, None if it does not exist."""
        if not self._access.allows(caller, Action.READ, project_id):
            return None
        return await self._node.store.project(project_id)

    async def get(self, caller: Caller, project_id: BoardId) -> Project:
        """Return a project.

        Raises:
            NotFound: the project does not exist.
        """
        found = await self.find(caller, project_id)
        if found is None:
            raise _not_found()
        return found

    async def by_id(self, caller: Caller, project_ids: Collection[BoardId]) -> Mapping[BoardId, Project]:
        """Return the existing projects, with one query."""
        allows = self._access.allows
        return await self._node.store.projects_by_id([one for one in project_ids if allows(caller, Action.READ, one)])

    async def create(self, caller: Caller, command: CreateProject) -> ProjectChange:
        """Make a project and its board, with the default columns.

        Raises:
            NotFound: the caller may not create projects.
            LimitReached: see `Bus.ingest`.
        """
        self._check_admin(caller, None)
        now = self._node.clock()
        event = project_created(command, now)
        (accepted,) = await self._node.bus.ingest([Incoming(event, now)])
        # As it was created: somebody may have changed or deleted it since.
        return ProjectChange(new_project(event, now), accepted.cursor)

    async def update(self, caller: Caller, project_id: BoardId, command: UpdateProject) -> ProjectChange:
        """Rename a project or change its repository.

        Raises:
            InvalidInput: the command gives no new value.
            NotFound: the project does not exist.
        """
        executed = await self._execute(caller, project_id, command)
        return ProjectChange(executed.board.project, executed.position.cursor)

    async def delete(self, caller: Caller, project_id: BoardId) -> str:
        """Delete a project, its board and everything stored about its attempts, and end its streams; return the cursor.

        Raises:
            NotFound: the project does not exist.
        """
        return (await self._execute(caller, project_id, DeleteProject())).position.cursor

    async def _execute(self, caller: Caller, project_id: BoardId, command: UpdateProject | DeleteProject) -> Executed:
        self._check_admin(caller, project_id)
        # As a command, because the slug of the repository depends on the project's values at that time.
        try:
            return await self._node.bus.execute(project_id, command)
        except NotFound as gone:
            raise _not_found() from gone

    def _check_admin(self, caller: Caller, project_id: BoardId | None) -> None:
        if not self._access.allows(caller, Action.ADMIN, project_id):
            raise _not_found()


def _not_found() -> NotFound:
    return NotFound("Project not found", "project_not_found")
