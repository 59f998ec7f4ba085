"""The canonical form, compared with a second implementation of RFC 8785 and with its examples."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import orjson
import pytest
from hypothesis import given

from realtime.kanban.changes import CardUpdated, apply
from realtime.kanban.ids import CardId, ColumnId
from realtime.kanban.models import BoardState, Column, GithubIssue
from realtime.kanban.wire.canonical import canonical_state, state_hash
from tests.kit.board_copy import BoardCopy, canonical
from tests.unit.realtime.states import on_the_wire, states
from tests.unit.realtime.test_changes import FULL

_STATE = BoardState({ColumnId("a"): Column(ColumnId("a"), "A", (FULL.id,))}, {FULL.id: FULL})


@given(states())
def test_state_is_canonical_as_a_second_writer_sees_it(state: BoardState) -> None:
    assert canonical_state(state).decode() == canonical(on_the_wire(state))
    copy = BoardCopy()
    copy.apply("state", on_the_wire(state))
    assert copy.hash == state_hash(state) == hashlib.sha256(canonical_state(state)).hexdigest()


def test_empty_board_is_the_example_of_the_readme() -> None:
    assert canonical_state(BoardState()) == b'{"cards":{},"columnOrder":[],"columns":{}}'


def test_keys_are_sorted_by_utf_16_code_units() -> None:
    # RFC 8785 §3.2.3: the emoji begins with the surrogate D83D, below U+FB33.
    columns = {ColumnId(id): Column(ColumnId(id), "") for id in ("\ufb33", "\U0001f600", "\u20ac", "1")}
    assert list(orjson.loads(canonical_state(BoardState(columns)))["columns"]) == [
        "1",
        "\u20ac",
        "\U0001f600",
        "\ufb33",
    ]


@pytest.mark.parametrize(
    ("number", "written"),
    [(2**53 - 1, "9007199254740991"), (2**53 + 1, "9007199254740992"), (2**63 - 1, "9223372036854776000")],
)
def test_whole_numbers_are_written_as_ecmascript_writes_doubles(number: int, written: str) -> None:
    card = replace(FULL, github_issue=GithubIssue(number, "u"))
    assert f'"issueNumber":{written},"url":"u"'.encode() in canonical_state(replace(_STATE, cards={card.id: card}))


def test_every_difference_of_a_card_is_another_hash() -> None:
    changed = apply(_STATE, CardUpdated(replace(FULL, title="x"), ("title",)))
    assert state_hash(changed) != state_hash(_STATE)
    assert state_hash(apply(changed, CardUpdated(FULL, ("title",)))) == state_hash(_STATE)
    assert FULL.id == CardId("k")
