"""Every argument that names a thing takes its `id` as well as its id of the wire.

The arguments are found in the SDL, so that a new one must be in one of the tables below.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import strawberry
from graphql import (
    GraphQLArgument,
    GraphQLID,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    get_named_type,
)

from realtime.global_ids import Kind, global_id
from realtime.kanban.board import Board
from realtime.messages.channels import board_channel
from realtime.node import Node
from schema.export import sdl
from schema.operation_limits import OperationLimits
from tests.kit.nodes import BOARD, publish
from tests.kit.publishing import event
from tests.unit.realtime.event_samples import SAMPLES
from tests.unit.schema.caller import Caller
from tests.unit.schema.event_arguments import GRAPHQL, event_argument, family_of
from tests.unit.schema.mutations.mutating import MUTATIONS, mutate
from tests.unit.schema.selection import selection

Json = dict[str, Any]
_SDL = sdl()

#: Name of an argument or of a field of an input → the kind of thing that it names.
_NAMED = {
    **dict.fromkeys(("boardId", "boards"), Kind.BOARD),
    "projectId": Kind.PROJECT,
    **dict.fromkeys(("columnId", "columnIds", "fromColumnId", "toColumnId"), Kind.COLUMN),
    **dict.fromkeys(("cardId", "dependsOn"), Kind.CARD),
    "attemptId": Kind.ATTEMPT,
    "agentKey": Kind.AGENT,
    "profileId": Kind.PROFILE,
}
#: Ids of other things: keys of requests, ids that the client chooses, and things without an `id`.
_OTHERS = {
    *("CreateCardInput.id", "EventInput.id", "Mutation.revokeAccessToken.tokenId"),
    "AttemptSessionRecordedInput.sessionId",
    "TodoInput.todoKey",
    *(f"Mutation.{name}.id" for name in MUTATIONS if name.startswith("publish") and name != "publishEvents"),
}
#: Fields of the type `JSON` in the samples; they are as the ingest takes them.
_JSON = {"extra", "item"}
#: These take no id of the wire.
_GLOBAL_ONLY = {"Query.node.id", "Query.nodes.ids"}

_COLUMN, _CARD, _OTHER, _ATTEMPT, _PROFILE, _AGENT = "c", "k", "k2", "a", "y", "CODEX"
#: Field of a root → arguments with ids of the wire, as `_with_global_ids` reads them.
_ASKED: dict[str, Json] = {
    "Query.board": {"boardId": BOARD},
    "Query.project": {"projectId": BOARD},
    "Query.attempt": {"attemptId": _ATTEMPT, "boardId": BOARD},
    "Query.attempts": {"boardId": BOARD, "cardId": _CARD},
    "Query.events": {"boardId": BOARD},
    "Subscription.boardState": {"boardId": BOARD},
    "Subscription.boardEvents": {"boardId": BOARD, "attemptId": _ATTEMPT},
    "Subscription.boardChanges": {"boardId": BOARD},
    "Subscription.attemptEvents": {"boardId": BOARD, "attemptId": _ATTEMPT},
    "Mutation.createCard": {
        "boardId": BOARD,
        "input": {"columnId": _COLUMN, "title": "New", "dependsOn": [_CARD, _OTHER]},
    },
    "Mutation.updateCard": {"boardId": BOARD, "input": {"cardId": _CARD, "dependsOn": [_OTHER]}},
    "Mutation.moveCard": {"boardId": BOARD, "input": {"cardId": _OTHER, "toColumnId": _COLUMN, "toIndex": 0}},
    "Mutation.deleteCard": {"boardId": BOARD, "input": {"cardId": _OTHER}},
    "Mutation.updateProject": {"projectId": BOARD, "input": {"name": "New"}},
    "Mutation.deleteProject": {"projectId": BOARD},
    "Mutation.queueAttempt": {
        "boardId": BOARD,
        "input": {"cardId": _OTHER, "agentKey": _AGENT, "profileId": _PROFILE},
    },
    "Mutation.stopAttempt": {"input": {"attemptId": _ATTEMPT, "boardId": BOARD}},
    "Mutation.createAccessToken": {"input": {"name": "ci", "boards": [BOARD], "can": ["READ"]}},
}


def _places() -> Iterator[tuple[str, GraphQLArgument | GraphQLInputField]]:
    """Yield each argument and each field of an input, with its path."""
    for name, kind in GRAPHQL.type_map.items():
        if isinstance(kind, GraphQLInputObjectType):
            yield from ((f"{name}.{field}", one) for field, one in kind.fields.items())
        elif isinstance(kind, GraphQLObjectType) and not name.startswith("__"):
            for field, found in kind.fields.items():
                yield from ((f"{name}.{field}.{argument}", one) for argument, one in found.args.items())


def _names_something(path: str) -> bool:
    return path.rpartition(".")[2] in _NAMED


def _with_global_ids(given: Any) -> Any:
    """Return arguments with `id`s in place of all ids of the wire."""
    if not isinstance(given, dict):
        return given
    shown: Json = {}
    for name, value in given.items():
        if name in _NAMED and value is not None:
            several = [_global(_NAMED[name], one) for one in (value if isinstance(value, list) else [value])]
            shown[name] = several if isinstance(value, list) else several[0]
        else:
            shown[name] = value if name in _JSON else _with_global_ids(value)
    return shown


def _global(kind: Kind, id: str) -> str:
    return global_id(kind, id if kind in (Kind.AGENT, Kind.PROFILE) else BOARD, id)


def _texts(value: Any) -> set[str]:
    """Return all texts in a value except under `id` and `deletedId`, which are the names that may be global."""
    if isinstance(value, list):
        return {text for one in value for text in _texts(one)}
    if isinstance(value, dict):
        return {text for name, one in value.items() if name not in {"id", "deletedId"} for text in _texts(one)}
    return {value} if isinstance(value, str) else set()


@pytest.fixture
def caller(schema: strawberry.Schema, node: Node) -> Caller:
    """A client that may select everything."""
    return Caller(schema, node, OperationLimits(max_cost=10_000_000))


@pytest.fixture
async def things(caller: Caller, board: Board) -> None:
    """A column with two cards, an attempt at the first one, an agent and a profile."""
    cards = {id: {"id": id, "title": id} for id in (_CARD, _OTHER)}
    column = {"id": _COLUMN, "title": "Backlog", "cardIds": list(cards)}
    state = {"columns": {_COLUMN: column}, "columnOrder": [_COLUMN], "cards": cards}
    await publish(
        caller.node,
        event("board.state.changed", {"boardId": BOARD, "state": state}),
        event("attempt.queued", {"boardId": BOARD, "attemptId": _ATTEMPT, "cardId": _CARD, "agent": _AGENT}),
        event("agent.registered", {"agent": _AGENT}),
        event("agent.profile.changed", {"profileId": _PROFILE, "agent": _AGENT, "kind": "created"}),
    )


def test_every_id_in_an_argument_is_in_a_table() -> None:
    ids = {path for path, one in _places() if get_named_type(one.type) is GraphQLID}
    assert ids == {path for path in ids if _names_something(path)} | _OTHERS | _GLOBAL_ONLY


def test_an_argument_that_names_a_thing_is_an_id() -> None:
    # The key of an agent is a text by which people know it.
    types = {path: get_named_type(one.type) for path, one in _places() if _names_something(path)}
    assert {path for path, kind in types.items() if kind is not GraphQLID and not path.endswith(".agentKey")} == set()


def test_every_root_field_that_names_a_thing_is_asked() -> None:
    roots = {
        ".".join(path.split(".")[:2]) + ("" if _names_something(path) else f" {get_named_type(one.type)}")
        for path, one in _places()
        if path.split(".")[0] in {"Query", "Mutation", "Subscription"}
    }
    named = {root for root in roots if " " not in root}
    for root, _, kind in (one.partition(" ") for one in roots):
        found = GRAPHQL.type_map.get(kind)
        if isinstance(found, GraphQLInputObjectType) and any(map(_names_something, found.fields)):
            named.add(root)
    assert named == _ASKED.keys()


@pytest.mark.parametrize("place", _ASKED)
async def test_root_field_takes_the_id_of_each_thing(caller: Caller, things: None, place: str) -> None:
    given = _with_global_ids(_ASKED[place])
    ids = {text for text in _texts(given) if text not in _texts(_ASKED[place])}
    assert ids
    answer = await _answer(caller, place, given)
    assert answer
    # An id that was taken for one of the wire would come back, or be stored.
    assert ids.isdisjoint(_texts(answer))
    log = await caller.node.store.event_page(board_channel(BOARD), 0, 1000)
    assert ids.isdisjoint(_texts([dict(one.payload) for _, one in log.entries]))


async def _answer(caller: Caller, place: str, given: Json) -> Any:
    """Return the first value of a root field, with everything that it has."""
    root, _, name = place.partition(".")
    if root == "Mutation":
        return await mutate(caller, name, **given)
    kind = GRAPHQL.type_map[root]
    assert isinstance(kind, GraphQLObjectType)
    field = kind.fields[name]
    variables = ", ".join(f"${argument}: {field.args[argument].type}" for argument in given)
    arguments = ", ".join(f"{argument}: ${argument}" for argument in given)
    asked = f"{name}({arguments}) {selection(_SDL, get_named_type(field.type).name)}"
    if root == "Query":
        return await caller.run(f"query ({variables}) {{ {asked} }}", **given)
    async with caller.subscribe(f"subscription ({variables}) {{ {asked} }}", **given) as results:
        return await results.next()


@pytest.mark.parametrize("name", [name for name in SAMPLES if name != "project.deleted"])
async def test_typed_event_takes_the_id_of_each_thing(caller: Caller, board: Board, name: str) -> None:
    mutation = f"publish{family_of(name).title()}Event"
    wire = event_argument(name, SAMPLES[name])
    await mutate(caller, mutation, event=wire, id="one")
    # Under one key only the same event is taken, as a repetition.
    again = await mutate(caller, mutation, event=_with_global_ids(wire), id="one")
    assert again["accepted"]["duplicate"]
