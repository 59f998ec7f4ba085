"""Attempts: find them by id, with or without a board, read their rows, queue and stop them.

Every method raises `StoreUnavailable` if the store does not answer.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from realtime.errors import AmbiguousAttempt, NotFound
from realtime.kanban.attempts import QueueAttempt, StopAttempt
from realtime.kanban.events import AttemptQueued
from realtime.kanban.grants import Action
from realtime.kanban.ids import AttemptId, BoardId, CardId
from realtime.kanban.models import AttemptStatus
from realtime.messages.channels import board_channel
from realtime.messages.position import EntryCursors, channel_tag
from realtime.node import Node
from realtime.ports import Attempt, AttemptKey, CardKey, LogEntry, Page
from realtime.service.access import Caller, board_not_found, check_board, readable, request_key
from realtime.writing.command_unit import Executed

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

    def cursors(self, board_id: BoardId) -> EntryCursors:
        """Return the cursors of the logs and conversations of a board."""
        return EntryCursors(self._node.store.epoch, channel_tag(board_channel(board_id)))

    async def find(self, caller: Caller, attempt_id: AttemptId, board_id: str | None = None) -> Attempt | None:
        """Return an attempt, None if it is not known.

        Raises:
            AmbiguousAttempt: several boards have an attempt with this id, and `board_id` is None.
        """
        home = None if board_id is None else BoardId(board_id)
        if home is None:
            boards = await self._boards_of(caller, attempt_id)
            home = _only([one for one, is_known in boards.items() if is_known])
        if home is None or not self._may_read(caller, home):
            return None
        return await self._node.store.attempt(home, attempt_id)

    async def check(self, caller: Caller, board_id: BoardId, attempt_id: AttemptId) -> None:
        """Check that a board knows an attempt.

        Raises:
            NotFound: `board_not_found`, `attempt_not_found`.
        """
        if await self.find(caller, attempt_id, board_id) is not None:
            return
        if not self._may_read(caller, board_id) or await self._node.store.project(board_id) is None:
            raise board_not_found()
        raise NotFound("Attempt not found", "attempt_not_found")

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
            home = _only(list(await self._boards_of(caller, attempt_id)))
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
        return await self._node.store.attempts_by_key(readable(caller, keys))

    async def of_cards(self, caller: Caller, keys: Collection[CardKey]) -> Mapping[CardKey, Sequence[Attempt]]:
        """Return the attempts at each card, newest first, with one query."""
        return await self._node.store.attempts_of_cards(readable(caller, keys))

    async def log_pages(
        self, caller: Caller, keys: Collection[AttemptKey], after: int, limit: int
    ) -> Mapping[AttemptKey, Page[LogEntry]]:
        """Return a page of the log of each attempt, with one query."""
        return await self._node.store.log_pages(readable(caller, keys), after, limit)

    async def conversation_pages(
        self, caller: Caller, keys: Collection[AttemptKey], after: int, limit: int
    ) -> Mapping[AttemptKey, Page[dict[str, Any]]]:
        """Return a page of the conversation of each attempt, with one query."""
        return await self._node.store.conversation_pages(readable(caller, keys), after, limit)

    async def todos_by_key(self, caller: Caller, keys: Collection[AttemptKey]) -> Mapping[AttemptKey, dict[str, Any]]:
        """Return the todo lists of the attempts that have one, with one query."""
        return await self._node.store.todos_of_attempts(readable(caller, keys))

    async def queue(
        self, caller: Caller, board_id: BoardId, command: QueueAttempt, key: str | None = None
    ) -> AttemptChange:
        """Queue an attempt; return its row as it was queued, even if its card was deleted again meanwhile.

        Raises:
            NotFound, Conflict: see `kanban.attempts.queue_attempt`.
            KeyReused: another request has used the idempotency key.
        """
        executed = await self._execute(caller, board_id, command, key)
        recorded, at, _ = executed.recorded[0]
        event = cast("AttemptQueued", recorded)  # the one event that the command makes
        attempt_id = AttemptId(event.attempt_id)
        places = (attempt_id, board_id, CardId(event.card_id), event.agent, AttemptStatus.QUEUED)
        created_at = executed.board.attempts[attempt_id].created_at
        queued = Attempt(*places, created_at, at, event.base_branch, event.branch_name)
        if found := await self._node.store.attempt(board_id, attempt_id):
            queued = replace(queued, worktree_path=found.worktree_path, session_id=found.session_id)
        return AttemptChange(queued, executed.position.cursor)

    async def stop(self, caller: Caller, attempt: Attempt, key: str | None = None) -> AttemptChange:
        """Stop an attempt; return its row after the stop.

        Raises:
            NotFound, Conflict: see `kanban.attempts.stop_attempt`; `board_not_found`: its board is gone.
            KeyReused: another request has used the idempotency key.
        """
        executed = await self._execute(caller, attempt.board_id, StopAttempt(attempt_id=attempt.id), key)
        now = executed.board.attempts[attempt.id]
        stopped = replace(
            attempt, status=now.status, updated_at=now.updated_at or attempt.updated_at, ended_at=now.ended_at
        )
        return AttemptChange(stopped, executed.position.cursor)

    async def _execute(
        self, caller: Caller, board_id: BoardId, command: QueueAttempt | StopAttempt, key: str | None
    ) -> Executed:
        check_board(caller, Action.WRITE, board_id, board_not_found)
        return await self._node.bus.execute(board_id, command, key=request_key(caller, board_id, key))

    async def _boards_of(self, caller: Caller, attempt_id: AttemptId) -> Mapping[BoardId, bool]:
        # The store looks at no other board, so an attempt of a secret one costs what an unknown one costs.
        return await self._node.store.boards_of_attempt(attempt_id, caller.grants.boards_for(Action.READ))

    def _may_read(self, caller: Caller, board_id: BoardId) -> bool:
        return caller.may(Action.READ, board_id)


def _only(boards: Sequence[BoardId]) -> BoardId | None:
    """Return the only one of the boards, None if there is none."""
    if len(boards) > 1:
        raise AmbiguousAttempt(len(boards))
    return boards[0] if boards else None
