"""Random domain events of all names, for the objects that exist on a board, in the ingest's form."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, NamedTuple

from hypothesis import strategies as st

from tests.equivalence.mapping import instant
from tests.equivalence.model import BoardModel, Json
from tests.unit.realtime.event_samples import ITEMS, PR, SAMPLES, TODOS

__all__ = ["NAMES", "TEXTS", "Figures", "event_of", "figures", "marked", "names"]

#: All names except `project.deleted`, which ends the streams and is a step of its own.
NAMES = tuple(name for name in SAMPLES if name != "project.deleted")
#: Events that change a board, or that subscribers receive, are more frequent than others.
_FREQUENT = tuple(
    name for name in NAMES if name.startswith(("attempt.", "git.", "github.pr.created", "agent.", "board.state"))
)
_STATUSES = ("queued", "running", "stopping", "succeeded", "failed", "stopped")
_TIMES = ("2025-01-02T03:04:05.678Z", "2025-01-02T04:04:05.5+01:00", "2026-02-28T23:59:59Z", "2031-01-01T00:00:00.001Z")
#: Texts that are difficult for a framing: line ends, protocol delimiters, text beyond ASCII, control characters.
TEXTS = (
    "plain",
    "",
    "a\nb\r\nc\r",
    "ünïcödé 🚀 \u2028\u2029",
    '"quoted\\" \x00\x1f\x7f',
    "\r\n--graphql--\r\n",
    "\n\nevent: complete\ndata: {}\n\n",
    "---\r\n\r\n{}",
    "x" * 3000,
)
_DROPPABLE = {
    "message": ("id", "format", "profileId", "images"),
    "thinking": ("title", "format"),
    "tool": ("id",),
    "error": ("details",),
    "automation": ("command", "metadata", "exitCode", "durationMs", "allowedFailure"),
}
_PR_OPTIONAL = ("title", "headRef", "baseRef", "createdAt", "updatedAt", "merged")


class Figures(NamedTuple):
    """Random numbers that choose among the existing objects."""

    a: int
    b: int
    c: int


def marked(text: str, board_id: str) -> str:
    """Return a text with the id of its board, so that a test finds the texts of one board on the wire."""
    return f"{text.rstrip(' ')}{board_id}{text[len(text.rstrip(' ')) :]}" if text.strip() else text


def figures() -> st.SearchStrategy[Figures]:
    """Return the numbers of one event or command."""
    return st.integers(0, 719).map(lambda n: Figures(n % 8, n // 8 % 9, n // 72))


def names() -> st.SearchStrategy[str]:
    """Return names of events."""
    return st.sampled_from((*NAMES, *_FREQUENT, *_FREQUENT))


def event_of(name: str, board: BoardModel, chosen: Figures, now: str) -> tuple[Json, str]:
    """Return an event and its time, which is now unless the event contains another."""
    payload = deepcopy(SAMPLES[name])
    cards = [*board.cards, "unknown"]
    for key, value in (
        ("boardId", board.id),
        ("projectId", board.id),
        ("cardId", cards[chosen.a % len(cards)]),
        ("attemptId", f"{board.id}-a{chosen.b % 4}"),
        ("ts", _TIMES[chosen.c % len(_TIMES)]),
    ):
        if key in payload:
            payload[key] = value
    payload |= _details(name, board, chosen)
    if name.startswith(("git.", "github.pr.created")) and chosen.a % 4 == 0:
        payload.pop("attemptId", None)
    if name.startswith("editor.") and chosen.a % 2:
        payload.pop("projectId", None)
    at = _TIMES[chosen.c] if chosen.c < len(_TIMES) else None
    return {"name": name, "payload": payload, **({"at": at} if at else {})}, instant(at) or now


def _details(name: str, board: BoardModel, chosen: Figures) -> Json:
    text = marked(TEXTS[chosen.c % len(TEXTS)], board.id)
    match name:
        case "attempt.status.changed" | "attempt.completed":
            return {"status": _STATUSES[chosen.c % len(_STATUSES)]}
        case "attempt.log.appended":
            level = ("info", "warn", "error")[chosen.b % 3]
            return {"level": level, "message": text, **({"ts": None} if chosen.a % 3 == 0 else {})}
        case "attempt.conversation.appended":
            return {"item": _item(chosen, text)}
        case "attempt.todos.updated":
            return {"todos": {**TODOS, "total": chosen.b * 10**12, "items": [] if chosen.a % 2 else TODOS["items"]}}
        case "git.commit.created":
            return {"shortSha": "" if chosen.b % 3 else "abc1234", "subject": text}
        case "git.push.completed":
            return {"branch": text}
        case "github.pr.created":
            fields = {key: value for key, value in PR.items() if chosen.a % 2 or key not in _PR_OPTIONAL}
            return {"pr": {**fields, "url": f"https://github.com/o/r/pull/{chosen.b % 3}", "unknown": text}}
        case _:
            return _rare_details(name, board, chosen)


def _rare_details(name: str, board: BoardModel, chosen: Figures) -> Json:
    text = TEXTS[chosen.c % len(TEXTS)]  # agents belong to no board
    match name:
        case "agent.profile.changed":
            kind = ("created", "updated", "deleted")[chosen.c % 3]
            return {"kind": kind, "profileId": f"ap-{chosen.a}", "label": text[:40] if chosen.b % 2 else None}
        case "agent.registered":
            return {"agent": f"AGENT-{chosen.a}", "label": text[:40]}
        case "project.updated":
            return {"changes": {"name": marked(f"Renamed {chosen.c}", board.id)}}
        case "board.state.changed":
            return {"state": _state(board, chosen, marked(text, board.id))}
        case _:
            return {}


def _item(chosen: Figures, text: str) -> Json:
    kind = list(ITEMS)[chosen.a % len(ITEMS)]
    item: dict[str, Any] = deepcopy(ITEMS[kind])
    if chosen.b % 2:
        item = {key: value for key, value in item.items() if key not in _DROPPABLE[kind]}
    if "text" in item:
        item["text"] = text
    if kind == "tool" and chosen.b % 3 == 0:
        item["tool"] = {"name": text, "status": "running"}
    return {**item, "timestamp": _TIMES[chosen.c % len(_TIMES)]}


def _state(board: BoardModel, chosen: Figures, text: str) -> Json:
    """Return the state of the board with another column, another card or one card fewer, and another order."""
    state = board.state()
    order: list[str] = state["columnOrder"]
    if chosen.c % 3 == 0:
        card_ids = state["columns"].get("extra", {"cardIds": []})["cardIds"]
        state["columns"]["extra"] = {"id": "extra", "title": " in PROGRESS ", "cardIds": card_ids}
        order = [*(one for one in order if one != "extra"), "extra"]
    turned = [*order[chosen.a % len(order) :], *order[: chosen.a % len(order)]]
    column = state["columns"][turned[0]]
    column["cardIds"].reverse()
    new = f"new-{chosen.b % 4}"
    if new not in state["cards"]:
        column["cardIds"].insert(0, new)
        state["cards"][new] = _card(new, marked(" from outside ", board.id), chosen, text)
    elif column["cardIds"]:
        _drop(state, column["cardIds"].pop())
    return {**state, "columnOrder": turned}


def _card(id: str, title: str, chosen: Figures, text: str) -> Json:
    card: Json = {"id": id, "title": title, "unknown": 1}
    if chosen.a % 2:
        issue = {"issueNumber": 2**53 - 1, "url": "https://h/i"}
        card |= {"ticketKey": f"X-{chosen.b}", "ticketType": "ci", "githubIssue": issue, "isEnhanced": True}
    if chosen.b % 2:
        card |= {"description": text, "createdAt": _TIMES[chosen.a % 4], "updatedAt": _TIMES[chosen.b % 4]}
    return card


def _drop(state: Json, card_id: str) -> None:
    del state["cards"][card_id]
    for card in state["cards"].values():
        card["dependsOn"] = [one for one in card.get("dependsOn", ()) if one != card_id]
