"""A client's copy of a board, updated by states, single changes and JSON patches.

This implementation follows `docs/protocol.md` and is independent of the server's. It keeps the fields that
`received_events.STATE` selects, so that a client may change its exit and its delivery.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import jsonpatch
import orjson

from tests.equivalence.mapping import Json

__all__ = ["CHANGES", "Copy"]

#: Types of the envelopes that contain one change each.
CHANGES = ("card_created", "card_updated", "card_moved", "card_deleted", "columns_changed")
_CARD_FIELDS = ("title", "description", "updatedAt")
_OF_CARDS = 3


class Copy:
    """The copy of one client."""

    def __init__(self) -> None:
        """Begin empty; a state must come first."""
        self._state: Json = {}

    def text(self) -> str:
        """Return the canonical text of the board."""
        columns = [self._state["columns"][id] for id in self._state["columnOrder"]]
        shown = {
            "columns": [[column["id"], column["title"], column["cardIds"]] for column in columns],
            "cards": {id: [card.get(key) for key in _CARD_FIELDS] for id, card in self._state["cards"].items()},
        }
        return orjson.dumps(shown, option=orjson.OPT_SORT_KEYS).decode()

    def replace(self, state: Json) -> None:
        """Replace the copy with a whole state, in the raw shape or in GraphQL's."""
        columns, cards = state["columns"], state["cards"]
        if isinstance(columns, list):
            order = [column["id"] for column in columns]
            columns = {column["id"]: column for column in columns}
            cards = {card["id"]: card for card in cards}
        else:
            order = state["columnOrder"]
        self._state = {
            "columnOrder": list(order),
            "columns": {id: {key: one[key] for key in ("id", "title", "cardIds")} for id, one in columns.items()},
            "cards": {id: _tracked(card) for id, card in cards.items()},
        }

    def patch(self, operations: Iterable[Json]) -> None:
        """Apply a JSON Patch, except for operations on other fields of cards."""
        ours = [one for one in operations if _is_tracked(one["path"])]
        self._state = jsonpatch.apply_patch(self._state, ours)

    def change(self, type: str, change: Json) -> None:
        """Apply one change."""
        match type:
            case "card_created":
                self._state["cards"][change["card"]["id"]] = _tracked(change["card"])
                self._ids(change["columnId"]).insert(change["index"], change["card"]["id"])
            case "card_updated":
                card = self._state["cards"][change["cardId"]]
                card |= _tracked(change["set"])
                for key in change["unset"]:
                    card.pop(key, None)
            case "card_moved":
                self._take_out(change["fromColumnId"], change["fromIndex"], change["cardId"])
                self._ids(change["toColumnId"]).insert(change["toIndex"], change["cardId"])
                self._renew(
                    change, {change["fromColumnId"]: change["fromIndex"], change["toColumnId"]: change["toIndex"]}
                )
            case "card_deleted":
                self._take_out(change["columnId"], change["index"], change["cardId"])
                del self._state["cards"][change["cardId"]]
                self._renew(change, {change["columnId"]: change["index"]})
            case _:
                self._change_columns(change["columns"])

    def _ids(self, column_id: str) -> list[str]:
        ids: list[str] = self._state["columns"][column_id]["cardIds"]
        return ids

    def _take_out(self, column_id: str, index: int, card_id: str) -> None:
        taken = self._ids(column_id).pop(index)
        assert taken == card_id, f"expected {card_id} at {index} of {column_id}, got {taken}"

    def _renew(self, change: Json, begins: dict[str, int]) -> None:
        """Set the new `updatedAt` on every card whose index changed. `begins`: the first such index in each column."""
        if change.get("updatedAt") is None:
            return
        ends: dict[str, int] = {}
        if len(begins) == 1 and "toIndex" in change:
            first, last = sorted((change["fromIndex"], change["toIndex"]))
            begins, ends = {change["toColumnId"]: first}, {change["toColumnId"]: last + 1}
        for column_id, begin in begins.items():
            for card_id in self._ids(column_id)[begin : ends.get(column_id)]:
                self._state["cards"][card_id]["updatedAt"] = change["updatedAt"]

    def _change_columns(self, headings: list[Json]) -> None:
        old = self._state["columns"]
        ids = {one["id"]: old[one["id"]]["cardIds"] if one["id"] in old else [] for one in headings}
        left_out = [column for id, column in old.items() if id not in ids and column["cardIds"]]
        assert not left_out, f"columns that have cards are left out: {left_out}"
        self._state["columns"] = {one["id"]: {**_heading(one), "cardIds": ids[one["id"]]} for one in headings}
        self._state["columnOrder"] = list(ids)


def _tracked(card: Json) -> Json:
    return {key: card[key] for key in _CARD_FIELDS if card.get(key) is not None}


def _heading(column: Json) -> dict[str, Any]:
    return {"id": column["id"], "title": column["title"]}


def _is_tracked(path: str) -> bool:
    _, *tokens = path.split("/")
    return tokens[0] != "cards" or len(tokens) < _OF_CARDS or tokens[-1] in _CARD_FIELDS
