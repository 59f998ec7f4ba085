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

    def get(self, board_id: BoardId) -> StoredBoard | None:
        """Return a copy of a cached board, which the caller may change; None if it is not cached."""
        cached = self._boards.get(board_id)
        return None if cached is None else replace(cached, board=cached.board.copy())

    def put(self, found: StoredBoard) -> None:
        """Cache a copy of a board in place of an earlier one, and drop the oldest boards beyond the limit."""
        self.forget(found.board.id)
        self._boards[found.board.id] = replace(found, board=found.board.copy())
        parts = sum(_parts(cached.board) for cached in self._boards.values())
        while parts > MAX_PARTS:
            oldest = self._boards.pop(next(iter(self._boards)))
            parts -= _parts(oldest.board)

    def forget(self, board_id: BoardId) -> None:
        """Drop a board from the cache."""
        self._boards.pop(board_id, None)


def _parts(board: Board) -> int:
    return 1 + len(board.state.cards) + len(board.attempts) + len(board.gone)
