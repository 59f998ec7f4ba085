"""Access tokens → rows, and back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from realtime.backends.sql.tables import access_tokens
from realtime.kanban.grants import parse_grants
from realtime.messages.channels import EVERYBODY
from realtime.ports import AccessToken, RequestKey

__all__ = ["add_token", "load_tokens", "note_uses", "remove_tokens"]

_next = select(func.coalesce(func.max(access_tokens.c.sequence), 0) + 1).scalar_subquery()


def load_tokens(connection: Connection) -> list[AccessToken]:
    """Return all access tokens, oldest first."""
    return [_token(row) for row in connection.execute(select(access_tokens).order_by(access_tokens.c.sequence))]


def add_token(connection: Connection, token: AccessToken) -> None:
    """Insert a token."""
    values = {
        "id": token.id,
        "digest": token.digest,
        "name": token.name,
        "grants": orjson.dumps(token.grants.as_json()).decode(),
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "last_used_at": token.last_used_at,
        "key_subject": token.key and token.key.subject,
        "key": token.key and token.key.text,
    }
    connection.execute(insert(access_tokens).values(**values, sequence=_next))


def remove_tokens(connection: Connection, token_ids: Collection[str]) -> None:
    """Delete those of the tokens that exist."""
    if token_ids:
        one = delete(access_tokens).where(access_tokens.c.id == bindparam("token_id"))
        connection.execute(one, [{"token_id": token_id} for token_id in token_ids])


def note_uses(connection: Connection, uses: Mapping[str, datetime]) -> None:
    """Update the times of the last uses."""
    one = update(access_tokens).where(access_tokens.c.id == bindparam("token_id"))
    if uses:
        rows = [{"token_id": token_id, "used_at": used_at} for token_id, used_at in uses.items()]
        connection.execute(one.values(last_used_at=bindparam("used_at")), rows)


def _token(row: Any) -> AccessToken:
    key = None if row.key is None else RequestKey(EVERYBODY, row.key_subject, row.key)
    times = row.created_at, row.expires_at, row.last_used_at
    return AccessToken(row.id, row.digest, row.name, parse_grants(orjson.loads(row.grants)), *times, key)
