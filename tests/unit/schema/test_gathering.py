"""The commands of one mutation are one unit in the document's order. A refused command stops no other."""

from __future__ import annotations

from typing import Any

import pytest

from realtime.kanban.board import Board
from realtime.limits import LimitReached
from realtime.messages.channels import board_channel
from realtime.ports import Span
from tests.kit.contexts import context_on
from tests.kit.deadline import deadline
from tests.kit.nodes import BOARD, column_id
from tests.unit.schema.caller import Caller

_CREATE = """mutation ($board: ID!, $column: ID!) {
  a: createCard(boardId: $board, input: {columnId: $column, title: "A"}) { ...Made }
  none: createCard(boardId: $board, input: {columnId: "none", title: "B"}) { ...Made }
  blank: createCard(boardId: $board, input: {columnId: $column, title: " "}) { ...Made }
  c: createCard(boardId: $board, input: {columnId: $column, title: "C"}) { ...Made }
}
fragment Made on CreateCardResult {
  __typename
  ... on CreateCardPayload { cursor card { title ticketKey } state { columns { cards { title } } } }
}"""


async def _run(caller: Caller, document: str, **variables: Any) -> Any:
    async with deadline(5):
        return await caller.schema.execute(document, variables, context_on(caller.node))


async def _titles(caller: Caller) -> list[str]:
    state = await caller.run(
        "query ($board: ID!) { board(boardId: $board) { columns { cards { title } } } }", board=BOARD
    )
    return [card["title"] for column in state["columns"] for card in column["cards"]]


async def test_commands_are_carried_out_in_order_and_each_is_answered_for_itself(caller: Caller, board: Board) -> None:
    result = await _run(caller, _CREATE, board=BOARD, column=column_id(board.state, "Backlog"))
    assert result.errors is None
    kinds = {name: one["__typename"] for name, one in result.data.items()}
    assert kinds == {
        "a": "CreateCardPayload",
        "none": "ColumnNotFound",
        "blank": "InvalidInput",
        "c": "CreateCardPayload",
    }
    a, c = result.data["a"], result.data["c"]
    assert [one["card"]["title"] for one in (a, c)] == ["A", "C"]
    assert a["card"]["ticketKey"] != c["card"]["ticketKey"]
    assert a["cursor"] != c["cursor"]
    shown = [[card["title"] for column in one["state"]["columns"] for card in column["cards"]] for one in (a, c)]
    assert [("A" in titles, "C" in titles) for titles in shown] == [(True, False), (True, True)]
    assert {"A", "C"} <= set(await _titles(caller))


async def test_unknown_board_refuses_its_own_commands_only(caller: Caller, board: Board) -> None:
    document = """mutation ($board: ID!, $column: ID!) {
      one: createCard(boardId: "none", input: {columnId: $column, title: "A"}) { __typename }
      two: createCard(boardId: $board, input: {columnId: $column, title: "B"}) { __typename }
    }"""
    result = await _run(caller, document, board=BOARD, column=column_id(board.state, "Backlog"))
    kinds = {name: one["__typename"] for name, one in result.data.items()}
    assert kinds == {"one": "BoardNotFound", "two": "CreateCardPayload"}


@pytest.mark.parametrize(
    ("selected", "units"),
    [
        ("cursor state { cursor columns { id } }", 1),
        ("state { project { name } }", 2),
        ("card { attempts { nodes { id } } }", 2),
        ("...Deep", 2),
        ("...Round", 1),
    ],
)
async def test_commands_are_one_unit_unless_an_answer_is_read_from_the_store(
    selected: str, units: int, caller: Caller, board: Board
) -> None:
    document = f"""mutation ($board: ID!, $column: ID!) {{
      one: createCard(boardId: $board, input: {{columnId: $column, title: "A"}}) {{ ...Made }}
      two: createCard(boardId: $board, input: {{columnId: $column, title: "B"}}) {{ ...Made }}
    }}
    fragment Made on CreateCardResult {{ ... on CreateCardPayload {{ {selected} }} }}
    fragment Deep on CreateCardPayload {{ state {{ ... {{ project {{ name }} }} }} }}
    fragment Round on CreateCardPayload {{ card {{ id }} }}"""
    unused = "Round" if "Deep" in selected else "Deep"
    lines = [line for line in document.splitlines() if f"fragment {unused}" not in line]
    if "..." not in selected:
        lines = [line for line in lines if "fragment Round" not in line]
    result = await _run(caller, "\n".join(lines), board=BOARD, column=column_id(board.state, "Backlog"))
    assert result.errors is None, result.errors
    history = await caller.node.store.events(board_channel(board.id), Span(0, 2**62, 0, 2**62), 100)
    changed = [stored.superseded for stored in history if stored.recorded.event.type == "board.state.changed"]
    assert changed[-2:] == [units == 1, False]


async def test_limit_refuses_all_of_them(caller: Caller, board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    before = await _titles(caller)

    def refuse(*_: object) -> None:
        raise LimitReached("too large")

    monkeypatch.setattr("realtime.writing.command_unit.check_board", refuse)
    result = await _run(caller, _CREATE, board=BOARD, column=column_id(board.state, "Backlog"))
    assert result.data is None
    assert {error.extensions["code"] for error in result.errors} == {"RATE_LIMITED"}
    assert await _titles(caller) == before
