"""The cards of a state, of which those that a move displaced get their new time only when somebody looks at them."""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, Mapping, ValuesView
from datetime import datetime
from itertools import repeat

import orjson

from realtime.kanban.ids import CardId
from realtime.kanban.models import Card

__all__ = ["Cards"]

#: Keys, quotes, flags and times of a card on the wire.
FIXED_BYTES = 230


class Cards(Mapping[CardId, Card]):
    """Cards by id, in order of creation; equal to any mapping of equal cards, and never changed, in no thread.

    A move to the top of a column renews each card below, in the original and so here. What that costs is a dictionary
    of times, 50 µs for 2,000 cards, where as many new cards take 12 ms (measured). A state is written from `bare`
    and `updated_at` (`wire`, `canonical`), so most of them are never made.
    """

    __slots__ = ("_all_made", "_cards", "_size", "_times")

    def __init__(self, cards: Mapping[CardId, Card], times: Mapping[CardId, datetime] | None = None) -> None:
        """Take `cards`, which nobody may change; where `times` names one, that is its `updated_at`, not its own."""
        self._cards = cards
        # Never taken back: another thread may stand between looking up a card and its time.
        self._times = times or {}
        self._all_made = not self._times
        #: The `size_bytes`, None as long as nobody asked.
        self._size: int | None = None

    @classmethod
    def of(cls, cards: Mapping[CardId, Card]) -> Cards:
        """Return `cards` as they are, or such a mapping of them."""
        return cards if isinstance(cards, Cards) else cls(cards)

    @property
    def bare(self) -> Mapping[CardId, Card]:
        """The cards, right but for their `updated_at`: for whoever does not look at that."""
        return self._cards

    def updated_at(self, card_id: CardId) -> datetime:
        """Return the time of a card, without making it."""
        return self._times.get(card_id) or self._cards[card_id].updated_at

    def put(self, card: Card) -> Cards:
        """Return these cards with `card` in the place of the one of its id, or behind all."""
        times = self._known_times()
        if times.get(card.id, card.updated_at) != card.updated_at:
            times = {**times, card.id: card.updated_at}
        return self._sized(Cards({**self._cards, card.id: card}, times), self._cards.get(card.id), card)

    def remove(self, card_id: CardId) -> Cards:
        """Return these cards without one.

        Raises:
            KeyError: there is no such card.
        """
        times = dict(self._known_times())
        times.pop(card_id, None)
        cards = dict(self._cards)
        gone = cards.pop(card_id)
        return self._sized(Cards(cards, times), gone, None)

    def renew(self, card_ids: Iterable[CardId], at: datetime) -> Cards:
        """Return these cards, of which some were updated at `at`."""
        times = dict(self._known_times())
        times.update(zip(card_ids, repeat(at)))
        renewed = Cards(self._cards, times)
        renewed._size = self._size
        return renewed

    @property
    def size_bytes(self) -> int:
        """About how many bytes the cards have on the wire. Cards that follow from these count only what is new."""
        if self._size is None:
            self._size = sum(map(_bytes, self._cards.values()))
        return self._size

    def __getitem__(self, card_id: CardId) -> Card:
        """Return a card; whoever asks again gets the same."""
        card, at = self._cards[card_id], self._times.get(card_id)
        return card if at is None or card.updated_at == at else card.renewed(at)

    def __iter__(self) -> Iterator[CardId]:
        """Go through the ids."""
        return iter(self._cards)

    def __len__(self) -> int:
        """How many cards there are."""
        return len(self._cards)

    def __contains__(self, card_id: object) -> bool:
        """Tell whether there is such a card."""
        return card_id in self._cards

    def __repr__(self) -> str:
        """Show the cards."""
        return f"Cards({dict(self.items())!r})"

    def values(self) -> ValuesView[Card]:
        """Return all cards, made."""
        return self._make().values()

    def items(self) -> ItemsView[CardId, Card]:
        """Return all cards by id, made."""
        return self._make().items()

    def _make(self) -> Mapping[CardId, Card]:
        if not self._all_made:
            self._cards = {card_id: self[card_id] for card_id in self._cards}
            self._all_made = True  # behind the cards: whoever sees it, sees them
        return self._cards

    def _sized(self, following: Cards, gone: Card | None, new: Card | None) -> Cards:
        if self._size is not None:
            following._size = self._size - (_bytes(gone) if gone else 0) + (_bytes(new) if new else 0)
        return following

    def _known_times(self) -> Mapping[CardId, datetime]:
        """Return the times that cards of these which follow have to be told."""
        return {} if self._all_made else self._times


def _bytes(card: Card) -> int:
    issue = card.github_issue.url if card.github_issue else None
    # Its id is the key, a value, and an entry of its column. Keys without a value are absent.
    texts = (card.id, card.id, card.id, card.title, card.description, card.ticket_key, card.pr_url, issue)
    return FIXED_BYTES + len(orjson.dumps(([text for text in texts if text is not None], card.depends_on)))
