"""Events of projects."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from realtime.kanban.events.base import WHEN, EventPart, OfProject
from realtime.kanban.input.fields import IsoTime, ProjectName, RepositoryPlace

__all__ = ["ProjectChanges", "ProjectCreated", "ProjectDeleted", "ProjectSettingsUpdated", "ProjectUpdated"]


class ProjectCreated(OfProject):
    """A project exists (or an existing one has this name and repository)."""

    type: Literal["project.created"] = "project.created"
    name: ProjectName = Field(description="Name of the project, at least 1 character.")
    repository_path: RepositoryPlace = Field(description="Where the repository lies on the machine of the runners.")
    repository_url: RepositoryPlace | None = Field(default=None, description="Address of the repository.")
    repository_slug: RepositoryPlace | None = Field(default=None, description="`owner/name` of the repository.")
    created_at: IsoTime | None = Field(
        default=None, description="When it was made: RFC 3339 with an offset; left out, the time of the event counts."
    )


class ProjectChanges(EventPart):
    """New values of a project; what is absent stays."""

    name: ProjectName | None = Field(default=None, description="The new name, at least 1 character.")
    repository_path: RepositoryPlace | None = Field(default=None, description="Where the repository lies now.")
    repository_url: RepositoryPlace | None = Field(
        default=None, description="The new address of the repository; null clears it."
    )
    repository_slug: RepositoryPlace | None = Field(default=None, description="The new `owner/name` of the repository.")


class ProjectUpdated(OfProject):
    """A project has new values."""

    type: Literal["project.updated"] = "project.updated"
    changes: ProjectChanges = Field(description="The new values.")
    updated_at: IsoTime | None = Field(default=None, description=WHEN)


class ProjectDeleted(OfProject):
    """A project and its board are gone."""

    type: Literal["project.deleted"] = "project.deleted"
    project_name: str | None = Field(default=None, description="The name it had.")
    repository_path: str | None = Field(default=None, description="Where its repository lay.")


class ProjectSettingsUpdated(OfProject):
    """Settings of a project changed."""

    type: Literal["project.settings.updated"] = "project.settings.updated"
    changes: dict[str, Any] = Field(default_factory=dict, description="The new settings by name: an object.")
    updated_at: IsoTime | None = Field(default=None, description=WHEN)
