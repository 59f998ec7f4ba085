"""A whole board as JSON, for a store that keeps earlier states of boards. This JSON never goes to a client."""

from __future__ import annotations

from dataclasses import replace

from pydantic import TypeAdapter

from realtime.kanban.board import Board

__all__ = ["board_from_json", "board_to_json"]

_BOARD: TypeAdapter[Board] = TypeAdapter(Board)


def board_to_json(board: Board) -> bytes:
    """Encode a board; columns, cards and attempts keep their order."""
    plain = replace(board.state, cards=dict(board.state.cards))
    return _BOARD.dump_json(replace(board, state=plain))


def board_from_json(text: bytes | str) -> Board:
    """Decode the result of `board_to_json`."""
    return _BOARD.validate_json(text)
