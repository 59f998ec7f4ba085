"""Projects: list and read them; create, change and delete them, which makes events like any other change.

`kanban.projects` has the rules. Every method raises `StoreUnavailable` if the store does not answer.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from realtime.errors import NotFound
from realtime.kanban.grants import Action
from realtime.kanban.ids import BoardId
from realtime.kanban.incoming import Incoming
from realtime.kanban.models import Project
from realtime.kanban.projection import new_project
from realtime.kanban.projects import CreateProject, DeleteProject, UpdateProject, project_created
from realtime.messages.channels import board_of
from realtime.node import Node
from realtime.ports import KeyedRequest
from realtime.service.access import Caller, check_board, check_change, check_everywhere, request_key
from realtime.service.access_log import note_change
from realtime.writing.bus import Accepted
from realtime.writing.command_unit import Executed
from realtime.writing.fingerprints import command_fingerprint
from realtime.writing.ingest_plan import Sender

__all__ = ["ProjectChange", "Projects"]


@dataclass(frozen=True, slots=True)
class ProjectChange:
    """A project as it is stored after a change, and the cursor behind the change."""

    project: Project
    cursor: str


@dataclass(frozen=True, slots=True)
class Projects:
    """Requests that read, make, change and delete projects. One that the caller may not read does not exist."""

    _node: Node

    async def all(self, caller: Caller) -> list[Project]:
        """Return all projects, oldest first."""
        return [one for one in await self._node.store.projects() if caller.may(Action.READ, one.id)]

    async def find(self, caller: Caller, project_id: BoardId) -> Project | None:
        """Return a project, None if it does not exist."""
        if not caller.may(Action.READ, project_id):
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
        return await self._node.store.projects_by_id([one for one in project_ids if caller.may(Action.READ, one)])

    async def create(self, caller: Caller, command: CreateProject, key: str | None = None) -> ProjectChange:
        """Make a project and its board, with the default columns; once under an idempotency key.

        Raises:
            Forbidden: the caller may not create projects.
            KeyReused: another request has used the key.
            LimitReached: see `Bus.ingest`.
        """
        check_everywhere(caller, Action.ADMIN)
        check_change(caller)
        now = self._node.clock()
        event = project_created(command, now)
        asked = request_key(caller, None, key)
        request = None if asked is None else KeyedRequest(asked, command_fingerprint(None, command))
        (accepted,) = await self._node.bus.ingest([Incoming(event, now)], Sender(caller.subject, request=request))
        # As it was created: somebody may have changed or deleted it since.
        project = await self._created(accepted) if accepted.duplicate else new_project(event, now)
        if not accepted.duplicate:
            note_change("a project was created", project=project.id)
        return ProjectChange(project, accepted.cursor)

    async def _created(self, accepted: Accepted) -> Project:
        """Return the project of an earlier request, as it was created."""
        board_id = board_of(accepted.channel)
        board = None if board_id is None else await self._node.store.past_board(board_id, accepted.offset)
        if board is None:  # the log was pruned in this moment, and the key with it
            raise _not_found()
        return board.project

    async def update(
        self, caller: Caller, project_id: BoardId, command: UpdateProject, key: str | None = None
    ) -> ProjectChange:
        """Rename a project or change its repository.

        Raises:
            InvalidInput: the command gives no new value.
            NotFound: the project does not exist.
            KeyReused: another request has used the idempotency key.
        """
        executed = await self._execute(caller, project_id, command, key)
        note_change("a project was changed", project=project_id)
        return ProjectChange(executed.board.project, executed.position.cursor)

    async def delete(self, caller: Caller, project_id: BoardId, key: str | None = None) -> str:
        """Delete a project, its board and everything stored about its attempts, and end its streams; return the cursor.

        Raises:
            NotFound: the project does not exist.
            KeyReused: another request has used the idempotency key.
        """
        executed = await self._execute(caller, project_id, DeleteProject(), key)
        note_change("a project was deleted", project=project_id)
        return executed.position.cursor

    async def _execute(
        self, caller: Caller, project_id: BoardId, command: UpdateProject | DeleteProject, key: str | None
    ) -> Executed:
        check_board(caller, Action.ADMIN, project_id, _not_found)
        # As a command, because the slug of the repository depends on the project's values at that time.
        try:
            return await self._node.bus.execute(project_id, command, key=request_key(caller, None, key))
        except NotFound as gone:
            raise _not_found() from gone


def _not_found() -> NotFound:
    return NotFound("Project not found", "project_not_found")
