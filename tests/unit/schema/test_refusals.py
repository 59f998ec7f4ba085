"""Every refusal of the core is a type of the schema. Everything else stays an error."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import GraphQLInterfaceType, GraphQLObjectType, build_schema

import realtime
from realtime import errors
from realtime.errors import FieldError, InvalidInput, NotFound, Refused, StoreUnavailable
from realtime.kanban.board import Board
from realtime.writing.bus import Bus
from schema import refusals
from schema.export import sdl
from schema.refusals import REFUSALS, Refusal, RefusalCode, refusal_of
from tests.kit.nodes import BOARD
from tests.unit.schema.caller import Caller
from tests.unit.schema.mutations.mutating import MUTATIONS

GRAPHQL = build_schema(sdl())


def classes() -> dict[str, type[Refused]]:
    """The classes of refusals that the core raises, by name."""
    return {name: one for name, one in vars(errors).items() if isinstance(one, type) and issubclass(one, Refused)}


def codes_of_the_core() -> Iterator[tuple[str, type[Refused]]]:
    """Yield the code and class of each refusal of a command or event in the source of `realtime`.

    `Refused` itself is for cursors only, which no command has. `Forbidden` is an error in GraphQL: it is the token that
    does not fit, not the command.
    """
    for path in Path(realtime.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in classes():
                kind = classes()[node.func.id]
                if kind in (Refused, errors.Forbidden):
                    continue
                given = node.args[1] if kind in (NotFound, errors.Conflict) and node.args[1:] else None
                yield (str(given.value) if isinstance(given, ast.Constant) else kind.code), kind


def fields_of(name: str) -> set[str]:
    """The fields of a type of the schema."""
    kind = GRAPHQL.type_map[name]
    assert isinstance(kind, GraphQLObjectType)
    return set(kind.fields)


def test_every_code_of_the_core_has_a_type() -> None:
    made = dict(codes_of_the_core())
    assert made.keys() == REFUSALS.keys()
    assert {code for code, kind in made.items() if issubclass(kind, InvalidInput)} == {
        code for code, kind in REFUSALS.items() if "fields" in fields_of(kind.__name__)
    }


def test_every_code_of_the_schema_has_one_type_of_the_interface() -> None:
    assert [RefusalCode(word) for word in REFUSALS] == list(RefusalCode)
    assert len(set(REFUSALS.values())) == len(REFUSALS)
    interface = GRAPHQL.type_map["Refusal"]
    assert isinstance(interface, GraphQLInterfaceType)
    implementing = {kind.name for kind in GRAPHQL.get_implementations(interface).objects}
    assert implementing == {kind.__name__ for kind in REFUSALS.values()}


@pytest.mark.parametrize(("code", "kind"), REFUSALS.items())
def test_refusal_keeps_code_and_sentence(code: str, kind: type[Refusal]) -> None:
    refused: Refused = NotFound("No", code)
    if issubclass(classes().get(kind.__name__, NotFound), InvalidInput):
        refused = InvalidInput(FieldError("a.b", "bad"), FieldError("c", "worse"))
        refused.code = code
    elif code == "card_blocked":
        refused = errors.CardBlocked("No", ["k1"])
    shown = refusal_of(refused)
    assert type(shown) is kind
    assert (shown.code, shown.message) == (RefusalCode(code), refused.message)


def test_fields_are_named_and_the_first_stands_out() -> None:
    bad, worse = FieldError("a.b", "bad"), FieldError("", "worse")
    shown = refusal_of(InvalidInput(bad, worse))
    assert isinstance(shown, refusals.InvalidInput)
    assert (shown.field, shown.fields) == ("a.b", [bad, worse])
    shown = refusal_of(InvalidInput(worse))
    assert isinstance(shown, refusals.InvalidInput)
    assert shown.field is None


async def test_refusal_without_a_type_is_an_error(
    caller: Caller, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object, key: str | None) -> None:
        raise Refused("Not today", "closed_on_sundays")

    monkeypatch.setattr(Bus, "execute", refuse)
    error = await caller.refused(MUTATIONS["deleteCard"], boardId=BOARD, input={"cardId": "k"})
    assert error == ("Not today", {"code": "CLOSED_ON_SUNDAYS"})


async def test_fault_of_the_store_is_an_error(caller: Caller, board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object, key: str | None) -> None:
        raise StoreUnavailable("disk")

    monkeypatch.setattr(Bus, "execute", fail)
    _, extensions = await caller.refused(MUTATIONS["deleteCard"], boardId=BOARD, input={"cardId": "k"})
    assert extensions == {"code": "STORE_UNAVAILABLE"}
