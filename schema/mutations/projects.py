"""Mutations of projects, with the rules of REST."""

from __future__ import annotations

from typing import Annotated

import strawberry

from realtime.global_ids import Kind, global_id
from realtime.kanban import models
from realtime.kanban.commands import parse_command
from realtime.kanban.projects import CreateProject, UpdateProject
from schema.execution.context import Info
from schema.refusals import IdempotencyKeyReused, InvalidInput, ProjectNotFound, refusable
from schema.types.inputs import KEY, CreateProjectInput, UpdateProjectInput, key_of
from schema.types.node import ProjectArgument, board_of
from schema.types.objects import Project
from schema.types.positions import offset_field

__all__ = ["CreateProjectPayload", "DeleteProjectPayload", "ProjectMutations", "UpdateProjectPayload"]


@strawberry.type
class _Changed:
    """Fields of all answers; no type of the schema."""

    cursor: str = strawberry.field(description="The position after the change in the history of the project's board.")
    offset = offset_field("The offset of the position after the change.")


@strawberry.type
class _ProjectChanged(_Changed):
    """The answer with a project; no type of the schema."""

    project: models.Project = strawberry.field(graphql_type=Project, description="The project after the change.")


@strawberry.type(description="The result of `createProject`.")
class CreateProjectPayload(_ProjectChanged):
    """The result of `createProject`."""


@strawberry.type(description="The result of `updateProject`.")
class UpdateProjectPayload(_ProjectChanged):
    """The result of `updateProject`."""


@strawberry.type(description="The result of `deleteProject`.")
class DeleteProjectPayload(_Changed):
    """The result of `deleteProject`."""

    project_id: strawberry.ID = strawberry.field(description="Id of the deleted project and board.")
    deleted_id: strawberry.ID = strawberry.field(description="The `id` that the project had, for caches to forget it.")


CreateProjectResult = Annotated[
    CreateProjectPayload | InvalidInput | IdempotencyKeyReused,
    strawberry.union("CreateProjectResult", description="The answer to `createProject`: the project, or the refusal."),
]
UpdateProjectResult = Annotated[
    UpdateProjectPayload | ProjectNotFound | InvalidInput | IdempotencyKeyReused,
    strawberry.union("UpdateProjectResult", description="The answer to `updateProject`: the project, or the refusal."),
]
DeleteProjectResult = Annotated[
    DeleteProjectPayload | ProjectNotFound | InvalidInput | IdempotencyKeyReused,
    strawberry.union("DeleteProjectResult", description="The answer to `deleteProject`: the id, or the refusal."),
]


@strawberry.type
class ProjectMutations:
    """Mutations of projects; part of the root."""

    @refusable("Make a project and its board.", CreateProjectResult)
    async def create_project(
        self,
        info: Info,
        input: Annotated[CreateProjectInput, strawberry.argument(description="The project.")],
    ) -> CreateProjectPayload:
        """Carry out `CreateProject`."""
        command = parse_command(CreateProject, input.payload())
        projects, caller = info.context.service.projects, info.context.caller
        made = await projects.create(caller, command, key_of(input.idempotency_key))
        return CreateProjectPayload(project=made.project, cursor=made.cursor)

    @refusable("Rename a project or point it at another repository.", UpdateProjectResult)
    async def update_project(
        self,
        info: Info,
        project_id: ProjectArgument,
        input: Annotated[UpdateProjectInput, strawberry.argument(description="The new values.")],
    ) -> UpdateProjectPayload:
        """Carry out `UpdateProject`."""
        command = parse_command(UpdateProject, input.payload())
        projects, caller = info.context.service.projects, info.context.caller
        changed = await projects.update(caller, board_of(project_id), command, key_of(input.idempotency_key))
        return UpdateProjectPayload(project=changed.project, cursor=changed.cursor)

    @refusable(
        "Delete a project, its board and all its attempts; the streams of the board end.",
        DeleteProjectResult,
    )
    async def delete_project(
        self,
        info: Info,
        project_id: ProjectArgument,
        idempotency_key: Annotated[str | None, strawberry.argument(description=KEY)] = None,
    ) -> DeleteProjectPayload:
        """Delete the project with its board; the result has the cursor of the deletion."""
        projects, caller = info.context.service.projects, info.context.caller
        deleted = board_of(project_id)
        cursor = await projects.delete(caller, deleted, key_of(idempotency_key))
        deleted_id = strawberry.ID(global_id(Kind.PROJECT, deleted, deleted))
        return DeleteProjectPayload(cursor=cursor, project_id=strawberry.ID(deleted), deleted_id=deleted_id)
