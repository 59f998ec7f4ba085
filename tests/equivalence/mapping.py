"""The mapping from an envelope of the raw exits to the JSON of GraphQL's full document.

It follows docs/protocol.md and the SDL, from the client's side. The server has its own mapping, and the tests compare
the two. In words:

| raw | GraphQL |
| --- | --- |
| `type` | the name of the union's member (`MEMBERS`) |
| a key that is absent | `null` (an empty list for `dependsOn` and `images`) |
| an enum value, `feat` | the same in capitals, `FEAT` |
| a time, as its sender wrote it | the same instant in UTC, with milliseconds and `Z` |
| `attemptId: ""` | `null` |
| columns and cards by id, `columnOrder` | lists: columns from left to right, cards in order of creation |
| `id` of a card, a column, a todo, a conversation item | `cardId`, `columnId`, `todoKey`, `itemKey` |
| a conversation item's `type` | the name of the item's type |
| the second and third number of a cursor, `7.2` | `offset: 7`, `part: 2` |
| `agent` | `agentKey` |
| keys that docs/protocol.md does not name | nothing, except in `metadata` and `details` |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

__all__ = ["ITEM_TYPES", "MEMBERS", "Json", "card_shape", "graphql_event", "instant", "state_shape"]

Json = dict[str, Any]
_Convert = Callable[[Any], Any]
#: Field of the GraphQL type → the conversion of the raw value.
_Fields = Mapping[str, _Convert]
#: Name of a field of GraphQL → its name on the raw exits, where they differ.
_RAW_NAMES = {"agentKey": "agent"}


def _same(value: Any) -> Any:
    return value


def _word(value: str | None) -> str | None:
    return None if value is None else value.upper()


def instant(value: str | None) -> str | None:
    """Return a time in UTC with milliseconds and `Z`.

    The server sends every time in this form, except those that it sends as their sender wrote them.
    """
    if value is None:
        return None
    utc = datetime.fromisoformat(value).astimezone(UTC)
    return utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _unless_empty(value: str | None) -> str | None:
    return value or None


def _shape(fields: _Fields) -> Callable[[Json], Json]:
    return lambda raw: {name: convert(raw.get(_RAW_NAMES.get(name, name))) for name, convert in fields.items()}


def _optional(shape: Callable[[Json], Json]) -> _Convert:
    return lambda raw: None if raw is None else shape(raw)


def _each(shape: Callable[[Json], Json]) -> _Convert:
    return lambda raws: [shape(raw) for raw in raws or ()]


_RUN: _Fields = {
    **dict.fromkeys(("command", "cwd", "durationMs", "exitCode", "stdout", "stderr", "metadata"), _same),
    **dict.fromkeys(("startedAt", "completedAt"), instant),
}
_COMMON: _Fields = {"itemKey": _same, "timestamp": instant}
_IMAGE = _shape(dict.fromkeys(("data", "mime", "name"), _same))
_TOOL = _shape({**_RUN, "name": _same, "action": _same, "status": _word})

#: `type` of a raw conversation item → name and fields of the GraphQL type.
ITEM_TYPES: Mapping[str, tuple[str, _Fields]] = {
    "message": (
        "MessageItem",
        {**_COMMON, "role": _word, "text": _same, "format": _word, "profileId": _same, "images": _each(_IMAGE)},
    ),
    "thinking": ("ThinkingItem", {**_COMMON, "title": _same, "text": _same, "format": _word}),
    "tool": ("ToolItem", {**_COMMON, "tool": _TOOL}),
    "error": ("ErrorItem", {**_COMMON, "text": _same, "details": _same}),
    "automation": (
        "AutomationItem",
        {**_COMMON, **_RUN, "stage": _word, "status": _word, "allowedFailure": _same},
    ),
}


def _item(raw: Json) -> Json:
    name, fields = ITEM_TYPES[raw["type"]]
    return {"__typename": name, **_shape(fields)({**raw, "itemKey": raw.get("id")})}


def _todo(raw: Json) -> Json:
    return {"todoKey": raw["id"], "text": raw["text"], "status": _word(raw["status"])}


_TODOS = _shape({"total": _same, "completed": _same, "items": _each(_todo)})
_PULL_REQUEST = _shape(
    {
        **dict.fromkeys(("number", "url", "state", "draft", "title", "headRef", "baseRef", "merged"), _same),
        **dict.fromkeys(("createdAt", "updatedAt"), instant),
    }
)
_ISSUE = _shape({"issueNumber": _same, "url": _same})
_CARD = _shape(
    {
        **dict.fromkeys(("ticketKey", "title", "description", "isEnhanced", "prUrl"), _same),
        "disableAutoCloseOnPRMerge": _same,
        "ticketType": _word,
        "githubIssue": _optional(_ISSUE),
        "dependsOn": lambda ids: ids or [],
        "createdAt": instant,
        "updatedAt": instant,
    }
)


def card_shape(raw: Json, column_id: str) -> Json:
    """Return a card. In GraphQL a card has the id of its column."""
    return {"cardId": raw["id"], **_CARD(raw), "columnId": column_id}


def _column(raw: Json) -> Json:
    cards = [{"cardId": card_id} for card_id in raw["cardIds"]]
    return {"columnId": raw["id"], "title": raw["title"], "cardIds": raw["cardIds"], "cards": cards}


def state_shape(raw: Json, created: list[str], cursor: str) -> Json:
    """Return a BoardState, whose columns contain the ids of the cards.

    `created` are the ids of the cards in order of creation, which raw states do not contain.
    """
    columns = [raw["columns"][column_id] for column_id in raw["columnOrder"]]
    home = {card_id: column["id"] for column in columns for card_id in column["cardIds"]}
    cards = {card_id: card_shape(raw["cards"][card_id], home[card_id]) for card_id in created}
    return {
        "cursor": cursor,
        "offset": _position(cursor)["offset"],
        "columnOrder": raw["columnOrder"],
        "columns": [_column(column) for column in columns],
        "cards": list(cards.values()),
    }


_OF_ATTEMPT: _Fields = {"attemptId": _unless_empty}
#: `type` of a raw envelope → name of the union's member and its fields in addition to `cursor`.
MEMBERS: Mapping[str, tuple[str, _Fields]] = {
    "hello": ("Hello", {"serverTime": instant, "heartbeatSeconds": _same}),
    "state": ("State", {"state": _same}),
    "attempt_started": ("AttemptStarted", {**_OF_ATTEMPT, "cardId": _same}),
    "attempt_status": ("AttemptStatusChanged", {**_OF_ATTEMPT, "cardId": _same, "status": _word}),
    "attempt_log": ("AttemptLogAppended", {**_OF_ATTEMPT, "level": _word, "message": _same, "ts": instant}),
    "conversation_item": ("ConversationItemAppended", {**_OF_ATTEMPT, "item": _item}),
    "attempt_session": ("AttemptSessionRecorded", {**_OF_ATTEMPT, "sessionId": _same}),
    "attempt_todos": ("AttemptTodosUpdated", {**_OF_ATTEMPT, "todos": _TODOS}),
    "git_status": ("GitStatusChanged", {}),
    "git_commit": ("GitCommitCreated", {**_OF_ATTEMPT, "shortSha": _same, "subject": _same, "ts": instant}),
    "git_push": ("GitPushCompleted", {**_OF_ATTEMPT, "remote": _same, "branch": _same, "ts": instant}),
    "attempt_pr": ("PullRequestOpened", {**_OF_ATTEMPT, "pr": _PULL_REQUEST}),
    "agent_profile": ("AgentProfileChanged", {"kind": _word, "profileId": _same, "agentKey": _same, "label": _same}),
    "agent_registered": ("AgentRegistered", {"agentKey": _same, "label": _same}),
    "access": ("Access", {"expiresAt": instant}),
    "gap": ("Gap", {"reason": _word, "from": _same, "to": _same}),
    "goodbye": ("Goodbye", {"reason": _word, "reconnectAfterMs": _same}),
}


def graphql_event(type: str, payload: Any, cursor: str | None, created: list[str]) -> Json:
    """Return the member of `BoardEvent` for a raw envelope; `created` as in `state_shape`.

    The raw exits have the cursor of `hello` in its payload. GraphQL has it in the same field as all others.
    """
    name, fields = MEMBERS[type]
    shown = payload or {}
    if type == "state":
        shown = {"state": state_shape(payload, created, cursor or "")}
    cursor = shown.get("cursor", cursor) if type == "hello" else cursor
    return {"__typename": name, **_position(cursor), **_shape(fields)(shown)}


def _position(cursor: str | None) -> Json:
    """Return the fields of `StreamEvent`; none for an event without a cursor."""
    if cursor is None:
        return {}
    offset, _, part = cursor.split("-")[2].partition(".")
    return {"cursor": cursor, "offset": int(offset), "part": int(part or 0)}
