"""Every refusal of the core is a type of the schema; what is no refusal stays an error."""

from __future__ import annotations

import pytest

from realtime import errors
from realtime.bus import Bus
from realtime.errors import FieldError, InvalidInput, NotFound, Refused, StoreUnavailable
from realtime.kanban.board import Board
from schema import refusals
from schema.refusals import REFUSALS, Refusal, RefusalCode, refusal_of
from tests.kit.nodes import BOARD
from tests.unit.schema.caller import Caller
from tests.unit.schema.mutations.mutating import MUTATIONS


@pytest.mark.parametrize(("code", "kind"), REFUSALS.items())
def test_refusal_keeps_code_and_sentence(code: str, kind: type[Refusal]) -> None:
    refused: Refused = NotFound("No", code)
    if issubclass(vars(errors).get(kind.__name__, NotFound), InvalidInput):
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
    async def refuse(*_: object) -> None:
        raise Refused("Not today", "closed_on_sundays")

    monkeypatch.setattr(Bus, "execute", refuse)
    told = await caller.refused(MUTATIONS["deleteCard"], boardId=BOARD, input={"cardId": "k"})
    assert told == ("Not today", {"code": "CLOSED_ON_SUNDAYS"})


async def test_fault_of_the_store_is_an_error(caller: Caller, board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise StoreUnavailable("disk")

    monkeypatch.setattr(Bus, "execute", fail)
    _, extensions = await caller.refused(MUTATIONS["deleteCard"], boardId=BOARD, input={"cardId": "k"})
    assert extensions == {"code": "STORE_UNAVAILABLE"}
