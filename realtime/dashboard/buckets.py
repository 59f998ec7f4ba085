"""Which column counts for what: the overview knows four kinds of columns, told by their titles."""

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
    """What the cards of a column count as."""

    BACKLOG = "backlog"
    IN_PROGRESS = "inProgress"
    REVIEW = "review"
    DONE = "done"


#: The first bucket of which a word occurs in the title wins. The blank after `pr` is meant: a column `PR` is none.
_WORDS = (
    (Bucket.REVIEW, ("review", "pr ")),
    (Bucket.IN_PROGRESS, ("progress", "doing", "active", "in dev", "in-development")),
    (Bucket.BACKLOG, ("backlog", "todo", "to-do", "to do", "ready")),
)


def bucket_of(title: str) -> Bucket:
    """Return the bucket of a column; a title that says nothing is work in progress, a blank one backlog."""
    name = trimmed(title).lower()
    if not name:
        return Bucket.BACKLOG
    if name == "done":
        return Bucket.DONE
    return next((bucket for bucket, words in _WORDS if any(word in name for word in words)), Bucket.IN_PROGRESS)


def is_done(title: str | None) -> bool:
    """Tell whether the inbox takes a card in that column for finished: `Done` or `Closed`, exactly."""
    return title is not None and _is_done(title)


# Asked for five hundred attempts in a row, of columns that have a few titles.
@bounded_cache(1024, max_chars=200, chars=len)
def _is_done(title: str) -> bool:
    return trimmed(title).lower() in {"done", "closed"}


def card_counts(columns: Iterable[ColumnCards]) -> dict[BoardId | None, Counter[Bucket]]:
    """Add the cards of each project up by bucket; under None those of the projects that are not shown."""
    counts: dict[BoardId | None, Counter[Bucket]] = {}
    for column in columns:
        counts.setdefault(column.project_id, Counter())[bucket_of(column.title)] += column.cards
    return counts
