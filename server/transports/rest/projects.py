"""Projects: list, create, get, patch, delete."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from realtime import projects
from realtime.kanban.models import Project
from realtime.kanban.projects import CreateProject, UpdateProject
from realtime.kanban.wire.board_wire import project_wire
from realtime.node import Node
from server.problem import Problem
from server.transports.bodies import answer, json_object
from server.transports.rest.dispatch import resource
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
    node: Node = request.app.state.node
    return answer([project_wire(project) for project in await node.store.projects()])


async def create_project(request: Request) -> Response:
    """Make a project and its board."""
    node: Node = request.app.state.node
    command = command_of(CreateProject, await json_object(request))
    with refusals():
        return answer(project_wire((await projects.create_project(node, command)).project), 201)


async def get_project(request: Request) -> Response:
    """One project."""
    return answer(project_wire(await _project(request)))


async def patch_project(request: Request) -> Response:
    """Rename a project or point it at another repository."""
    node: Node = request.app.state.node
    await _project(request)
    command = command_of(UpdateProject, await json_object(request))
    if not command.given():
        raise Problem(400, "No updates provided")
    with refusals():
        return answer(project_wire((await projects.update_project(node, request.path_params["id"], command)).project))


async def delete_project(request: Request) -> Response:
    """Delete a project, its board and all that is kept of its attempts; its streams end."""
    node: Node = request.app.state.node
    with refusals():
        await projects.delete_project(node, request.path_params["id"])
    return Response(status_code=204)


async def _project(request: Request) -> Project:
    with refusals():
        return await projects.find_project(request.app.state.node, request.path_params["id"])
