"""Reports events through both entry points until each is acknowledged, and checks the log at the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random

from tests.equivalence.callers import report
from tests.equivalence.mapping import Json
from tests.faults.connections import Connections
from tests.faults.processes import ManagedServer
from tests.faults.received_events import Place, place_of
from tests.faults.steps import Steps
from tests.faults.truth import Agent, Logged

__all__ = ["ATTEMPTS", "Reporter", "begin_board"]

#: Attempts of the board, each on a card of its own.
ATTEMPTS = tuple(f"attempt-{n}" for n in range(4))
_AT = "2026-01-02T03:04:05.678Z"
_STATUSES = ("running", "stopping", "succeeded", "failed")
_PR = {"state": "open", "draft": False}


def begin_board(board_id: str) -> list[Json]:
    """Return the events that make a board with a card for each attempt, and start the attempts."""
    project = {"projectId": board_id, "name": board_id, "repositoryPath": f"/{board_id}"}
    cards = {f"of-{attempt}": _card(f"of-{attempt}") for attempt in ATTEMPTS}
    titles = {"todo": "Backlog", "doing": "In Progress", "review": "Review", "done": "Done"}
    columns = {id: {"id": id, "title": title, "cardIds": []} for id, title in titles.items()}
    columns["todo"]["cardIds"] = list(cards)
    state = {"columns": columns, "columnOrder": list(columns), "cards": cards}
    started = [{"boardId": board_id, "attemptId": id, "cardId": f"of-{id}", "agent": "A"} for id in ATTEMPTS]
    return [
        {"name": "project.created", "payload": project},
        {"name": "board.state.changed", "payload": {"boardId": board_id, "state": state}},
        *({"name": "attempt.started", "payload": payload} for payload in started),
    ]


@dataclass(frozen=True)
class _Accepted:
    event: Json
    cursor: str


class Reporter:
    """A runner. It repeats a batch under the same keys until the server answers."""

    def __init__(self, servers: Sequence[ManagedServer], board_id: str, steps: Steps, random: Random) -> None:
        """Report to `servers`. `random` chooses the events, the batches and the transports."""
        self._connections = Connections(servers)
        #: Marks are reported while `work` runs.
        self._of_marks = Connections(servers)
        self._board_id = board_id
        self._steps = steps
        self._random = random
        self._accepted: list[_Accepted] = []
        self._count = 0

    async def work(self, batches: int) -> None:
        """Report this many batches."""
        for _ in range(batches):
            await self.report(*(self._event() for _ in range(self._random.choice((1, 1, 2, 5)))))
            self._steps.done()
        await self._connections.close()

    async def mark(self) -> Place:
        """Report an event for every kind of subscription; return the place that all of them reach."""
        n = self._next()
        # This event gives a card its pull request, so a state follows. Some subscriptions contain only states.
        pr = {"number": n, "url": f"https://h/mark-{n}", "state": "open", "draft": False}
        payload = {"projectId": self._board_id, "attemptId": ATTEMPTS[0], "pr": pr}
        agent = {"name": "agent.registered", "payload": {"agent": "mark", "label": str(n)}}
        event = {"name": "github.pr.created", "payload": payload}
        _, cursor = await self._report(self._of_marks, agent, event)
        await self._of_marks.close()
        offset, _, global_offset = place_of(cursor)
        return offset + 1, 0, global_offset

    async def report(self, *events: Json) -> list[str]:
        """Report a batch until a server acknowledges it; return the cursors."""
        return await self._report(self._connections, *events)

    async def _report(self, connections: Connections, *events: Json) -> list[str]:
        keyed = [{**event, "id": f"{self._board_id}-{self._next()}"} for event in events]
        transport, repeated = self._random.choice(("rest", "graphql")), False
        once = partial(report, connections.caller, transport, *keyed)
        while (answers := await connections.unless_disconnected(once)) is None:
            repeated = True
        for event, answer in zip(events, answers, strict=True):
            assert answer["duplicate"] in {False, repeated}, f"called a duplicate the first time: {event}"
            self._accepted.append(_Accepted(event, answer["cursor"]))
        return [answer["cursor"] for answer in answers]

    def agents(self) -> list[Agent]:
        """Return the global log that is expected."""
        found = [Agent(one.event["payload"], place_of(one.cursor)[2]) for one in self._of_agents(True)]
        return sorted(found, key=lambda agent: agent.global_offset)

    def check(self, log: list[Logged]) -> None:
        """Check that the log has every acknowledged event once, at its place."""
        agents = [agent.global_offset for agent in self.agents()]
        # Earlier boards of the same servers may have used the global log.
        begin = place_of(self._accepted[0].cursor)[2]
        assert agents == list(range(begin + 1, begin + 1 + len(agents))), f"agents have the places {agents}"
        at = {logged.cursor: logged for logged in log}
        for one in self._of_agents(False):
            name, payload = one.event["name"], {k: v for k, v in one.event["payload"].items() if k != "state"}
            logged = at.pop(one.cursor, None)
            assert logged, f"acknowledged, and not in the log: {one}"
            assert (logged.name, logged.payload | payload) == (name, logged.payload), f"expected {one}, got {logged}"
        # The remaining entries come from commands, or are consequences of events.
        twice = [left for left in at.values() if not left.name.startswith(("card.", "board."))]
        assert not twice, f"in the log without an acknowledgement: {twice}"

    def _of_agents(self, whether: bool) -> list[_Accepted]:
        return [one for one in self._accepted if (one.event["name"] == "agent.registered") == whether]

    def _next(self) -> int:
        self._count += 1
        return self._count

    def _event(self) -> Json:
        n, attempt = self._next(), self._random.choice(ATTEMPTS)
        name, payload = self._random.choice(list(_kinds(n, self._random)))
        scope = {"projectId": self._board_id} if name.startswith(("git", "github")) else {"boardId": self._board_id}
        if name == "agent.registered":
            return {"name": name, "payload": payload}
        if name.startswith(("attempt.", "github.")) or n % 2:
            scope["attemptId"] = attempt
        if name == "attempt.status.changed":
            scope["cardId"] = f"of-{attempt}"
        return {"name": name, "payload": {**scope, **payload}}


def _kinds(n: int, random: Random) -> Iterator[tuple[str, Json]]:
    """Yield an event of each kind that subscribers receive. `n` makes it different from all others."""
    yield "attempt.log.appended", {"level": "info", "message": f"line {n}"}
    yield "attempt.log.appended", {"level": "warn", "message": f"line {n} " + "x" * 3000}
    yield "attempt.status.changed", {"status": random.choice(_STATUSES)}
    yield "attempt.stopped", {"reason": f"reason {n}"}
    item = {"type": "message", "timestamp": _AT, "role": "user", "text": f"text {n}"}
    yield "attempt.conversation.appended", {"item": item}
    yield "attempt.session.recorded", {"sessionId": f"session {n}"}
    yield "attempt.todos.updated", {"todos": {"total": n, "completed": 0, "items": []}}
    yield "git.status.changed", {}
    yield "git.commit.created", {"shortSha": f"abc{n}", "subject": f"subject {n}", "ts": _AT}
    yield "git.push.completed", {"remote": "origin", "branch": f"branch {n}", "ts": _AT}
    yield "github.pr.created", {"pr": {**_PR, "number": n, "url": f"https://github.com/o/r/pull/{n}"}}
    yield "git.rebase.started", {"ts": _AT}  # stored, but never sent to subscribers
    yield "agent.registered", {"agent": "A", "label": f"label {n}"}


def _card(id: str) -> Json:
    return {"id": id, "title": id, "createdAt": _AT, "updatedAt": _AT}
