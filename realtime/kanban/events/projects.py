"""Events of projects."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from realtime.kanban.events.base import EventPart, OfProject
from realtime.kanban.fields import IsoTime

__all__ = ["ProjectChanges", "ProjectCreated", "ProjectDeleted", "ProjectSettingsUpdated", "ProjectUpdated"]


class ProjectCreated(OfProject):
    """A project exists (or an existing one has this name and repository)."""

    type: Literal["project.created"] = "project.created"
    name: Annotated[str, Field(min_length=1)]
    repository_path: str
    repository_url: str | None = None
    repository_slug: str | None = None
    created_at: IsoTime | None = None


class ProjectChanges(EventPart):
    """New values of a project; what is absent stays."""

    name: Annotated[str, Field(min_length=1)] | None = None
    repository_path: str | None = None
    repository_url: str | None = None
    repository_slug: str | None = None


class ProjectUpdated(OfProject):
    """A project has new values."""

    type: Literal["project.updated"] = "project.updated"
    changes: ProjectChanges
    updated_at: IsoTime | None = None


class ProjectDeleted(OfProject):
    """A project and its board are gone."""

    type: Literal["project.deleted"] = "project.deleted"
    project_name: str | None = None
    repository_path: str | None = None


class ProjectSettingsUpdated(OfProject):
    """Settings of a project changed."""

    type: Literal["project.settings.updated"] = "project.settings.updated"
    changes: dict[str, Any] = Field(default_factory=dict)
    updated_at: IsoTime | None = None
