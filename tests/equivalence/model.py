"""The expected state of a board and the expected envelopes, in plain JSON, from docs/protocol.md and docs/ingest.md.

This is the oracle of the equivalence machine, and it shares no code with `realtime`. Cards are dictionaries as on the
wire. The module implements the effects of events a second time; `commands` does the same for commands.
"""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from tests.equivalence.mapping import Json, instant

__all__ = ["BoardModel", "Expected", "Json"]

_TICKET_NUMBER = re.compile(r"-([0-9]{1,15})\Z")
_OVER = ("succeeded", "failed", "stopped")
_TIMES = {"ts", "timestamp", "startedAt", "completedAt", "createdAt", "updatedAt", "endedAt"}
_OPTIONAL = ("ticketKey", "prUrl", "githubIssue", "description")


@dataclass(frozen=True)
class Expected:
    """The next envelope that the subscribers of a board must get."""

    type: str
    payload: Any
    #: Ids of the cards in order of creation; None unless the envelope is a `state`.
    created: tuple[str, ...] | None = None
    #: The cursor, if the answer of the ingest contains it.
    cursor: str | None = None
    #: Whether only the raw socket that asked gets it.
    private: bool = False


@dataclass
class BoardModel:
    """One board. Columns from left to right, cards in order of creation, attempts in the order they became known."""

    id: str
    prefix: str
    columns: dict[str, Json]
    cards: dict[str, Json] = field(default_factory=dict)
    attempts: dict[str, Json] = field(default_factory=dict)
    #: Ids of attempts that were deleted with their cards.
    gone: set[str] = field(default_factory=set)
    next_number: int = 1

    def state(self) -> Json:
        """Return the state as on the wire."""
        return {"columns": deepcopy(self.columns), "columnOrder": list(self.columns), "cards": deepcopy(self.cards)}

    def state_envelope(self, *, private: bool = False) -> Expected:
        """Return the current `state` envelope."""
        return Expected("state", self.state(), tuple(self.cards), private=private)

    def snapshot(self) -> list[Expected]:
        """Return the events after `hello` for a new subscriber."""
        newest = sorted(self.attempts.values(), key=lambda one: one["createdAt"])[::-1]
        return [self.state_envelope(), *(self._status(one["id"], one["cardId"], one["status"]) for one in newest)]

    def home(self, card_id: str) -> Json:
        """Return the column of a card."""
        return next(column for column in self.columns.values() if card_id in column["cardIds"])

    def titled(self, title: str) -> Json | None:
        """Return the first column with a role."""
        return next((one for one in self.columns.values() if self.plays(one, title)), None)

    @staticmethod
    def plays(column: Json, title: str) -> bool:
        """Return whether a column has a role. Case and outer blanks do not matter."""
        return bool(column["title"].strip().casefold() == title.casefold())

    def is_done(self, card_id: str) -> bool:
        """Return whether a card is in a Done column."""
        return card_id in self.cards and self.plays(self.home(card_id), "Done")

    def is_blocked(self, card_id: str) -> bool:
        """Return whether a card depends on a card that is not Done."""
        return any(not self.is_done(other) for other in self.cards[card_id].get("dependsOn", ()))

    def place(self, card_id: str, column_id: str, index: int, now: str) -> list[Expected]:
        """Move a card; every card whose index or column changes gets a new time."""
        before = self._places()
        self.home(card_id)["cardIds"].remove(card_id)
        self.columns[column_id]["cardIds"].insert(index, card_id)  # an index beyond the end means the end
        if self._places() == before:
            return []
        self.renew(before, now)
        return [self.state_envelope()]

    def renew(self, before: dict[str, tuple[str, int]], now: str) -> None:
        """Set the time of each card whose index or column differs from `before`."""
        for card_id, place in self._places().items():
            if before[card_id] != place:
                self.cards[card_id]["updatedAt"] = now

    def _places(self) -> dict[str, tuple[str, int]]:
        columns = self.columns.values()
        return {card_id: (column["id"], n) for column in columns for n, card_id in enumerate(column["cardIds"])}

    def remove(self, card_id: str, now: str) -> None:
        """Delete a card; the cards below it move up."""
        before = self._places()
        self.home(card_id)["cardIds"].remove(card_id)
        del self.cards[card_id]
        self.renew(before, now)
        for known in [one["id"] for one in self.attempts.values() if one["cardId"] == card_id]:
            del self.attempts[known]
            self.gone.add(known)

    def receive(self, name: str, payload: Json, at: str) -> list[Expected]:
        """Apply an event, and return the events that the board's subscribers must get."""
        handler = _HANDLERS.get(name)
        return handler(self, _in_one_form(payload), at) if handler else []

    def replace(self, payload: Json, at: str) -> list[Expected]:
        """Replace the whole state."""
        state = payload["state"]
        self.columns = {
            key: {"id": key, "title": state["columns"][key]["title"], "cardIds": [*state["columns"][key]["cardIds"]]}
            for key in state["columnOrder"]
        }
        self.cards = {key: _card_from_outside(card, at) for key, card in state["cards"].items()}
        found = (_TICKET_NUMBER.search(card.get("ticketKey") or "") for card in self.cards.values())
        self.next_number = max((int(match[1]) for match in found if match), default=0) + 1
        return [self.state_envelope()]

    def queue(self, payload: Json, at: str) -> list[Expected]:
        """Make a queued attempt."""
        self._attempt(payload, "queued", at)
        return []

    def start(self, payload: Json, at: str) -> list[Expected]:
        """Make a running attempt; its card goes to In Progress."""
        if not self._attempt(payload, "running", at):
            return []
        started = Expected("attempt_started", {"attemptId": payload["attemptId"], "cardId": payload["cardId"]})
        return [started, *self._to_end(payload["cardId"], "In Progress", at)]

    def change_status(self, payload: Json, at: str) -> list[Expected]:
        """Give an attempt another status."""
        known = self.attempts.get(payload["attemptId"])
        if known and not _is_held(known, at):
            ended = payload.get("endedAt")
            if ended is None and payload["status"] in _OVER:
                ended = known["endedAt"] or (None if "endedAt" in payload else at)
            known.update(status=payload["status"], updatedAt=at, endedAt=ended)
        # A status that does not take effect is not published.
        if known["status"] != payload["status"] if known else payload["attemptId"] in self.gone:
            return []
        card_id = payload.get("cardId") or (known["cardId"] if known else None)
        return [self._status(payload["attemptId"], card_id, payload["status"])]

    def complete(self, payload: Json, at: str) -> list[Expected]:
        """End an attempt; its card goes to Review, or back to In Progress."""
        known = self.attempts.get(payload["attemptId"])
        if _is_held(known, at) if known else payload["attemptId"] in self.gone:
            return []
        if known:
            known.update(status=payload["status"], updatedAt=at, endedAt=known["endedAt"] or at)
        return self._to_end(payload["cardId"], "Review" if payload["status"] == "succeeded" else "In Progress", at)

    def stop(self, payload: Json, at: str) -> list[Expected]:
        """Stop an attempt. One that is stopping already is ended by its runner."""
        known = self.attempts.get(payload["attemptId"])
        if known and known["status"] in ("queued", "running"):
            known.update(status="stopped", updatedAt=at, endedAt=known["endedAt"] or at)
        return [_line(payload["attemptId"], "Attempt stopped by user", at)]

    def open_pull_request(self, payload: Json, at: str) -> list[Expected]:
        """Record a pull request. The card of a known attempt gets its address."""
        attempt_id, pr = payload.get("attemptId"), payload["pr"]
        envelopes = [Expected("attempt_pr", {"attemptId": attempt_id or "", "pr": pr})]
        known = self.attempts.get(attempt_id or "")
        card = self.cards.get(known["cardId"]) if known else None
        if known and card and card.get("prUrl") != pr["url"] and not _is_held(known, at):
            card.update(prUrl=pr["url"], updatedAt=at)
            envelopes.append(self.state_envelope())
        return envelopes

    def keep(self, type: str, key: str, payload: Json, at: str) -> list[Expected]:
        """Replace a value of an attempt."""
        known = self.attempts.get(payload["attemptId"])
        late = known is not None and _is_held(known, at)
        return [] if late else [Expected(type, {"attemptId": payload["attemptId"], key: payload[key]})]

    def _attempt(self, payload: Json, status: str, at: str) -> bool:
        """Start an attempt. False: it has ended later than that, or was deleted with its card."""
        id, card_id = payload["attemptId"], payload["cardId"]
        known = self.attempts.get(id)
        if _is_held(known, at) if known else id in self.gone and card_id not in self.cards:
            return False
        times = {"createdAt": known["createdAt"] if known else at, "updatedAt": at, "endedAt": None}
        self.attempts[id] = {"id": id, "cardId": card_id, "status": status, **times}
        return True

    def _to_end(self, card_id: str, title: str, at: str) -> list[Expected]:
        column = self.titled(title)
        known = column is not None and card_id in self.cards
        return self.place(card_id, column["id"], len(self.cards), at) if known and column else []

    @staticmethod
    def _status(attempt_id: str, card_id: str | None, status: str) -> Expected:
        card = {"cardId": card_id} if card_id else {}
        return Expected("attempt_status", {"attemptId": attempt_id, **card, "status": status})


