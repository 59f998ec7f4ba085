"""The events that subscribers of a board must receive, derived from the log by independent rules (docs/protocol.md)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tests.equivalence.mapping import Json
from tests.faults.received_events import Place, compared_words, place_of

__all__ = ["Agent", "Due", "Logged", "Truth"]

_Messages = list[tuple[str, tuple[str, ...]]]


@dataclass(frozen=True)
class Logged:
    """One event of a board's log."""

    name: str
    payload: Json
    cursor: str


@dataclass(frozen=True)
class Agent:
    """One event of the global log, which subscribers of every board receive."""

    payload: Json
    global_offset: int


@dataclass(frozen=True)
class Due:
    """One event that subscribers must receive. The words of a state are unknown here."""

    place: Place
    type: str
    words: tuple[str, ...]


class Truth:
    """The whole stream of a board, and the statuses of its attempts at each place."""

    def __init__(self, log: Sequence[Logged], agents: Sequence[Agent]) -> None:
        """Read the whole log of the board, and the whole global log."""
        self.due: list[Due] = []
        self._statuses: list[tuple[Place, dict[str, str]]] = [((0, 0, 0), {})]
        #: The card of each attempt. None if the attempt was deleted with its card.
        self._cards: dict[str, str | None] = {}
        waiting = sorted(agents, key=lambda agent: agent.global_offset)
        offset = 0
        for logged in log:
            offset, _, global_offset = place_of(logged.cursor)
            while waiting and waiting[0].global_offset <= global_offset:
                self._add_agent(waiting.pop(0), offset - 1)
            self._add(logged)
        for agent in waiting:
            self._add_agent(agent, offset)
        self._states = [(0, 0, 0), *(due.place for due in self.due if due.type == "state")]

    def between(self, begin: Place, end: Place) -> list[Due]:
        """Return the events after `begin`, up to and including `end`."""
        return [due for due in self.due if begin < due.place <= end]

    def state_at(self, place: Place) -> Place:
        """Return the place of the last state at or before `place`."""
        return self._states[bisect_right(self._states, place) - 1]

    def statuses_at(self, place: Place) -> dict[str, str]:
        """Return the statuses of the attempts at `place`."""
        return [statuses for at, statuses in self._statuses if at <= place][-1]

    def _add(self, logged: Logged) -> None:
        offset, _, global_offset = place_of(logged.cursor)
        id = str(logged.payload.get("attemptId"))
        if logged.name == "attempt.started":
            self._cards[id] = logged.payload["cardId"]
        if logged.name == "card.deleted":
            self._forget((offset, 0, global_offset), logged.payload["cardId"])
        if logged.name in _STATUS and self._cards.get(id, id) is None and logged.name != "attempt.stopped":
            return
        messages = _MESSAGES.get(logged.name, _nothing)(logged.payload)
        for part, (type, words) in enumerate(messages, 1):
            whole = part == len(messages)
            place = (offset, 0, global_offset) if whole else (offset - 1, part, global_offset)
            self.due.append(Due(place, type, words))
        if (status := _STATUS.get(logged.name)) and self._cards.get(id, id) is not None:
            statuses = self._statuses[-1][1]
            new = {**statuses, id: status(logged.payload, statuses.get(id))}
            self._statuses.append(((offset, 0, global_offset), new))

    def _forget(self, place: Place, card_id: str) -> None:
        """A card's attempts are deleted with it (docs/protocol.md, "Commands"); they have no later status."""
        gone = {id for id, card in self._cards.items() if card == card_id}
        self._cards |= dict.fromkeys(gone)
        self._statuses.append((place, {id: one for id, one in self._statuses[-1][1].items() if id not in gone}))

    def _add_agent(self, agent: Agent, offset: int) -> None:
        due = Due(
            (offset, 0, agent.global_offset), "agent_registered", compared_words("agent_registered", agent.payload)
        )
        self.due.append(due)


def _nothing(payload: Json) -> _Messages:
    return []


def _one(type: str) -> Callable[[Json], _Messages]:
    return lambda payload: [(type, compared_words(type, payload))]


def _line(payload: Json, message: str) -> tuple[str, tuple[str, ...]]:
    return "attempt_log", compared_words("attempt_log", {**payload, "level": "info", "message": message})


def _commit(payload: Json) -> _Messages:
    commit = _one("git_commit")(payload)
    line = f"[git] committed {payload['shortSha']} {payload['subject']}"
    return [_line(payload, line), *commit] if payload.get("attemptId") else commit


def _push(payload: Json) -> _Messages:
    push = _one("git_push")(payload)
    line = f"[git] pushed to {payload['remote']}/{payload['branch']}"
    return [_line(payload, line), *push] if payload.get("attemptId") else push


#: Name of the event → the messages that subscribers receive.
_MESSAGES: Mapping[str, Callable[[Json], _Messages]] = {
    "board.state.changed": lambda payload: [("state", ())],
    "attempt.started": _one("attempt_started"),
    "attempt.status.changed": _one("attempt_status"),
    "attempt.log.appended": _one("attempt_log"),
    "attempt.stopped": lambda payload: [_line(payload, "Attempt stopped by user")],
    "attempt.conversation.appended": _one("conversation_item"),
    "attempt.session.recorded": _one("attempt_session"),
    "attempt.todos.updated": _one("attempt_todos"),
    "git.status.changed": _one("git_status"),
    "git.commit.created": _commit,
    "git.push.completed": _push,
    "github.pr.created": _one("attempt_pr"),
}
#: Name of the event → the status of its attempt after the event.
_STATUS: Mapping[str, Callable[[Json, str | None], str]] = {
    "attempt.started": lambda payload, before: "running",
    "attempt.status.changed": lambda payload, before: str(payload["status"]),
    "attempt.completed": lambda payload, before: str(payload["status"]),
    # An attempt in `stopping` waits for its runner to report the end. An attempt that has ended keeps its status.
    "attempt.stopped": lambda payload, before: "stopped" if before in (None, "queued", "running") else before,
}
