"""Idempotency keys → rows, and back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from sqlalchemy import Connection, bindparam, delete, literal_column, select

from realtime.backends.sql.prepared import Insertion, PreparedList
from realtime.backends.sql.tables import request_keys
from realtime.backends.sql.upsert import insert
from realtime.messages.channels import Channel
from realtime.ports import MAX_UNCHANGED, FirstAnswer, RequestKey

__all__ = ["add_answers", "load_answers"]

_PLACE = ("fingerprint", "channel", "after", "offset", "global_offset")
_add = Insertion(insert(request_keys), "scope", "subject", "key", *_PLACE)
_answers = PreparedList(
    select(*request_keys.c["key", *_PLACE]).where(
        request_keys.c.scope == bindparam("scope"),
        request_keys.c.subject.in_([bindparam("subject"), literal_column("'*'")]),
        request_keys.c.key.in_(bindparam("texts", expanding=True)),
    ),
    *("texts", "scope", "subject"),
)
_unchanged = (request_keys.c.channel == bindparam("channel_"), request_keys.c.after == bindparam("after_"))
_beyond = (
    select(request_keys.c.sequence)
    .where(*_unchanged, request_keys.c.offset == bindparam("after_"))
    .order_by(request_keys.c.sequence.desc())
    .limit(1)
    .offset(MAX_UNCHANGED)
    .scalar_subquery()
)
_forget_unchanged = delete(request_keys).where(*_unchanged, request_keys.c.sequence <= _beyond)


def load_answers(connection: Connection, keys: Collection[RequestKey]) -> dict[RequestKey, FirstAnswer]:
    """Return the first answers under those of `keys` that were used."""
    texts: defaultdict[tuple[Channel, str], list[str]] = defaultdict(list)
    for scope, subject, text in keys:
        texts[scope, subject].append(text)
    found = {
        key: FirstAnswer(key, *place)
        for (scope, subject), some in texts.items()
        for text, *place in _answers.rows(connection, some, scope, subject)
        for key in [RequestKey(scope, subject, text)]
    }
    return {key: found[key] for key in keys if key in found}


def add_answers(connection: Connection, answers: Sequence[FirstAnswer]) -> None:
    """Add the first answers under new keys; forget the oldest requests without an event beyond their bound."""
    _add.run(connection, [(*one.key, *one[1:]) for one in answers])
    for channel, after in {(one.channel, one.after) for one in answers if one.after == one.offset}:
        connection.execute(_forget_unchanged, {"channel_": channel, "after_": after})
