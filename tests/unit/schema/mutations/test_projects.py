"""Mutations of projects: the rules of REST, with typed refusals."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from realtime.kanban.board import Board
from tests.kit.nodes import BOARD
from tests.unit.schema.caller import Caller
from tests.unit.schema.mutations.mutating import mutate, refused

Json = dict[str, Any]
PROJECTS = "{ projects { nodes { id name repositoryPath repositoryUrl repositorySlug } } }"


async def test_created_project_is_stored_and_has_a_board(caller: Caller) -> None:
    given = {"name": " Alpha ", "repositoryPath": "/srv/a", "repositoryUrl": "https://github.com/o/a.git"}
    made = (await mutate(caller, "createProject", input=given))["project"]
    expected = {"id": made["id"], **given, "name": "Alpha", "repositorySlug": "o/a"}
    assert await caller.run(PROJECTS) == {"nodes": [expected]}
    assert {name: made[name] for name in expected} == expected
    assert len((await caller.run(f'{{ board(boardId: "{made["id"]}") {{ columns {{ id }} }} }}'))["columns"]) == 4


async def test_updated_project_keeps_what_is_absent_and_clears_what_is_null(caller: Caller) -> None:
    given = {"name": "Alpha", "repositoryPath": "/srv/a", "repositoryUrl": "https://github.com/o/b"}
    made = await mutate(caller, "createProject", input=given)
    project_id = made["project"]["id"]
    renamed = await mutate(caller, "updateProject", projectId=project_id, input={"name": "Beta"})
    assert (renamed["project"]["name"], renamed["project"]["repositorySlug"]) == ("Beta", "o/b")
    assert renamed["cursor"] != made["cursor"]
    cleared = (await mutate(caller, "updateProject", projectId=project_id, input={"repositoryUrl": None}))["project"]
    assert (cleared["name"], cleared["repositoryUrl"], cleared["repositorySlug"]) == ("Beta", None, "a")


async def test_deleted_project_is_gone_with_its_board(caller: Caller, board: Board) -> None:
    answer = await mutate(caller, "deleteProject", projectId=BOARD)
    assert answer["projectId"] == BOARD
    assert answer["cursor"]
    assert await caller.run(PROJECTS) == {"nodes": []}


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("updateProject", {"projectId": "nowhere", "input": {"name": "x"}}), ("deleteProject", {"projectId": "nowhere"})],
)
async def test_project_that_does_not_exist_is_not_found(
    caller: Caller, board: Board, name: str, arguments: Json
) -> None:
    refusal = await refused(caller, name, **arguments)
    assert (refusal["__typename"], refusal["code"]) == ("ProjectNotFound", "PROJECT_NOT_FOUND")


@pytest.mark.parametrize(
    ("name", "given", "fields"),
    [
        ("createProject", {"name": " ", "repositoryPath": ""}, ["name", "repositoryPath"]),
        ("createProject", {"name": "x", "repositoryPath": "/a", "repositoryUrl": "nowhere"}, ["repositoryUrl"]),
        ("updateProject", {"name": None}, ["name"]),
        ("updateProject", {"repositoryPath": None}, ["repositoryPath"]),
        ("updateProject", {}, [""]),
    ],
)
async def test_field_that_does_not_fit_is_named(
    caller: Caller, board: Board, name: str, given: Json, fields: list[str]
) -> None:
    arguments = {"projectId": BOARD} if name == "updateProject" else {}
    refusal = await refused(caller, name, **arguments, input=given)
    assert (refusal["__typename"], refusal["field"]) == ("InvalidInput", fields[0] or None)
    assert [one["field"] for one in refusal["fields"]] == fields


async def test_project_deleted_while_it_is_updated_is_not_found(caller: Caller, board: Board) -> None:
    deleting = 'mutation { deleteProject(projectId: "p1") { __typename } }'
    updating = 'mutation { updateProject(projectId: "p1", input: { name: "x" }) { __typename } }'
    deleted, updated = await asyncio.gather(caller.run(deleting), caller.run(updating))
    assert (deleted, updated) == ({"__typename": "DeleteProjectPayload"}, {"__typename": "ProjectNotFound"})
