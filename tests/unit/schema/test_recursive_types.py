"""A type may contain itself once, by fields or fragments, but not twice."""

from __future__ import annotations

import pytest

from realtime.kanban.board import Board
from tests.unit.schema.caller import Caller

ONCE = "query ($id: ID!) { board(boardId: $id) { cards { attempts { nodes { card { title } } } } } }"
TWICE = """query ($id: ID!) { board(boardId: $id) {
    cards { attempts { nodes { card { attempts { nodes { card { title } } } } } } } } }"""
BY_FRAGMENTS = """
    query ($id: ID!) { board(boardId: $id) { ... on BoardState { cards { ...Tried } } } }
    fragment Tried on Card { attempts { nodes { card { ...Again } } } }
    fragment Again on Card { attempts { nodes { card { title } } } }
"""
REFUSED = ("expected Card at most 2 times inside itself, got it once more", {"code": "GRAPHQL_VALIDATION_FAILED"})


async def test_card_of_an_attempt_of_a_card_may_be_asked_for(caller: Caller, board: Board) -> None:
    assert await caller.run(ONCE, id=board.id) == {"cards": []}


@pytest.mark.parametrize("document", [TWICE, BY_FRAGMENTS], ids=["fields", "fragments"])
async def test_one_repetition_more_is_refused(document: str, caller: Caller, board: Board) -> None:
    assert await caller.refused(document, id=board.id) == REFUSED


async def test_introspection_may_go_as_deep_as_types_are_nested(caller: Caller) -> None:
    of_type = "{ name ofType { name ofType { name ofType { name } } } }"
    found = await caller.run(f'{{ __type(name: "Query") {{ fields {{ type {of_type} }} }} }}')
    assert {field["type"]["name"] for field in found["fields"]} >= {None, "BoardState"}


async def test_cycle_of_fragments_is_named_as_such(caller: Caller) -> None:
    message, _ = await caller.refused("{ projects { nodes { ...F } } } fragment F on Project { ...F }")
    assert "Cannot spread fragment" in message
