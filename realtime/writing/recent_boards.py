"""The boards of the last write units, so that the next unit need not load a board that nobody watches."""

from __future__ import annotations

from dataclasses import replace

from realtime.kanban.board import Board
from realtime.kanban.ids import BoardId
from realtime.ports import StoredBoard

__all__ = ["RecentBoards"]

#: Most cards and attempts of all cached boards: about 10 MB. Loading as many took 50 ms of CPU time (measured).
MAX_PARTS = 5_000


class RecentBoards:
    """A cache that may be outdated: `write_units.checked_board` compares each board with its log before use.

    It needs no lock: only the group that is being written uses it, on the event loop or in the writer thread.
    """

    def __init__(self) -> None:
        """Start empty."""
        #: In the order of caching; the newest board is the last.
        self._boards: dict[BoardId, StoredBoard] = {}
        #: The parts of all of them.
        self._parts = 0

    def get(self, board_id: BoardId) -> StoredBoard | None:
        """Return a copy of a cached board, which the caller may change; None if it is not cached."""
        cached = self._boards.get(board_id)
        return None if cached is None else replace(cached, board=cached.board.copy())

    def put(self, found: StoredBoard) -> None:
        """Cache a copy of a board in place of an earlier one, and drop the oldest boards beyond the limit."""
        self.forget(found.board.id)
        self._boards[found.board.id] = replace(found, board=found.board.copy())
        self._parts += _parts(found.board)
        while self._parts > MAX_PARTS:
            self.forget(next(iter(self._boards)))

    def forget(self, board_id: BoardId) -> None:
        """Drop a board from the cache."""
        if (cached := self._boards.pop(board_id, None)) is not None:
            self._parts -= _parts(cached.board)


def _parts(board: Board) -> int:
    return 1 + len(board.state.cards) + len(board.attempts) + len(board.gone)
