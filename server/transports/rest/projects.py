"""Projects: calls that list, make, read, change and delete them.

A project and its board have the same id. The board of a new project has the four default columns.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.routing import BaseRoute

from realtime.kanban.ids import BoardId
from realtime.kanban.models import Project
from realtime.kanban.projects import CreateProject, UpdateProject
from realtime.kanban.wire.board_wire import ProjectJson, project_wire
from server.problem import Problem
from server.routing import resource
from server.transports.bodies import json_object
from server.transports.callers import asked_by
from server.transports.rest.calls import rest_call
from server.transports.rest.inputs import command_of, key_of
from server.transports.rest.refusals import NO_UPDATES, PROJECT_NOT_FOUND, refusals

__all__ = ["project_routes"]


def project_routes() -> list[BaseRoute]:
    """Return the routes."""
    return [
        resource("/projects", get=list_projects, post=create_project),
        resource("/projects/{id}", get=get_project, patch=patch_project, delete=delete_project),
    ]


@rest_call()
async def list_projects(request: Request) -> list[ProjectJson]:
    """List all projects, the oldest first."""
    service, caller = asked_by(request)
    return [project_wire(project) for project in await service.projects.all(caller)]


@rest_call(status=201, body=(CreateProject,))
async def create_project(request: Request) -> ProjectJson:
    """Make a project and its board."""
    service, caller = asked_by(request)
    command, key = command_of(CreateProject, await json_object(request)), key_of(request)
    with refusals():
        return project_wire((await service.projects.create(caller, command, key)).project)


@rest_call(refusals=(PROJECT_NOT_FOUND,))
async def get_project(request: Request) -> ProjectJson:
    """Read a project."""
    return project_wire(await _project(request))


@rest_call(body=(UpdateProject,), refusals=(PROJECT_NOT_FOUND, NO_UPDATES))
async def patch_project(request: Request) -> ProjectJson:
    """Rename a project, or give it another repository.

    A key that the body does not have keeps its value.
    """
    service, caller = asked_by(request)
    key = key_of(request)
    if key is None:  # a repeated request is answered even if the project was deleted since
        await _project(request)
    command = command_of(UpdateProject, await json_object(request))
    if not command.given():
        raise Problem(*NO_UPDATES)
    with refusals():
        updated = await service.projects.update(caller, BoardId(request.path_params["id"]), command, key)
    return project_wire(updated.project)


@rest_call(status=204, refusals=(PROJECT_NOT_FOUND,))
async def delete_project(request: Request) -> None:
    """Delete a project with its board, the cards and everything of their attempts.

    Streams of a deleted board get `goodbye {board_deleted}`.
    """
    service, caller = asked_by(request)
    key = key_of(request)
    with refusals():
        await service.projects.delete(caller, BoardId(request.path_params["id"]), key)


async def _project(request: Request) -> Project:
    service, caller = asked_by(request)
    with refusals():
        return await service.projects.get(caller, BoardId(request.path_params["id"]))
