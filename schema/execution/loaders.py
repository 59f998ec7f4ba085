"""Loaders: one query for all resolvers that ask for rows of one kind at the same moment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar

from strawberry.dataloader import DataLoader

from realtime.kanban.ids import BoardId
from realtime.kanban.models import Card, Project
from realtime.ports import Attempt, AttemptKey, CardKey, LogEntry, Page, StoredBoard
from realtime.service import Caller, Service

__all__ = ["Loaders", "PageKey"]

#: Most keys of one query. SQLite allows 32,766 parameters, and a card or an attempt needs two.
MAX_KEYS = 10_000
_K = TypeVar("_K")
_T = TypeVar("_T")


class PageKey(NamedTuple):
    """A page of the log or the conversation of an attempt."""

    attempt: AttemptKey
    #: Offset after which the page begins; 0 = the first page.
    after: int
    #: Most entries of it.
    first: int


class Loaders:
    """One loader for each kind of row; a row that does not exist is None.

    A loader reads each key once and caches the row, so it must not live longer than one query, or one event of a
    subscription. `keep=False` reads each time: for mutations, whose fields change the rows.
    """

    def __init__(self, service: Service, caller: Caller, *, keep: bool = True) -> None:
        """Read from `service` for `caller`, only when a key is asked for."""
        boards, projects, attempts = service.boards, service.projects, service.attempts
        logs, items = partial(attempts.log_pages, caller), partial(attempts.conversation_pages, caller)
        self.project: DataLoader[BoardId, Project | None] = _loader(partial(projects.by_id, caller), keep)
        self.board: DataLoader[BoardId, StoredBoard | None] = _loader(partial(boards.by_id, caller), keep)
        self.board_of_tag: DataLoader[str, BoardId | None] = _loader(partial(boards.by_tag, caller), keep)
        self.card: DataLoader[CardKey, Card | None] = _loader(partial(boards.cards_by_key, caller), keep)
        self.attempt: DataLoader[AttemptKey, Attempt | None] = _loader(partial(attempts.by_key, caller), keep)
        self.attempts_of_card: DataLoader[CardKey, Sequence[Attempt] | None] = _loader(
            partial(attempts.of_cards, caller), keep
        )
        self.logs: DataLoader[PageKey, Page[LogEntry] | None] = _loader(_paged(logs), keep)
        self.conversation: DataLoader[PageKey, Page[dict[str, Any]] | None] = _loader(_paged(items), keep)
        self.todos: DataLoader[AttemptKey, dict[str, Any] | None] = _loader(
            partial(attempts.todos_by_key, caller), keep
        )


def _loader(read: Callable[[Collection[_K]], Awaitable[Mapping[_K, _T]]], keep: bool) -> DataLoader[_K, _T | None]:
    async def load(keys: list[_K]) -> list[_T | None]:
        """Return the values in the order of `keys`, None for each key that `read` leaves out."""
        found = await read(dict.fromkeys(keys))
        return [found.get(key) for key in keys]

    return DataLoader(load, max_batch_size=MAX_KEYS, cache=keep)


def _paged(
    read: Callable[[Collection[AttemptKey], int, int], Awaitable[Mapping[AttemptKey, Page[_T]]]],
) -> Callable[[Collection[PageKey]], Awaitable[Mapping[PageKey, Page[_T]]]]:
    """Read pages with the same place and length by one query."""

    async def pages(keys: Collection[PageKey]) -> Mapping[PageKey, Page[_T]]:
        """Return the page of each key; keys of the same place and length share a query."""
        alike: defaultdict[tuple[int, int], list[AttemptKey]] = defaultdict(list)
        for attempt, after, first in keys:
            alike[after, first].append(attempt)
        found: dict[PageKey, Page[_T]] = {}
        for (after, first), attempts in alike.items():
            for attempt, page in (await read(attempts, after, first)).items():
                found[PageKey(attempt, after, first)] = page
        return found

    return pages
