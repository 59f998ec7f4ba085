"""Mutations and the query of access tokens: the rules of REST, with typed refusals."""

from __future__ import annotations

from typing import Any

import pytest

from realtime.kanban.board import Board
from schema.export import sdl
from tests.unit.schema.caller import Caller
from tests.unit.schema.mutations.mutating import mutate, refused
from tests.unit.schema.selection import selection

_LIST = f"{{ accessTokens {selection(sdl(), 'AccessToken')} }}"
_GIVEN: dict[str, Any] = {"name": "ci", "boards": ["p1"], "can": ["READ", "PUBLISH"]}


async def test_token_is_made_listed_and_revoked(caller: Caller) -> None:
    given = {**_GIVEN, "name": " ci ", "expiresAt": "2999-01-01T01:00:00+01:00"}
    made = await mutate(caller, "createAccessToken", input=given)
    token = made["accessToken"]
    expected = {**_GIVEN, "can": ["PUBLISH", "READ"], "expiresAt": "2999-01-01T00:00:00.000Z", "lastUsedAt": None}
    assert {name: token[name] for name in expected} == expected
    assert caller.node.tokens.find(made["secret"]) is not None
    (listed,) = await caller.run(_LIST)
    assert listed.pop("lastUsedAt") is not None
    assert listed == {name: value for name, value in token.items() if name != "lastUsedAt"}
    answer = await mutate(caller, "revokeAccessToken", tokenId=token["tokenId"])
    assert answer == {"tokenId": token["tokenId"]}
    assert await caller.run(_LIST) == []


async def test_unknown_token_is_not_revoked(caller: Caller, board: Board) -> None:
    refusal = await refused(caller, "revokeAccessToken", tokenId="tok-unknown")
    assert (refusal["__typename"], refusal["code"]) == ("AccessTokenNotFound", "ACCESS_TOKEN_NOT_FOUND")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": " "}, "name"),
        ({"boards": []}, "boards"),
        ({"can": []}, "can"),
        ({"expiresAt": "2020-01-01T00:00:00Z"}, "expiresAt"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
async def test_token_that_does_not_fit_is_refused(
    wrong: dict[str, Any], field: str, caller: Caller, board: Board
) -> None:
    refusal = await refused(caller, "createAccessToken", input={**_GIVEN, **wrong})
    assert (refusal["__typename"], refusal["field"]) == ("InvalidInput", field)
    assert await caller.run(_LIST) == []


async def test_key_makes_one_token(caller: Caller, board: Board) -> None:
    given = {**_GIVEN, "idempotencyKey": "k"}
    made = await mutate(caller, "createAccessToken", input=given)
    refusal = await refused(caller, "createAccessToken", input=given)
    assert refusal["__typename"] == "IdempotencyKeyReused"
    assert made["accessToken"]["tokenId"] in refusal["message"]
    assert len(await caller.run(_LIST)) == 1
