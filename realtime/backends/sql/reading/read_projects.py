"""Rows → projects."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, bindparam, select

from realtime.backends.sql.prepared import Prepared, PreparedList
from realtime.backends.sql.tables import board_tags, instant, projects
from realtime.kanban.ids import BoardId
from realtime.kanban.models import Project

__all__ = ["PROJECT", "load_boards_of_tags", "load_projects", "load_projects_by_id", "project_of"]

#: In the order of the arguments of `project_of`.
PROJECT = projects.c[
    *("id", "name", "repository_path", "created_at"),
    *("repository_url", "repository_slug", "ticket_prefix", "status"),
]
_ALL = Prepared(select(*PROJECT).order_by(projects.c.created_at, projects.c.sequence))
_SOME = PreparedList(select(*PROJECT).where(projects.c.id.in_(bindparam("ids", expanding=True))), "ids")

_TAGGED = PreparedList(
    select(*board_tags.c["tag", "board_id"]).where(board_tags.c.tag.in_(bindparam("tags", expanding=True))), "tags"
)


def load_boards_of_tags(connection: Connection, tags: Collection[str]) -> dict[str, BoardId]:
    """Return the boards with these tags, by tag."""
    return {tag: BoardId(board_id) for tag, board_id in _TAGGED.rows(connection, tags)}


def load_projects(connection: Connection) -> list[Project]:
    """Return all projects, oldest first."""
    return [project_of(*row) for row in _ALL.rows(connection)]


def load_projects_by_id(connection: Connection, ids: Collection[BoardId]) -> dict[BoardId, Project]:
    """Return those of the projects that exist."""
    rows = _SOME.rows(connection, ids)
    return {project.id: project for project in (project_of(*row) for row in rows)}


def project_of(id: str, name: str, repository_path: str, created_at: int, *others: str) -> Project:
    """Return the project of a row with the values of `PROJECT`."""
    return Project(BoardId(id), name, repository_path, instant(created_at), *others)
