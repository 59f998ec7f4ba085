"""Projects: list, create, get, patch, delete. Each change is a domain event like any other."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from realtime.clock import iso
from realtime.errors import InvalidInput
from realtime.kanban.events import DomainEvent, ProjectCreated, ProjectDeleted, ProjectUpdated
from realtime.kanban.ids import BoardId, new_board_id
from realtime.kanban.incoming import Incoming
from realtime.kanban.models import Project
from realtime.kanban.wire import project_wire
from realtime.node import Node
from server.problem import Problem
from server.transports.bodies import answer, json_object
from server.transports.rest.dispatch import resource
from server.transports.rest.inputs import NewProject, ProjectPatch, input_of

__all__ = ["project_routes", "repository_slug"]


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
    body = input_of(NewProject, await json_object(request))
    event = ProjectCreated(
        project_id=new_board_id(),
        name=body.name,
        repository_path=body.repository_path,
        repository_url=body.repository_url,
        repository_slug=repository_slug(body.repository_path, body.repository_url),
        created_at=iso(node.clock()),
    )
    await node.bus.publish([Incoming(event)])
    return answer(project_wire(await _project(node, event.project_id)), 201)


async def get_project(request: Request) -> Response:
    """One project."""
    return answer(project_wire(await _project(request.app.state.node, request.path_params["id"])))


async def patch_project(request: Request) -> Response:
    """Rename a project or point it at another repository."""
    node: Node = request.app.state.node
    project = await _project(node, request.path_params["id"])
    body = input_of(ProjectPatch, await json_object(request))
    changes = body.model_dump(by_alias=True, exclude_unset=True)
    if not changes:
        raise Problem(400, "No updates provided")
    if {"repositoryPath", "repositoryUrl"} & changes.keys():
        path = changes.get("repositoryPath", project.repository_path)
        changes["repositorySlug"] = repository_slug(path, changes.get("repositoryUrl", project.repository_url))
    await _publish(
        node,
        ProjectUpdated.model_validate({"projectId": project.id, "changes": changes, "updatedAt": iso(node.clock())}),
    )
    return answer(project_wire(await _project(node, project.id)))


async def delete_project(request: Request) -> Response:
    """Delete a project, its board and all that is kept of its attempts; its streams end."""
    node: Node = request.app.state.node
    project = await _project(node, request.path_params["id"])
    await _publish(
        node,
        ProjectDeleted(project_id=project.id, project_name=project.name, repository_path=project.repository_path),
    )
    return Response(status_code=204)


def repository_slug(path: str, url: str | None) -> str:
    """Return `owner/name` of a repository's URL, else the last part of its path."""
    if url:
        # Both https://host/o/r.git and git@host:o/r.git.
        tail = urlsplit(url).path if "://" in url else url.partition(":")[2]
        slug = tail.strip("/").removesuffix(".git")
        if slug:
            return slug
    return path.rstrip("/").rpartition("/")[2] or path


async def _project(node: Node, project_id: str) -> Project:
    found = await node.store.project(BoardId(project_id))
    if found is None:
        raise Problem(404, "Project not found")
    return found


async def _publish(node: Node, event: DomainEvent) -> None:
    try:
        await node.bus.publish([Incoming(event)])
    except InvalidInput as gone:
        # Deleted by another between the look and the change.
        raise Problem(404, "Project not found") from gone
