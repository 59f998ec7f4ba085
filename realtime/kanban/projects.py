"""Commands on projects: their fields, how they are parsed, and their events; one set of rules for REST and GraphQL.

Pure; `realtime.service.projects` carries the commands out.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from realtime.clock import iso
from realtime.errors import FieldError, InvalidInput
from realtime.kanban.events import ProjectCreated, ProjectDeleted, ProjectUpdated
from realtime.kanban.ids import new_board_id
from realtime.kanban.models import Project

__all__ = [
    "CreateProject",
    "DeleteProject",
    "UpdateProject",
    "project_created",
    "project_deleted",
    "project_updated",
    "repository_slug",
]

NAME_CHARS = 200
REPOSITORY_CHARS = 4096


def _url(text: str) -> str:
    parts = urlsplit(text)
    if not parts.scheme or not (parts.netloc or parts.path):
        raise ValueError("expected a URL")
    return text


_Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=NAME_CHARS)]
_Path = Annotated[str, StringConstraints(min_length=1, max_length=REPOSITORY_CHARS)]
_Url = Annotated[str, StringConstraints(max_length=REPOSITORY_CHARS), AfterValidator(_url)]


_NAME = f"Its name: 1 to {NAME_CHARS} characters after trimming."
_PATH = f"The path of its repository: 1 to {REPOSITORY_CHARS:,} characters."
_URL = f"The URL of its repository: at most {REPOSITORY_CHARS:,} characters."


class _Command(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)


class CreateProject(_Command):
    """Make a project and its board."""

    name: _Name = Field(description=_NAME)
    repository_path: _Path = Field(description=_PATH)
    repository_url: _Url | None = Field(default=None, description=f"{_URL} It may be null.")
    #: Chosen before the event is made, so that making it needs no randomness; never read from the wire.
    project_id: str = Field(default_factory=new_board_id, init=False)


class UpdateProject(_Command):
    """Rename a project or change its repository. A value that is not given stays; null clears `repositoryUrl`."""

    name: _Name = Field(default="", description=_NAME)
    repository_path: _Path = Field(default="", description=_PATH)
    repository_url: _Url | None = Field(default=None, description=f"{_URL} Null clears it.")

    def given(self) -> dict[str, Any]:
        """Return the new values by wire name."""
        return self.model_dump(by_alias=True, exclude_unset=True)


class DeleteProject(_Command):
    """Delete a project, its board and everything stored about its attempts."""


def project_created(command: CreateProject, now: datetime) -> ProjectCreated:
    """Return the event that creates a project."""
    return ProjectCreated(
        project_id=command.project_id,
        name=command.name,
        repository_path=command.repository_path,
        repository_url=command.repository_url,
        repository_slug=repository_slug(command.repository_path, command.repository_url),
        created_at=iso(now),
    )


def project_updated(project: Project, command: UpdateProject, now: datetime) -> ProjectUpdated:
    """Return the event that changes a project.

    Raises:
        InvalidInput: the command gives no new value.
    """
    changes = command.given()
    if not changes:
        raise InvalidInput(FieldError("", "expected at least one new value, nothing came"))
    if {"repositoryPath", "repositoryUrl"} & changes.keys():
        path = changes.get("repositoryPath", project.repository_path)
        changes["repositorySlug"] = repository_slug(path, changes.get("repositoryUrl", project.repository_url))
    return ProjectUpdated.model_validate({"projectId": project.id, "changes": changes, "updatedAt": iso(now)})


def project_deleted(project: Project) -> ProjectDeleted:
    """Return the event that deletes a project, its board and everything stored about its attempts."""
    return ProjectDeleted(project_id=project.id, project_name=project.name, repository_path=project.repository_path)


def _path_in(url: str) -> str:
    """Return the path in a repository's URL, https://host/o/r.git or git@host:o/r.git; empty if it has none."""
    if "://" not in url:
        return url.partition(":")[2]
    try:
        return urlsplit(url).path
    except ValueError:  # a URL from outside may be any text, such as https://[
        return ""


def repository_slug(path: str, url: str | None) -> str:
    """Return `owner/name` from a repository's URL; without a URL, the last part of its path."""
    if url:
        slug = _path_in(url).strip("/").removesuffix(".git")
        if slug:
            return slug
    return path.rstrip("/").rpartition("/")[2] or path
