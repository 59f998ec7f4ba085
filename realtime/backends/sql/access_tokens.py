"""Access tokens → rows, and back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, delete, func, or_, select, update

from realtime.backends.sql.tables import access_tokens, channels
from realtime.backends.sql.upsert import insert
from realtime.kanban.grants import parse_grants
from realtime.messages.channels import ACCESS, EVERYBODY
from realtime.ports import AccessToken, RequestKey

__all__ = ["add_token", "load_tokens", "note_access_change", "note_uses", "remove_tokens"]

_next = select(func.coalesce(func.max(access_tokens.c.sequence), 0) + 1).scalar_subquery()


_add_change = insert(channels).values(channel=ACCESS, offset=1)
_add_change = _add_change.on_conflict_do_update(index_elements=["channel"], set_={"offset": channels.c.offset + 1})


def note_access_change(connection: Connection) -> None:
    """Count a change of tokens or sessions; others who change them now wait, so the count is in their order."""
    connection.execute(_add_change)


def load_tokens(connection: Connection, digests: Collection[bytes] | None = None) -> list[AccessToken]:
    """Return access tokens, oldest first; None = all."""
    query = select(access_tokens).order_by(access_tokens.c.sequence)
    if digests is not None:
        query = query.where(access_tokens.c.digest.in_(digests))
    return [_token(row) for row in connection.execute(query)]


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
    last = access_tokens.c.last_used_at
    # Another node may have written a later use.
    is_later = or_(last.is_(None), last < bindparam("used_at", type_=last.type))
    one = update(access_tokens).where(access_tokens.c.id == bindparam("token_id"), is_later)
    if uses:
        rows = [{"token_id": token_id, "used_at": used_at} for token_id, used_at in uses.items()]
        connection.execute(one.values(last_used_at=bindparam("used_at")), rows)


def _token(row: Any) -> AccessToken:
    key = None if row.key is None else RequestKey(EVERYBODY, row.key_subject, row.key)
    times = row.created_at, row.expires_at, row.last_used_at
    return AccessToken(row.id, row.digest, row.name, parse_grants(orjson.loads(row.grants)), *times, key)
