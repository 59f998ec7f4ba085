"""Positions and their only string form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.kanban.ids import BoardId
from realtime.messages.channels import DASHBOARD, EVERYBODY, board_channel
from realtime.messages.position import InvalidCursor, Position, channel_tag, parse_cursor

_OFFSETS = st.integers(0, 10**18 - 1)
_POSITIONS = st.builds(
    Position,
    st.from_regex(r"[0-9a-z]{1,32}", fullmatch=True),
    st.text().map(lambda id: channel_tag(board_channel(BoardId(id)))),
    _OFFSETS,
    _OFFSETS,
    st.integers(0, 9999),
)
NOW = Position("e1", channel_tag(EVERYBODY), 5, 3)


@given(_POSITIONS)
def test_cursor_reads_back_as_its_position(position: Position) -> None:
    assert parse_cursor(position.cursor) == position


@given(_POSITIONS)
def test_cursor_needs_no_escaping_anywhere(position: Position) -> None:
    assert set(position.cursor) <= set("0123456789abcdefghijklmnopqrstuvwxyz-.")


@given(_POSITIONS, _POSITIONS)
def test_different_positions_have_different_cursors(one: Position, other: Position) -> None:
    assert (one == other) == (one.cursor == other.cursor)


@pytest.mark.parametrize(
    "cursor",
    [
        *("", " ", "0", "-", "e1-5-3", "e1-deadbeef-5", "e1-deadbeef--3", "e1-deadbeef-5-", "e1-deadbeef-5-3-1"),
        *("e1-deadbee-5-3", "e1-DEADBEEF-5-3", "E1-deadbeef-5-3", "e1-deadbeef-5-3\n", " e1-deadbeef-5-3"),
        *("e1-deadbeef-٣-3", "e1-deadbeef-+5-3", "e1-deadbeef-5.-3", "e1-deadbeef-.1-3", "e1-deadbeef-5.1.1-3"),
        *("e1-deadbeef-5.1234567-3", f"e1-deadbeef-{'1' * 19}-3", f"{'e' * 33}-deadbeef-5-3", "e1-deadbeef-5-3\x00"),
    ],
)
def test_garbage_is_no_cursor(cursor: str) -> None:
    with pytest.raises(InvalidCursor, match="expected a cursor of this server"):
        parse_cursor(cursor)


@given(st.text())
def test_any_text_is_a_cursor_or_refused(text: str) -> None:
    try:
        parse_cursor(text)
    except InvalidCursor as error:
        assert len(str(error)) < 300  # noqa: PT017 - either outcome is right


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (NOW, None),
        (NOW._replace(offset=4), None),
        (NOW._replace(global_offset=2), None),
        (NOW._replace(offset=4, part=1), None),
        (NOW._replace(offset=6), "invalid_cursor"),
        (NOW._replace(global_offset=4), "invalid_cursor"),
        (NOW._replace(offset=6, global_offset=1), "invalid_cursor"),
        (NOW._replace(offset=4, global_offset=9), "invalid_cursor"),
        (NOW._replace(part=1), "invalid_cursor"),
        (NOW._replace(epoch="e0"), "epoch_changed"),
        (NOW._replace(tag="00000000"), "other_board"),
    ],
)
def test_gap_has_the_reason_of_what_is_missing(seen: Position, reason: str | None) -> None:
    assert NOW.gap_since(seen) == reason


def test_channels_have_tags_of_their_own() -> None:
    names = [EVERYBODY, *(board_channel(BoardId(f"p{n}")) for n in range(1000))]
    assert len({channel_tag(name) for name in names}) == len(names)
    assert all(len(channel_tag(name)) == 8 for name in names)


def test_place_is_that_in_the_log_of_the_stream() -> None:
    of_board = Position("e1", channel_tag(board_channel(BoardId("b"))), 5, 3, part=2)
    assert of_board.place == (5, 2)
    assert of_board._replace(tag=channel_tag(DASHBOARD), offset=0, part=0).place == (3, 0)
