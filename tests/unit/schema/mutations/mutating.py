"""Runs mutations and selects all fields of their results."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLObjectType, build_schema, get_named_type

from schema.export import sdl
from tests.kit.nodes import BOARD
from tests.unit.schema.caller import Caller
from tests.unit.schema.selection import selection

__all__ = ["BOARD_STATE", "MUTATIONS", "mutate", "refused"]

Json = dict[str, Any]

_SDL = sdl()
BOARD_STATE = f'{{ board(boardId: "{BOARD}") {selection(_SDL, "BoardState")} }}'


def _documents() -> dict[str, str]:
    root = build_schema(_SDL).mutation_type
    assert isinstance(root, GraphQLObjectType)
    documents = {}
    for name, field in root.fields.items():
        variables = ", ".join(f"${argument}: {one.type}" for argument, one in field.args.items())
        given = ", ".join(f"{argument}: ${argument}" for argument in field.args)
        result = selection(_SDL, get_named_type(field.type).name)
        documents[name] = f"mutation ({variables}) {{ {name}({given}) {result} }}"
    return documents


#: Name of a mutation → a document whose variables are named like its arguments.
MUTATIONS = _documents()


async def mutate(caller: Caller, name: str, **arguments: Any) -> Json:
    """Run a mutation that succeeds; return its payload."""
    payload: Json = await caller.run(MUTATIONS[name], **arguments)
    assert payload.pop("__typename").endswith("Payload"), payload
    return payload


async def refused(caller: Caller, name: str, **arguments: Any) -> Json:
    """Run a mutation that is refused; return the refusal. It changes nothing on the board."""
    before = await caller.run(BOARD_STATE)
    refusal: Json = await caller.run(MUTATIONS[name], **arguments)
    assert not refusal["__typename"].endswith("Payload"), refusal
    assert refusal["message"]
    assert await caller.run(BOARD_STATE) == before
    return refusal
