"""Databases of older versions: each function undoes one migration."""

from __future__ import annotations

import sqlite3

__all__ = ["undo_boards_of_attempts", "undo_offsets_of_entries"]

_UNDO_OFFSETS = """
DROP TABLE nodes;
DROP TABLE web_sessions;
DROP TABLE access_tokens;
DROP INDEX logs_by_attempt;
DROP INDEX conversation_by_attempt;
ALTER TABLE logs DROP COLUMN "offset";
ALTER TABLE conversation DROP COLUMN "offset";
ALTER TABLE logs ADD COLUMN id TEXT NOT NULL DEFAULT 'log-1';
CREATE INDEX logs_by_attempt ON logs (board_id, attempt_id, sequence);
CREATE INDEX conversation_by_attempt ON conversation (board_id, attempt_id, sequence);
UPDATE alembic_version SET version_num = '0023';
"""

_SCRIPT = """
DROP TABLE board_tags;
DROP TABLE request_keys;
DROP TABLE gone_attempts;
DROP INDEX logs_by_attempt;
DROP INDEX logs_by_level;
DROP INDEX conversation_by_attempt;
ALTER TABLE logs DROP COLUMN board_id;
ALTER TABLE conversation DROP COLUMN board_id;
CREATE INDEX logs_by_attempt ON logs (attempt_id, sequence);
CREATE INDEX logs_by_level ON logs (level, attempt_id);
CREATE INDEX conversation_by_attempt ON conversation (attempt_id, sequence);
ALTER TABLE sessions RENAME TO sessions_of_boards;
CREATE TABLE sessions (attempt_id TEXT NOT NULL, session_id TEXT NOT NULL, PRIMARY KEY (attempt_id));
INSERT OR REPLACE INTO sessions SELECT attempt_id, session_id FROM sessions_of_boards ORDER BY board_id;
DROP TABLE sessions_of_boards;
ALTER TABLE todos RENAME TO todos_of_boards;
CREATE TABLE todos (attempt_id TEXT NOT NULL, todos TEXT NOT NULL, PRIMARY KEY (attempt_id));
INSERT OR REPLACE INTO todos SELECT attempt_id, todos FROM todos_of_boards ORDER BY board_id;
DROP TABLE todos_of_boards;
UPDATE alembic_version SET version_num = '0006';
"""


def undo_offsets_of_entries(connection: sqlite3.Connection) -> None:
    """Undo 0026 to 0024: no sessions of web pages, no access tokens, and all lines get one id."""
    connection.executescript(_UNDO_OFFSETS)


def undo_boards_of_attempts(connection: sqlite3.Connection) -> None:
    """Undo 0026 to 0021: if two boards have a session or todos under one id, those of the last board by id remain."""
    undo_offsets_of_entries(connection)
    connection.executescript(_SCRIPT)