def _card_from_outside(card: Json, at: str) -> Json:
    made = {
        "id": card["id"],
        "title": card["title"].strip(),
        "disableAutoCloseOnPRMerge": card.get("disableAutoCloseOnPRMerge", False),
        "ticketType": card.get("ticketType"),
        "isEnhanced": card.get("isEnhanced", False),
        "createdAt": instant(card.get("createdAt")) or at,
        "updatedAt": instant(card.get("updatedAt")) or at,
    }
    made |= {key: card[key] for key in _OPTIONAL if card.get(key) is not None}
    return made | ({"dependsOn": list(dict.fromkeys(card["dependsOn"]))} if card.get("dependsOn") else {})


def _is_held(known: Json, at: str) -> bool:
    """Return whether an attempt has ended after the given time, so that an event of that time has no effect."""
    end: str = known["endedAt"] or known["updatedAt"]
    return known["status"] in _OVER and at < end


def _in_one_form(value: Any, key: str = "") -> Any:
    """Return a payload with its times in the form that all subscribers get."""
    if isinstance(value, dict):
        return {name: _in_one_form(one, name) for name, one in value.items()}
    return instant(value) if key in _TIMES and isinstance(value, str) else value


def _line(attempt_id: str, message: str, ts: str) -> Expected:
    return Expected("attempt_log", {"attemptId": attempt_id, "level": "info", "message": message, "ts": ts})


