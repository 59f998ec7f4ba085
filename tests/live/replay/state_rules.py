"""Rules between the consecutive states of one subscriber, derived from all recordings."""

from __future__ import annotations

from typing import Any

from tests.kit.matching import is_time
from tests.kit.recordings import Json

__all__ = ["StateRules"]


class StateRules:
    """Checks the states of one board in order.

    `updatedAt` changes exactly for the cards that changed, or that have another index or column. Cards are listed by
    their index, and cards of the same index by age.
    """

    def __init__(self) -> None:
        """Start before the first state."""
        self._before: Json | None = None

    def check(self, state: Json) -> None:
        """Assert the rules for the next state."""
        places = _places(state)
        indexes = [places[card_id][1] for card_id in state["cards"]]
        assert indexes == sorted(indexes), f"expected the cards by index, got {indexes}"
        for card in state["cards"].values():
            assert is_time(card["createdAt"])
            assert is_time(card["updatedAt"])
        if self._before is not None:
            self._check_times(self._before, state)
        self._before = state

    def _check_times(self, before: Json, state: Json) -> None:
        old_places, new_places = _places(before), _places(state)
        for card_id, card in state["cards"].items():
            old = before["cards"].get(card_id)
            if old is None or _without_time(old).get("dependsOn") != card.get("dependsOn"):
                continue  # new, or only its dependencies changed: the original does not change the time then
            changed = _without_time(old) != _without_time(card) or old_places[card_id] != new_places[card_id]
            moved_on = old["updatedAt"] != card["updatedAt"]
            assert moved_on == changed, f"updatedAt of {card['title']}: changed={changed}, moved on={moved_on}"


def _places(state: Json) -> dict[str, tuple[str, int]]:
    columns: dict[str, Any] = state["columns"]
    return {card: (key, index) for key, column in columns.items() for index, card in enumerate(column["cardIds"])}


def _without_time(card: Json) -> Json:
    return {key: value for key, value in card.items() if key != "updatedAt"}
