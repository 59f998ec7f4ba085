"""Commands on projects, and their events."""

from __future__ import annotations

from typing import Any

import pytest

from realtime.clock import iso
from realtime.errors import InvalidInput
from realtime.kanban.commands import parse_command
from realtime.kanban.ids import BoardId
from realtime.kanban.models import Project
from realtime.kanban.projects import (
    CreateProject,
    UpdateProject,
    project_created,
    project_deleted,
    project_updated,
    repository_slug,
)
from tests.kit.nodes import START
from tests.unit.realtime.boards import LATER

PROJECT = Project(BoardId("p1"), "Alpha", "/srv/alpha", START, "https://github.com/o/alpha", "o/alpha")


@pytest.mark.parametrize(
    ("path", "url", "slug"),
    [
        ("/srv/repos/alpha", None, "alpha"),
        ("/srv/repos/alpha/", None, "alpha"),
        ("alpha", None, "alpha"),
        ("/", None, "/"),
        ("C:\\work\\alpha", None, "C:\\work\\alpha"),
        ("/x", "https://github.com/owner/repo", "owner/repo"),
        ("/x", "https://github.com/owner/repo.git", "owner/repo"),
        ("/x", "https://github.com/owner/repo/", "owner/repo"),
        ("/x", "git@github.com:owner/repo.git", "owner/repo"),
        ("/x", "ssh://git@host:22/owner/repo.git", "owner/repo"),
        ("/x", "https://gitlab.com/group/sub/repo.git", "group/sub/repo"),
        ("/x", "https://github.com", "x"),
        ("/x", "https://[", "x"),
        ("/x", "", "x"),
    ],
)
def test_slug_comes_from_the_url_else_from_the_path(path: str, url: str | None, slug: str) -> None:
    assert repository_slug(path, url) == slug


def test_project_is_trimmed_and_unknown_keys_are_ignored() -> None:
    command = parse_command(CreateProject, {"name": " A ", "repositoryPath": "/a", "initialize": True})
    assert (command.name, command.repository_path, command.repository_url) == ("A", "/a", None)


def test_id_of_a_project_is_never_read_from_the_wire() -> None:
    body = {"name": "A", "repositoryPath": "/a", "projectId": "mine"}
    one, other = parse_command(CreateProject, body), parse_command(CreateProject, body)
    assert len({one.project_id, other.project_id, "mine"}) == 3


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["name", "repositoryPath"]),
        ({"name": "", "repositoryPath": ""}, ["name", "repositoryPath"]),
        ({"name": "x" * 201, "repositoryPath": "/a"}, ["name"]),
        ({"name": 1, "repositoryPath": ["/a"]}, ["name", "repositoryPath"]),
        ({"name": "A", "repositoryPath": "/a", "repositoryUrl": "nowhere"}, ["repositoryUrl"]),
        ({"name": "A", "repositoryPath": "/a", "repositoryUrl": "http://[::1"}, ["repositoryUrl"]),
    ],
)
def test_project_that_does_not_fit_names_each_field(body: dict[str, Any], fields: list[str]) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_command(CreateProject, body)
    assert [error.field for error in refused.value.fields] == fields


@pytest.mark.parametrize("field", ["name", "repositoryPath"])
def test_null_clears_nothing_that_a_project_needs(field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_command(UpdateProject, {field: None})
    assert [error.field for error in refused.value.fields] == [field]


def test_created_event_has_the_slug_and_the_time() -> None:
    command = CreateProject(name="A", repository_path="/a", repository_url="https://github.com/o/r.git")
    event = project_created(command, LATER)
    assert (event.project_id, event.repository_slug, event.created_at) == (command.project_id, "o/r", iso(LATER))


@pytest.mark.parametrize(
    ("body", "changes"),
    [
        ({"name": "B"}, {"name": "B"}),
        ({"repositoryUrl": None}, {"repositoryUrl": None, "repositorySlug": "alpha"}),
        ({"repositoryPath": "/b"}, {"repositoryPath": "/b", "repositorySlug": "o/alpha"}),
        ({"repositoryUrl": "https://h/x/y.git"}, {"repositoryUrl": "https://h/x/y.git", "repositorySlug": "x/y"}),
    ],
)
def test_updated_event_has_what_was_given_and_its_slug(body: dict[str, Any], changes: dict[str, Any]) -> None:
    event = project_updated(PROJECT, parse_command(UpdateProject, body), LATER)
    assert event.payload() == {"projectId": "p1", "changes": changes, "updatedAt": iso(LATER)}


def test_update_without_a_new_value_is_refused() -> None:
    with pytest.raises(InvalidInput) as refused:
        project_updated(PROJECT, UpdateProject(), LATER)
    assert [error.field for error in refused.value.fields] == [""]


def test_deleted_event_says_what_is_gone() -> None:
    assert project_deleted(PROJECT).payload() == {
        "projectId": "p1",
        "projectName": "Alpha",
        "repositoryPath": "/srv/alpha",
    }