def _as_it_came(type: str, *keys: str) -> Any:
    """Return a handler that publishes the given keys of the payload. A key without a value is absent."""

    def publish(board: BoardModel, payload: Json, at: str) -> list[Expected]:
        return [Expected(type, {key: payload[key] for key in keys if payload.get(key) is not None})]

    return publish


def _cached(type: str, key: str) -> Any:
    return lambda board, payload, at: board.keep(type, key, payload, at)


def _git_status(board: BoardModel, payload: Json, at: str) -> list[Expected]:
    return [Expected("git_status", None)]


def _commit(board: BoardModel, payload: Json, at: str) -> list[Expected]:
    words = ("[git] committed", payload["shortSha"], payload["subject"])
    return _with_line("git_commit", payload, " ".join(filter(None, words)), "shortSha", "subject")


def _push(board: BoardModel, payload: Json, at: str) -> list[Expected]:
    return _with_line(
        "git_push", payload, f"[git] pushed to {payload['remote']}/{payload['branch']}", "remote", "branch"
    )


def _with_line(type: str, payload: Json, message: str, *keys: str) -> list[Expected]:
    attempt_id, ts = payload.get("attemptId"), payload["ts"]
    envelope = Expected(type, {"attemptId": attempt_id or "", **{key: payload[key] for key in keys}, "ts": ts})
    return [_line(attempt_id, message, ts), envelope] if attempt_id else [envelope]


_HANDLERS: dict[str, Any] = {
    "board.state.changed": BoardModel.replace,
    "attempt.queued": BoardModel.queue,
    "attempt.started": BoardModel.start,
    "attempt.status.changed": BoardModel.change_status,
    "attempt.completed": BoardModel.complete,
    "attempt.stopped": BoardModel.stop,
    "attempt.log.appended": _as_it_came("attempt_log", "attemptId", "level", "message", "ts"),
    "attempt.conversation.appended": _as_it_came("conversation_item", "attemptId", "item"),
    "attempt.session.recorded": _cached("attempt_session", "sessionId"),
    "attempt.todos.updated": _cached("attempt_todos", "todos"),
    "git.status.changed": _git_status,
    "git.commit.created": _commit,
    "git.push.completed": _push,
    "github.pr.created": BoardModel.open_pull_request,
}
