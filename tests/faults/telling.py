"""What an event says, in the same few words for all exits: enough to tell any two events of a run apart.

The shape of each event, field by field and exit by exit, is what `tests/equivalence` compares.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from tests.equivalence.mapping import MEMBERS, Json
from tests.equivalence.watched import order_of

__all__ = ["DOCUMENT", "STATE", "Place", "Told", "place_of", "said", "state_said", "told"]

#: Offset, part, offset of the global log; later in a board's stream is greater.
Place = tuple[int, int, int]
#: Type → what is compared of its payload.
_WORDS: Mapping[str, tuple[str, ...]] = {
    "hello": (),
    "attempt_started": ("attemptId", "cardId"),
    "attempt_status": ("attemptId", "status"),
    "attempt_log": ("attemptId", "level", "message"),
    "conversation_item": ("attemptId", "item.text"),
    "attempt_session": ("attemptId", "sessionId"),
    "attempt_todos": ("attemptId", "todos.total"),
    "git_status": (),
    "git_commit": ("attemptId", "shortSha", "subject"),
    "git_push": ("attemptId", "remote", "branch"),
    "attempt_pr": ("attemptId", "pr.number"),
    "agent_registered": ("agent", "label"),
    "gap": ("reason", "from", "to"),
    "goodbye": ("reason",),
}
_TYPES = {member: type for type, (member, _) in MEMBERS.items()}
#: Of a `BoardState`, what is compared.
STATE = "{ columns { id title cardIds } cards { id title description updatedAt } }"
_SELECTED = {"item.text": "item { ... on MessageItem { text } }"}


def _selection(type: str) -> str:
    fields = [_SELECTED.get(word) or word.replace(".", " { ") + " }" * word.count(".") for word in _WORDS.get(type, ())]
    return " ".join([*fields, f"state {STATE}" if type == "state" else ""])


#: Subscribes to every event, with what is compared of it.
DOCUMENT = (
    "subscription ($boardId: ID!, $after: String) { boardEvents(boardId: $boardId, after: $after) { __typename "
    + " ".join(f"... on {MEMBERS[type][0]} {{ cursor {_selection(type)} }}" for type in (*_WORDS, "state"))
    + " } }"
)


@dataclass(frozen=True)
class Told:
    """One event as a reader was told it."""

    type: str
    words: tuple[str, ...]
    cursor: str | None

    @property
    def place(self) -> Place:
        """Where it stands in the board's stream."""
        assert self.cursor is not None, f"expected a cursor in {self}"
        return place_of(self.cursor)


def place_of(cursor: str) -> Place:
    """Return the place that a cursor names."""
    return order_of(cursor)[1]


def told(event: Json) -> Told:
    """Return what any exit's event says."""
    if "__typename" in event:
        return _of_graphql(event)
    payload = event["payload"] or {}
    # A hello's cursor is in its payload, and the place where its reader stands: it is not one to come back to.
    cursor = payload["cursor"] if event["type"] == "hello" else event["cursor"]
    words = (state_said(payload),) if event["type"] == "state" else said(event["type"], payload)
    return Told(event["type"], words, cursor)


def said(type: str, payload: Json) -> tuple[str, ...]:
    """Return the words of a payload; words of closed sets are in capitals in GraphQL and not elsewhere."""
    return tuple(_word(payload, path) for path in _WORDS[type])


def state_said(state: Json) -> str:
    """Return the one spelling of a board, of its raw shape or of GraphQL's."""
    columns, cards = state["columns"], state["cards"]
    if isinstance(columns, dict):
        columns, cards = [columns[id] for id in state["columnOrder"]], list(cards.values())
    shown = {
        "columns": [[column["id"], column["title"], column["cardIds"]] for column in columns],
        "cards": {card["id"]: [card["title"], card.get("description"), card["updatedAt"]] for card in cards},
    }
    return orjson.dumps(shown, option=orjson.OPT_SORT_KEYS).decode()


def _of_graphql(event: Json) -> Told:
    type = _TYPES[event["__typename"]]
    words = (state_said(event["state"]),) if type == "state" else said(type, event)
    return Told(type, words, event["cursor"])


def _word(payload: Json, path: str) -> str:
    value: Any = payload
    for key in path.split("."):
        value = value.get(key)
    return str("" if value is None else value).lower()
