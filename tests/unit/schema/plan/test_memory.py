"""A card is encoded once for each selection, and its cache has a limit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import orjson

from realtime.kanban.ids import CardId
from realtime.kanban.models import Card
from schema.plan.memory import MOST_BYTES, remembered
from tests.unit.schema.plan.events import small_state


def card(**changes: Any) -> Card:
    """A new card without cached data."""
    return replace(small_state().cards[CardId("k3")], **changes)


def counted(seen: list[Any]) -> Callable[[Any], dict[str, Any]]:
    """Complete a card, and count that."""

    def complete(value: Any) -> dict[str, Any]:
        seen.append(value)
        return {"title": value.title}

    return complete


def test_card_is_encoded_once_for_all_that_select_the_same() -> None:
    seen: list[Any] = []
    same = card()
    found = [remembered("Card{title}", counted(seen))(same) for _ in range(3)]
    assert orjson.dumps(found) == b'[{"title":"third"},{"title":"third"},{"title":"third"}]'
    assert len(seen) == 1


def test_other_selection_is_another_encoding() -> None:
    seen: list[Any] = []
    same = card()
    for selection in ("Card{title}", "Card{x:title}", "Card{title}"):
        remembered(selection, counted(seen))(same)
    assert len(seen) == 2


def test_changed_card_is_encoded_anew() -> None:
    fragment = remembered("Card{title}", counted([]))
    before = card()
    fragment(before)
    assert orjson.dumps(fragment(replace(before, title="new"))) == b'{"title":"new"}'


def test_encoded_card_equals_one_that_is_not() -> None:
    encoded = card()
    remembered("Card{title}", counted([]))(encoded)
    assert encoded == card()
    assert hash(encoded) == hash(card())


def test_other_values_are_completed_each_time() -> None:
    seen: list[Any] = []
    value = SimpleNamespace(title="t")
    for _ in range(2):
        assert remembered("Card{title}", counted(seen))(value) == {"title": "t"}
    assert len(seen) == 2


def test_card_keeps_no_more_than_it_may() -> None:
    seen: list[Any] = []
    long = card(title="x" * (MOST_BYTES // 4))
    fragments = [remembered(f"Card{{{n}}}", counted(seen)) for n in range(4)]
    for fragment in (*fragments[:3], *fragments[:3]):
        fragment(long)
    assert len(seen) == 3
    fragments[3](long)  # too many: the earlier ones are forgotten
    fragments[3](long)
    assert len(seen) == 4
    assert [orjson.loads(orjson.dumps(fragment(long))) for fragment in fragments] == [{"title": long.title}] * 4
    assert len(seen) == 8


def test_card_that_is_too_long_is_not_kept() -> None:
    seen: list[Any] = []
    fragment = remembered("Card{title}", counted(seen))
    long = card(title="x" * MOST_BYTES)
    assert orjson.dumps(fragment(long)) == orjson.dumps(fragment(long))
    assert len(seen) == 2
