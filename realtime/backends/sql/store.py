"""`SqlStore`: implements `ports.EventStore` and the ports for reading on one database.

Write transactions of one process come one after the other; each read has its own snapshot (`databases.Database`).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any, TypeVar

import orjson
from sqlalchemy import Connection, func, insert, literal_column, select, tuple_

from realtime.backends.sql.access_tokens import add_token, load_tokens, note_access_change, note_uses, remove_tokens
from realtime.backends.sql.databases import database_at, is_postgres, reporting
from realtime.backends.sql.prepared import Prepared
from realtime.backends.sql.reading.read_attempts import load_attempts, load_attempts_of_cards, load_boards_of_attempt
from realtime.backends.sql.reading.read_boards import load_board, load_boards
from realtime.backends.sql.reading.read_cards import load_cards
from realtime.backends.sql.reading.read_dashboard import load_dashboard_figures
from realtime.backends.sql.reading.read_history import (
    load_events,
    load_heads,
    load_offset,
    load_past_board,
    load_pruned,
)
from realtime.backends.sql.reading.read_pages import (
    load_event_page,
    load_page,
    load_pages,
    read_item,
    read_log_entry,
    read_off,
)
from realtime.backends.sql.reading.read_projects import load_boards_of_tags, load_projects, load_projects_by_id
from realtime.backends.sql.tables import (
    agents,
    attempts,
    cards,
    conversation,
    events,
    logs,
    meta,
    profiles,
    todos,
)
from realtime.backends.sql.web_sessions import add_session, load_sessions, remove_sessions
from realtime.backends.sql.writing.node_rows import NodeRows
from realtime.backends.sql.writing.pruning import load_prunable, prune
from realtime.backends.sql.writing.transaction import SqlTransaction
from realtime.clock import Clock, system_clock
from realtime.dashboard.figures import DashboardFigures
from realtime.dashboard.time_range import Window
from realtime.errors import StoreUnavailable, StoreUnusable, UnitConflict
from realtime.kanban.board import Board
from realtime.kanban.ids import AttemptId, BoardId, CardId, ColumnId
from realtime.kanban.models import Card, Project
from realtime.messages.channels import Channel
from realtime.ports import (
    AccessToken,
    Agent,
    Attempt,
    AttemptKey,
    CardKey,
    Horizon,
    LogEntry,
    LoggedEvent,
    Page,
    Profile,
    Span,
    StoredBoard,
    StoredEvent,
    StoredSession,
)

__all__ = ["SqlStore"]

#: Number of a board's events from one snapshot to the next: the most that a replay folds before it begins.
SNAPSHOT_EVENTS = 200
#: Most times that a write is repeated because of other writers.
MOST_CONFLICTS = 10
_T = TypeVar("_T")
_LAST = Prepared(
    select(meta.c.value, *events.c["sequence", "channel", "offset", "name", "at", "recorded_at"])
    .select_from(meta.outerjoin(events, events.c.sequence == select(func.max(events.c.sequence)).scalar_subquery()))
    .where(literal_column("key = 'epoch'"))
)


class SqlStore:
    """A store in SQLite or PostgreSQL. `server.wiring` calls `open` before use and `aclose` after."""

    def __init__(
        self,
        url: str,
        *,
        snapshot_events: int = SNAPSHOT_EVENTS,
        clock: Clock = system_clock,
        exclusive: bool = False,
    ) -> None:
        """Store the URL; nothing is opened yet.

        `clock` gives the time at which an event is written. With `exclusive`, no other process may serve the database.

        Raises:
            StoreUnusable: `url` is no URL, or names a database that this version does not support.
        """
        self._database = database_at(url, exclusive=exclusive, fingerprint=_fingerprint)
        self.is_shared = is_postgres(url)
        self._snapshot_events = snapshot_events
        self._clock = clock
        self.epoch = ""
        self.nodes = NodeRows(self._read, self._write)

    async def open(self) -> None:
        """Bring the tables to the newest version, and read the epoch.

        Raises:
            StoreUnusable: the database cannot be opened, or another process has it.
        """
        await self._database.open()
        try:
            self.epoch = await self._write(_epoch)
        except StoreUnavailable as error:
            raise StoreUnusable(f"cannot use the database: {error}") from error

    async def aclose(self) -> None:
        """Wait for running work, and close all connections."""
        await self._database.aclose()

    @property
    def waits(self) -> int:
        """Calls that had to wait for a connection."""
        return self._database.waits

    async def ping(self) -> None:
        """Return once the database answers.

        Raises:
            StoreUnavailable: it does not answer.
        """
        await self._read(lambda connection: connection.scalar(select(1)))

    async def transact(self, work: Callable[[SqlTransaction], _T]) -> _T:
        """Return the result of `work` with a transaction; see `ports.EventStore`."""
        database = self._database

        def carried_out(connection: Connection) -> _T:
            heads = database.heads(connection)
            transaction = SqlTransaction(connection, heads, self._snapshot_events, self._clock)
            made = work(transaction)
            transaction.flush()
            return made

        return await self._write_once(carried_out)

    async def board(self, board_id: BoardId) -> StoredBoard | None:
        """Return a board, None if it does not exist."""
        return await self._read(lambda connection: load_board(connection, board_id))

    async def projects(self) -> list[Project]:
        """Return all projects, oldest first."""
        return await self._read(load_projects)

    async def offset(self, channel: Channel) -> int:
        """Return the offset of the last event of a channel."""
        return await self._read(lambda connection: load_offset(connection, channel))

    async def heads(self, channels: Collection[Channel]) -> dict[Channel, int]:
        """Return the heads of channels at one moment; see `ports.HistoryReader`."""
        return await self._read(lambda connection: load_heads(connection, channels))

    async def project(self, project_id: BoardId) -> Project | None:
        """Return a project, None if it does not exist."""
        return (await self.projects_by_id([project_id])).get(project_id)

    async def homes_of(self, card_id: CardId, among: Collection[BoardId] | None = None) -> dict[BoardId, ColumnId]:
        """Return those of some boards that have a card with this id, and the column it is in there; None = of all."""
        query = select(*cards.c["board_id", "column_id"]).where(cards.c.id == card_id)
        if among is not None:
            query = query.where(cards.c.board_id.in_(among))
        rows = await self._read(lambda connection: _rows(connection, query))
        return {row.board_id: row.column_id for row in rows}

    async def attempts(self, board_id: BoardId, *card_ids: CardId) -> list[Attempt]:
        """Return attempts of a board, newest first."""
        which = attempts.c.board_id == board_id
        if card_ids:
            which &= attempts.c.card_id.in_(card_ids)
        return await self._read(lambda connection: load_attempts(connection, which))

    async def attempt(self, board_id: BoardId, attempt_id: AttemptId) -> Attempt | None:
        """Return an attempt of a board, None if the board does not know the id."""
        return (await self.attempts_by_key([(board_id, attempt_id)])).get((board_id, attempt_id))

    async def boards_of_attempt(
        self, attempt_id: AttemptId, among: Collection[BoardId] | None = None
    ) -> dict[BoardId, bool]:
        """Return those of some boards with rows under an attempt's id; None = of all."""
        return await self._read(lambda connection: load_boards_of_attempt(connection, attempt_id, among))

    async def logs(self, board_id: BoardId, attempt_id: AttemptId, after: int, limit: int) -> Page[LogEntry]:
        """Return a page of an attempt's log."""
        key = board_id, attempt_id
        page = await self._read(lambda connection: load_page(connection, logs, key, after, limit))
        return read_off(page, read_log_entry)

    async def conversation(
        self, board_id: BoardId, attempt_id: AttemptId, after: int, limit: int
    ) -> Page[dict[str, Any]]:
        """Return a page of an attempt's conversation."""
        key = board_id, attempt_id
        page = await self._read(lambda connection: load_page(connection, conversation, key, after, limit))
        return read_off(page, read_item)

    async def todos(self, board_id: BoardId, attempt_id: AttemptId) -> dict[str, Any] | None:
        """Return an attempt's todo list."""
        return (await self.todos_of_attempts([(board_id, attempt_id)])).get((board_id, attempt_id))

    async def past_board(self, board_id: BoardId, offset: int) -> Board | None:
        """Return a board as it was after the event at `offset`."""
        return await self._read(lambda connection: load_past_board(connection, board_id, offset))

    async def events(self, channel: Channel, span: Span, limit: int) -> list[StoredEvent]:
        """Return events of the log, oldest first."""
        return await self._read(lambda connection: load_events(connection, channel, span, limit))

    async def projects_by_id(self, project_ids: Collection[BoardId]) -> dict[BoardId, Project]:
        """Return those of the projects that exist."""
        return await self._read(lambda connection: load_projects_by_id(connection, project_ids))

    async def boards_by_id(self, board_ids: Collection[BoardId]) -> dict[BoardId, StoredBoard]:
        """Return those of the boards that exist."""
        return await self._read(lambda connection: load_boards(connection, board_ids))

    async def boards_of_tags(self, tags: Collection[str]) -> dict[str, BoardId]:
        """Return the boards with these tags."""
        return await self._read(lambda connection: load_boards_of_tags(connection, tags))

    async def cards_by_key(self, keys: Collection[CardKey]) -> dict[CardKey, Card]:
        """Return those of the cards that exist."""
        return await self._read(lambda connection: load_cards(connection, keys))

    async def attempts_of_cards(self, keys: Collection[CardKey]) -> dict[CardKey, list[Attempt]]:
        """Return the attempts at each card, newest first."""
        return await self._read(lambda connection: load_attempts_of_cards(connection, keys))

    async def attempts_by_key(self, keys: Collection[AttemptKey]) -> dict[AttemptKey, Attempt]:
        """Return those of the attempts that are known."""
        which = tuple_(*attempts.c["board_id", "id"]).in_(list(keys))
        found = await self._read(lambda connection: load_attempts(connection, which))
        return {(attempt.board_id, attempt.id): attempt for attempt in found}

    async def log_pages(self, keys: Collection[AttemptKey], after: int, limit: int) -> dict[AttemptKey, Page[LogEntry]]:
        """Return a page of the log of each attempt."""
        found = await self._read(lambda connection: load_pages(connection, logs, keys, after, limit))
        return {key: read_off(page, read_log_entry) for key, page in found.items()}

    async def conversation_pages(
        self, keys: Collection[AttemptKey], after: int, limit: int
    ) -> dict[AttemptKey, Page[dict[str, Any]]]:
        """Return a page of the conversation of each attempt."""
        found = await self._read(lambda connection: load_pages(connection, conversation, keys, after, limit))
        return {key: read_off(page, read_item) for key, page in found.items()}

    async def todos_of_attempts(self, keys: Collection[AttemptKey]) -> dict[AttemptKey, dict[str, Any]]:
        """Return the attempts' todo lists."""
        query = select(todos).where(tuple_(*todos.c["board_id", "attempt_id"]).in_(list(keys)))
        rows = await self._read(lambda connection: _rows(connection, query))
        return {(row.board_id, row.attempt_id): orjson.loads(row.todos) for row in rows}

    async def event_page(self, channel: Channel, after: int, limit: int) -> Page[LoggedEvent]:
        """Return a page of a channel's events."""
        return await self._read(lambda connection: load_event_page(connection, channel, after, limit))

    async def pruned(self, channel: Channel) -> int:
        """Return the offset up to which a channel's events were pruned."""
        return await self._read(lambda connection: load_pruned(connection, channel))

    async def prunable(self, horizon: Horizon) -> list[Channel]:
        """Return the channels with events to prune."""
        return await self._read(lambda connection: load_prunable(connection, horizon))

    async def prune(self, channel: Channel, horizon: Horizon, limit: int) -> int:
        """Delete the oldest events of a channel from the log; see `ports.LogPruner`."""
        return await self._write(lambda connection: prune(connection, channel, horizon, limit))

    async def agents(self) -> tuple[list[Agent], list[Profile]]:
        """Return registered agents and profiles, oldest first."""

        def load(connection: Connection) -> tuple[list[Agent], list[Profile]]:
            known = connection.execute(select(*agents.c["key", "label"]).order_by(agents.c.sequence))
            made = connection.execute(select(*profiles.c["id", "agent", "label"]).order_by(profiles.c.sequence))
            return [Agent(*row) for row in known], [Profile(*row) for row in made]

        return await self._read(load)

    async def access_tokens(self) -> list[AccessToken]:
        """Return all access tokens, oldest first."""
        return await self._read(load_tokens)

    async def access_tokens_by_digest(self, digests: Collection[bytes]) -> list[AccessToken]:
        """Return those of the access tokens that exist."""
        return await self._read(lambda connection: load_tokens(connection, digests))

    async def put_access_token(self, token: AccessToken, replaced: Collection[str] = ()) -> None:
        """Store a new access token in place of others; see `ports.TokenStore`."""

        def put(connection: Connection) -> None:
            note_access_change(connection)
            remove_tokens(connection, replaced)
            add_token(connection, token)

        await self._write(put)

    async def delete_access_token(self, token_id: str) -> None:
        """Delete an access token, if it exists."""

        def delete(connection: Connection) -> None:
            note_access_change(connection)
            remove_tokens(connection, [token_id])

        await self._write(delete)

    async def note_token_uses(self, uses: Mapping[str, datetime]) -> None:
        """Store the times of the last uses of access tokens."""
        await self._write(lambda connection: note_uses(connection, uses))

    async def sessions(self) -> list[StoredSession]:
        """Return all sessions, oldest first."""
        return await self._read(load_sessions)

    async def sessions_by_digest(self, digests: Collection[bytes]) -> list[StoredSession]:
        """Return those of the sessions that exist."""
        return await self._read(lambda connection: load_sessions(connection, digests))

    async def put_session(self, session: StoredSession, replaced: Collection[bytes] = ()) -> None:
        """Store a new session in place of others; see `ports.SessionStore`."""

        def put(connection: Connection) -> None:
            note_access_change(connection)
            remove_sessions(connection, replaced)
            add_session(connection, session)

        await self._write(put)

    async def delete_session(self, digest: bytes) -> None:
        """Delete a session, if it exists."""

        def delete(connection: Connection) -> None:
            note_access_change(connection)
            remove_sessions(connection, [digest])

        await self._write(delete)

    async def dashboard_figures(self, window: Window) -> DashboardFigures:
        """Return the figures from which the dashboard is computed."""
        return await self._read(lambda connection: load_dashboard_figures(connection, window))

    async def _read(self, load: Callable[[Connection], _T]) -> _T:
        with reporting(self._database):
            return await self._database.read(load)

    async def _write(self, work: Callable[[Connection], _T]) -> _T:
        """Write by `work`, which may be called several times, because other writers may be faster."""
        for left in reversed(range(MOST_CONFLICTS)):
            try:
                return await self._write_once(work)
            except UnitConflict as conflict:
                if not left:
                    raise StoreUnavailable(str(conflict)) from conflict
        raise AssertionError("unreachable")

    async def _write_once(self, work: Callable[[Connection], _T]) -> _T:
        with reporting(self._database):
            return await self._database.write(work)


def _epoch(connection: Connection) -> str:
    found: str | None = connection.scalar(select(meta.c.value).where(meta.c.key == "epoch"))
    if found is None:
        found = secrets.token_hex(4)
        connection.execute(insert(meta), {"key": "epoch", "value": found})
    return found


def _fingerprint(connection: Connection) -> list[tuple[Any, ...]]:
    """Return the epoch and the last event, which differ between two histories with the same beginning."""
    return _LAST.rows(connection)


def _rows(connection: Connection, query: Any) -> list[Any]:
    return list(connection.execute(query))
