"""Projects: list, create, get, patch, delete."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from realtime.kanban.ids import BoardId
from realtime.kanban.models import Project
from realtime.kanban.projects import CreateProject, UpdateProject
from realtime.kanban.wire.board_wire import project_wire
from server.problem import Problem
from server.routing import resource
from server.transports.bodies import answer, json_object
from server.transports.callers import asked_by
from server.transports.rest.inputs import command_of
from server.transports.rest.refusals import refusals

__all__ = ["project_routes"]


def project_routes() -> list[BaseRoute]:
    """Return the routes."""
    return [
        resource("/projects", get=list_projects, post=create_project),
        resource("/projects/{id}", get=get_project, patch=patch_project, delete=delete_project),
    ]


async def list_projects(request: Request) -> Response:
    """All projects, oldest first."""
    service, caller = asked_by(request)
    return answer([project_wire(project) for project in await service.projects.all(caller)])


async def create_project(request: Request) -> Response:
    """Make a project and its board."""
    service, caller = asked_by(request)
    command = command_of(CreateProject, await json_object(request))
    with refusals():
        return answer(project_wire((await service.projects.create(caller, command)).project), 201)


async def get_project(request: Request) -> Response:
    """One project."""
    return answer(project_wire(await _project(request)))


async def patch_project(request: Request) -> Response:
    """Rename a project or point it at another repository."""
    service, caller = asked_by(request)
    await _project(request)
    command = command_of(UpdateProject, await json_object(request))
    if not command.given():
        raise Problem(400, "No updates provided")
    with refusals():
        updated = await service.projects.update(caller, BoardId(request.path_params["id"]), command)
    return answer(project_wire(updated.project))


async def delete_project(request: Request) -> Response:
    """Delete a project, its board and all its attempts; its streams end."""
    service, caller = asked_by(request)
    with refusals():
        await service.projects.delete(caller, BoardId(request.path_params["id"]))
    return Response(status_code=204)


async def _project(request: Request) -> Project:
    service, caller = asked_by(request)
    with refusals():
        return await service.projects.get(caller, BoardId(request.path_params["id"]))
