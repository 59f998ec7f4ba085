"""Databases of older versions: each function undoes one migration."""

from __future__ import annotations

import sqlite3

__all__ = ["undo_boards_of_attempts"]

_SCRIPT = """
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


def undo_boards_of_attempts(connection: sqlite3.Connection) -> None:
    """Undo 0021: if two boards have a session or todos under one id, those of the last board by id remain."""
    connection.executescript(_SCRIPT)
