"""The four kinds of columns that the overview counts; the title of a column decides its kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

from realtime.caches import bounded_cache
from realtime.dashboard.rows import ColumnCards
from realtime.dashboard.text import trimmed
from realtime.kanban.ids import BoardId

__all__ = ["Bucket", "bucket_of", "card_counts", "is_done"]


class Bucket(StrEnum):
    """The kind of a column, under which its cards are counted."""

    BACKLOG = "backlog"
    IN_PROGRESS = "inProgress"
    REVIEW = "review"
    DONE = "done"


#: The first bucket with a word in the title wins. The blank after `pr` is intended: a column `PR` does not match.
_WORDS = (
    (Bucket.REVIEW, ("review", "pr ")),
    (Bucket.IN_PROGRESS, ("progress", "doing", "active", "in dev", "in-development")),
    (Bucket.BACKLOG, ("backlog", "todo", "to-do", "to do", "ready")),
)


def bucket_of(title: str) -> Bucket:
    """Return the bucket of a column's title: an unknown title is work in progress, a blank one is backlog."""
    name = trimmed(title).lower()
    if not name:
        return Bucket.BACKLOG
    if name == "done":
        return Bucket.DONE
    return next((bucket for bucket, words in _WORDS if any(word in name for word in words)), Bucket.IN_PROGRESS)


def is_done(title: str | None) -> bool:
    """Return whether the inbox counts a card in that column as finished: `Done` or `Closed`, in any case."""
    return title is not None and _is_done(title)


# Called for five hundred attempts in a row, whose columns have only a few titles.
@bounded_cache(1024, max_chars=200, chars=len)
def _is_done(title: str) -> bool:
    return trimmed(title).lower() in {"done", "closed"}


def card_counts(columns: Iterable[ColumnCards]) -> dict[BoardId | None, Counter[Bucket]]:
    """Return the number of cards of each project by bucket; the key None has the projects that are not shown."""
    counts: dict[BoardId | None, Counter[Bucket]] = {}
    for column in columns:
        counts.setdefault(column.project_id, Counter())[bucket_of(column.title)] += column.cards
    return counts
