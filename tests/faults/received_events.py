"""Reduces an event of any exit to a few words, enough to distinguish any two events of a run.

`tests/equivalence` compares the shape of each event, field by field and exit by exit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.equivalence.mapping import MEMBERS, Json
from tests.equivalence.watched import order_of
from tests.faults.copies import CHANGES, Copy

__all__ = ["DOCUMENTS", "STATE", "Place", "Received", "compared_words", "place_of", "received", "state_text"]

#: Offset, part, offset of the global log. A later event of a board's stream has a greater place.
Place = tuple[int, int, int]
#: Type → the fields of its payload that are compared.
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
    "heartbeat": (),
    "overview": (),
}
#: The fields of a `BoardState` that are compared.
_CARD = "id: cardId title description updatedAt"
STATE = "{ columns { id: columnId title cardIds } cards { id: cardId title description updatedAt } }"
_SELECTED = {"item.text": "item { ... on MessageItem { text } }", "agent": "agent: agentKey"}
_CHANGES = {
    "CardCreated": f"index card {{ columnId {_CARD} }}",
    "CardUpdated": f"fields card {{ {_CARD} }}",
    "CardMoved": "fromIndex toIndex updatedAt card { id: cardId } fromColumn { columnId } toColumn { columnId }",
    "CardDeleted": "index updatedAt card { id: cardId } column { columnId }",
    "ColumnsChanged": "state { columns { id: columnId title } }",
}
_TYPES = {member: type for type, (member, _) in MEMBERS.items()} | dict(zip(_CHANGES, CHANGES, strict=True))
_TYPES |= {"Heartbeat": "heartbeat", "Overview": "overview"}
_FIELDS = {"TITLE": "title", "DESCRIPTION": "description", "UPDATED_AT": "updatedAt"}


def _member(type: str) -> str:
    fields = [_SELECTED.get(word) or word.replace(".", " { ") + " }" * word.count(".") for word in _WORDS.get(type, ())]
    fields += ["state", STATE] if type == "state" else []
    fields += [] if type in {"gap", "goodbye"} else ["cursor"]
    return f"... on {MEMBERS[type][0]} {{ {' '.join(fields)} }}"


def _document(field: str, members: list[str]) -> str:
    names = " ".join(["__typename", *members])
    return f"subscription ($boardId: ID!, $after: String) {{ {field}(boardId: $boardId, after: $after) {{ {names} }} }}"


#: Subscriptions that select the compared fields of each event.
DOCUMENTS = {
    "boardEvents": _document("boardEvents", [_member(type) for type in (*_WORDS, "state") if type in MEMBERS]),
    "boardChanges": _document(
        "boardChanges",
        [
            *(_member(type) for type in ("hello", "state", "gap", "goodbye")),
            *(f"... on {member} {{ cursor {fields} }}" for member, fields in _CHANGES.items()),
        ],
    ),
    "dashboardEvents": (
        "subscription ($after: String) { dashboardEvents(after: $after) { __typename ... on Overview { cursor } "
        + " ".join(_member(type) for type in ("hello", "agent_registered", "gap", "goodbye"))
        + " } }"
    ),
    "boardState": f"subscription ($boardId: ID!) {{ boardState(boardId: $boardId) {{ __typename cursor {STATE[1:]} }}",
}


@dataclass(frozen=True)
class Received:
    """One event as a client received it.

    Every change of the board is a `state`, and its words are the client's copy after the change. A `part` is one of
    several changes of one event, and not the last one. An `overview` has no words, because each one is computed anew.
    """

    type: str
    words: tuple[str, ...]
    cursor: str | None

    @property
    def place(self) -> Place:
        """The place in the board's stream."""
        assert self.cursor is not None, f"expected a cursor in {self}"
        return place_of(self.cursor)


def place_of(cursor: str) -> Place:
    """Return the place that a cursor names."""
    return order_of(cursor)[1]


def received(event: Json, copy: Copy) -> Received:
    """Reduce an event of any exit. A change of the board is applied to `copy`."""
    if "__typename" in event:
        type, cursor = _TYPES.get(event["__typename"], "state"), event.get("cursor")
        state, payload = event.get("state", event), _as_raw(type, event)
    else:
        type, payload, cursor = event["type"].removeprefix("dashboard_"), event["payload"] or {}, event["cursor"]
        state = payload
        # The payload of `hello` contains a cursor: the position of the client. It is not a cursor to reconnect with.
        cursor = payload["cursor"] if type == "hello" else cursor
    if type == "state":
        copy.replace(state)
    elif type == "patch":
        copy.patch(event["payload"])
    elif type in CHANGES:
        copy.change(type, payload)
    else:
        return Received(type, compared_words(type, payload), cursor)
    assert cursor is not None, f"expected a cursor in {event}"
    return Received("part" if place_of(cursor)[1] else "state", (copy.text(),), cursor)


def compared_words(type: str, payload: Json) -> tuple[str, ...]:
    """Return the compared words of a payload, in lower case.

    GraphQL writes enum values in capitals, and the other exits do not.
    """
    return tuple(_word(payload, path) for path in _WORDS[type])


def state_text(state: Json) -> str:
    """Return the canonical text of a board, from its raw shape or from GraphQL's."""
    copy = Copy()
    copy.replace(state)
    return copy.text()


def _as_raw(type: str, event: Json) -> Json:
    """Return the payload of a raw envelope for a change of GraphQL; other events stay as they are."""
    match type:
        case "card_created":
            return {"columnId": event["card"]["columnId"], **event}
        case "card_updated":
            new = {_FIELDS[name]: event["card"][_FIELDS[name]] for name in event["fields"] if name in _FIELDS}
            unset = [name for name, value in new.items() if value is None]
            return {"cardId": event["card"]["id"], "set": new, "unset": unset}
        case "card_moved":
            columns = {"fromColumnId": event["fromColumn"]["columnId"], "toColumnId": event["toColumn"]["columnId"]}
            return {"cardId": event["card"]["id"], **columns, **event}
        case "card_deleted":
            return {"cardId": event["card"]["id"], "columnId": event["column"]["columnId"], **event}
        case "columns_changed":
            return {"columns": event["state"]["columns"]}
        case _:
            return event


def _word(payload: Json, path: str) -> str:
    value: Any = payload
    for key in path.split("."):
        value = value.get(key)
    return str("" if value is None else value).lower()
