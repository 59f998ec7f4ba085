"""Attempts: find them by id, with or without a board, read their rows, queue and stop them.

Every method raises `StoreUnavailable` if the store does not answer.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from realtime.errors import AmbiguousAttempt
from realtime.kanban.attempts import QueueAttempt, StopAttempt
from realtime.kanban.events import AttemptQueued
from realtime.kanban.ids import AttemptId, BoardId, CardId
from realtime.kanban.models import AttemptStatus
from realtime.node import Node
from realtime.ports import Attempt, AttemptKey, CardKey, LogEntry, Page
from realtime.service.access import Access, Action, Caller, board_not_found, readable
from realtime.writing.bus import Executed

__all__ = ["AttemptChange", "Attempts"]


@dataclass(frozen=True, slots=True)
class AttemptChange:
    """The row of an attempt after a change, and the cursor behind the change."""

    attempt: Attempt
    cursor: str


@dataclass(frozen=True, slots=True)
class Attempts:
    """Requests about attempts. An id alone may be ambiguous, because two boards may use the same one."""

    _node: Node
    _access: Access

    async def find(self, caller: Caller, attempt_id: AttemptId, board_id: str | None = None) -> Attempt | None:
        """Return an attempt, None if it is not known.

        Raises:
            AmbiguousAttempt: several boards have an attempt with this id, and `board_id` is None.
        """
        home = None if board_id is None else BoardId(board_id)
        if home is None:
            boards = await self._node.store.boards_of_attempt(attempt_id)
            home = self._only(caller, [one for one, is_known in boards.items() if is_known])
        if home is None or not self._may_read(caller, home):
            return None
        return await self._node.store.attempt(home, attempt_id)

    async def of_board(self, caller: Caller, board_id: BoardId, *card_ids: CardId) -> list[Attempt]:
        """Return the attempts of a board (or of the given cards of it), newest first."""
        return await self._node.store.attempts(board_id, *card_ids) if self._may_read(caller, board_id) else []

    async def logs(
        self, caller: Caller, attempt_id: AttemptId, board_id: BoardId | None, after: int, limit: int
    ) -> Page[LogEntry]:
        """Return a page of the log under an attempt's id, whether the attempt itself is known or not.

        Raises:
            AmbiguousAttempt: several boards have rows under this id, and `board_id` is None.
        """
        home = board_id
        if home is None:
            home = self._only(caller, list(await self._node.store.boards_of_attempt(attempt_id)))
        if home is None or not self._may_read(caller, home):
            return Page((), more=False)
        return await self._node.store.logs(home, attempt_id, after, limit)

    async def conversation(self, caller: Caller, attempt: Attempt, after: int, limit: int) -> Page[dict[str, Any]]:
        """Return a page of an attempt's conversation: the items as they came."""
        if not self._may_read(caller, attempt.board_id):
            return Page((), more=False)
        return await self._node.store.conversation(attempt.board_id, attempt.id, after, limit)

    async def todos(self, caller: Caller, attempt: Attempt) -> dict[str, Any] | None:
        """Return an attempt's todo list, None if it has none."""
        if not self._may_read(caller, attempt.board_id):
            return None
        return await self._node.store.todos(attempt.board_id, attempt.id)

    async def by_key(self, caller: Caller, keys: Collection[AttemptKey]) -> Mapping[AttemptKey, Attempt]:
        """Return the known attempts, with one query."""
        return await self._node.store.attempts_by_key(readable(self._access, caller, keys))

    async def of_cards(self, caller: Caller, keys: Collection[CardKey]) -> Mapping[CardKey, Sequence[Attempt]]:
        """Return the attempts at each card, newest first, with one query."""
        return await self._node.store.attempts_of_cards(readable(self._access, caller, keys))

    async def log_pages(
        self, caller: Caller, keys: Collection[AttemptKey], after: int, limit: int
    ) -> Mapping[AttemptKey, Page[LogEntry]]:
        """Return a page of the log of each attempt, with one query."""
        return await self._node.store.log_pages(readable(self._access, caller, keys), after, limit)

    async def conversation_pages(
        self, caller: Caller, keys: Collection[AttemptKey], after: int, limit: int
    ) -> Mapping[AttemptKey, Page[dict[str, Any]]]:
        """Return a page of the conversation of each attempt, with one query."""
        return await self._node.store.conversation_pages(readable(self._access, caller, keys), after, limit)

    async def todos_by_key(self, caller: Caller, keys: Collection[AttemptKey]) -> Mapping[AttemptKey, dict[str, Any]]:
        """Return the todo lists of the attempts that have one, with one query."""
        return await self._node.store.todos_of_attempts(readable(self._access, caller, keys))

    async def queue(self, caller: Caller, board_id: BoardId, command: QueueAttempt) -> AttemptChange:
        """Queue an attempt; return its row, even if its card was deleted again meanwhile.

        Raises:
            NotFound, Conflict: see `kanban.attempts.queue_attempt`.
        """
        executed = await self._execute(caller, board_id, command)
        recorded, at, _ = executed.recorded[0]
        queued = cast("AttemptQueued", recorded)  # the one event that the command makes
        attempt_id = AttemptId(queued.attempt_id)
        found = await self._node.store.attempt(board_id, attempt_id)
        if found is None:
            places = (attempt_id, board_id, CardId(queued.card_id), queued.agent, AttemptStatus.QUEUED)
            created_at = executed.board.attempts[attempt_id].created_at
            found = Attempt(*places, created_at, at, queued.base_branch, queued.branch_name)
        return AttemptChange(found, executed.position.cursor)

    async def stop(self, caller: Caller, attempt: Attempt) -> AttemptChange:
        """Stop an attempt; return its row after the stop.

        Raises:
            NotFound, Conflict: see `kanban.attempts.stop_attempt`; `board_not_found`: its board is gone.
        """
        executed = await self._execute(caller, attempt.board_id, StopAttempt(attempt_id=attempt.id))
        now = executed.board.attempts[attempt.id]
        stopped = replace(
            attempt, status=now.status, updated_at=now.updated_at or attempt.updated_at, ended_at=now.ended_at
        )
        return AttemptChange(stopped, executed.position.cursor)

    async def _execute(self, caller: Caller, board_id: BoardId, command: QueueAttempt | StopAttempt) -> Executed:
        if not self._access.allows(caller, Action.WRITE, board_id):
            raise board_not_found()
        return await self._node.bus.execute(board_id, command)

    def _only(self, caller: Caller, boards: Sequence[BoardId]) -> BoardId | None:
        """Return the only board among `boards` that the caller may read, None if there is none."""
        readable = [one for one in boards if self._may_read(caller, one)]
        if len(readable) > 1:
            raise AmbiguousAttempt(len(readable))
        return readable[0] if readable else None

    def _may_read(self, caller: Caller, board_id: BoardId) -> bool:
        return self._access.allows(caller, Action.READ, board_id)
