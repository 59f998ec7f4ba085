"""A client's copy of a board in plain dictionaries, as `docs/protocol.md` describes it: the oracle of all deliveries.

It shares no code with the server: it folds changes itself, `jsonpatch` applies the patches, and it has its own
canonical form.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from jsonpatch import apply_patch

__all__ = ["BoardCopy", "canonical", "fold"]

Json = dict[str, Any]


class BoardCopy:
    """The state after all envelopes so far; None before the first `state`."""

    def __init__(self) -> None:
        self.state: Any = None

    def apply(self, type: str, payload: Any) -> None:
        """Apply an envelope. One that does not concern the state changes nothing."""
        if type == "state":
            self.state = json.loads(json.dumps(payload))
        elif type == "patch":
            self.state = apply_patch(self.state, payload)
        elif type in _FOLDS:
            fold(self.state, type, payload)

    @property
    def hash(self) -> str:
        """The hash that a heartbeat must contain."""
        return hashlib.sha256(canonical(self.state).encode()).hexdigest()


def fold(state: Json, type: str, change: Json) -> None:
    """Apply an envelope of the delivery `changes` to a state, in place."""
    _FOLDS[type](state, change)


def _created(state: Json, change: Json) -> None:
    card = json.loads(json.dumps(change["card"]))
    assert card["id"] not in state["cards"]
    state["cards"][card["id"]] = card
    state["columns"][change["columnId"]]["cardIds"].insert(change["index"], card["id"])


def _updated(state: Json, change: Json) -> None:
    card = state["cards"][change["cardId"]]
    card.update(change["set"])
    for key in change["unset"]:
        card.pop(key, None)


def _moved(state: Json, change: Json) -> None:
    before = _places(state)
    assert state["columns"][change["fromColumnId"]]["cardIds"].pop(change["fromIndex"]) == change["cardId"]
    state["columns"][change["toColumnId"]]["cardIds"].insert(change["toIndex"], change["cardId"])
    _renew(state, before, change)


def _deleted(state: Json, change: Json) -> None:
    before = _places(state)
    assert state["columns"][change["columnId"]]["cardIds"].pop(change["index"]) == change["cardId"]
    del state["cards"][change["cardId"]]
    _renew(state, before, change)


def _renew(state: Json, before: dict[str, tuple[str, int]], change: Json) -> None:
    if "updatedAt" in change:
        for card_id, place in _places(state).items():
            if before[card_id] != place:
                state["cards"][card_id]["updatedAt"] = change["updatedAt"]


def _places(state: Json) -> dict[str, tuple[str, int]]:
    columns = state["columns"].values()
    return {card_id: (column["id"], n) for column in columns for n, card_id in enumerate(column["cardIds"])}


def _columns(state: Json, change: Json) -> None:
    old = state["columns"]
    state["columnOrder"] = [column["id"] for column in change["columns"]]
    for gone in old.keys() - set(state["columnOrder"]):
        assert not old[gone]["cardIds"], "a column with cards is left out"
    state["columns"] = {
        column["id"]: {**column, "cardIds": old[column["id"]]["cardIds"] if column["id"] in old else []}
        for column in change["columns"]
    }


_FOLDS = {
    "card_created": _created,
    "card_updated": _updated,
    "card_moved": _moved,
    "card_deleted": _deleted,
    "columns_changed": _columns,
}


def canonical(value: Any) -> str:
    """Return JSON as RFC 8785 writes it, for the values of a state: no fractions, no number of 1e21 and more."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return "{" + ",".join(f"{json.dumps(key, ensure_ascii=False)}:{canonical(value[key])}" for key in keys) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**53:
        return _as_double(value)
    return json.dumps(value, ensure_ascii=False)


def _as_double(number: int) -> str:
    """Return the double next to an integer as ECMAScript writes it: its shortest unique digits, then zeros."""
    double = float(number)
    digits = next(f"{double:.{n}e}" for n in range(17) if float(f"{double:.{n}e}") == double)
    mantissa, exponent = digits.split("e")
    return mantissa.replace(".", "").ljust(int(exponent) + 1, "0")
