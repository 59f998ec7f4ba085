"""The table of changes is complete, and a missing type raises an error."""

from __future__ import annotations

from typing import get_args

import pytest

from realtime.kanban.changes import Difference
from schema.envelopes.change_mapping import BOARD_CHANGE_TYPES, LEFT_OUT, board_change
from schema.envelopes.mapping import BOARD_EVENT_TYPES, UnexpectedEnvelope
from tests.kit.nodes import BOARD
from tests.kit.plain_envelopes import plain

_CHANGES = {kind.__dataclass_fields__["type"].default for kind in get_args(Difference)}


def test_every_change_has_a_member() -> None:
    assert _CHANGES | {"hello", "state", "gap", "goodbye", "heartbeat"} == BOARD_CHANGE_TYPES


def test_every_type_of_the_stream_has_a_member_or_is_left_out() -> None:
    assert LEFT_OUT < BOARD_EVENT_TYPES <= LEFT_OUT | BOARD_CHANGE_TYPES
    assert not LEFT_OUT & BOARD_CHANGE_TYPES


@pytest.mark.parametrize("type", [*sorted(LEFT_OUT), "patch", "pong", "nonsense", ""])
def test_type_without_a_member_is_an_error(type: str) -> None:
    with pytest.raises(UnexpectedEnvelope, match=f"got Envelope\\({type}, c\\)"):
        board_change(plain(type, {}, "c"), BOARD)


@pytest.mark.parametrize("type", sorted(BOARD_CHANGE_TYPES - {"heartbeat"}))
def test_payload_of_another_kind_is_an_error(type: str) -> None:
    with pytest.raises(UnexpectedEnvelope):
        board_change(plain(type, None, "c"), BOARD)
