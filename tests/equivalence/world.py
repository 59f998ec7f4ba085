"""The steps of the machine on a running server, and the expected events of every exit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from unittest.mock import ANY

import orjson

from tests.equivalence.callers import (
    Caller,
    Outcome,
    by_graphql,
    by_rest,
    mutate,
    queue_attempt,
    report,
    rest_word,
    stop_attempt,
)
from tests.equivalence.commands import apply, refusal
from tests.equivalence.comparing import assert_same
from tests.equivalence.dashboards import Dashboards
from tests.equivalence.document import selection
from tests.equivalence.happenings import Figures, event_of, marked
from tests.equivalence.mapping import Json, instant, state_shape
from tests.equivalence.model import BoardModel, Expected
from tests.equivalence.subscriber import Subscriber
from tests.equivalence.watched import EXITS, WatchedBoard
from tests.kit.moving_clock import MovingClock
from tests.kit.raw_http import Address

__all__ = ["Happening", "World"]

#: Number of a board, name of an event, and the random numbers that choose its objects.
Happening = tuple[int, str, Figures]

_TITLES = ["Backlog", "In Progress", "Review", "Done"]
_CARD_ID = re.compile(r"card-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
_BOARD = f"query ($id: ID!) {{ board(boardId: $id) {selection('BoardState')} }}"
_MILLISECONDS = 7
#: Events that subscribers of every board get: type and keys of the envelope.
_GLOBAL_EVENTS = {
    "agent.registered": ("agent_registered", ("agent", "label")),
    "agent.profile.changed": ("agent_profile", ("kind", "profileId", "agent", "label")),
}
#: Index of the envelope with the event's own cursor. The other envelopes belong to consequences of the event.
_OWN = {"attempt.started": 0, "github.pr.created": 0, "attempt.completed": None}


class World:
    """Two boards, the dashboard, and all their clients.

    After each step the expected number of events is read from every exit. The next read shows an unexpected event. A
    step without events ends with a marker, so that the read happens in the same step.
    """

    def __init__(
        self,
        address: Address,
        clock: MovingClock,
        name: str,
        caller: Caller | None = None,
        exits: Sequence[type[Subscriber]] = EXITS,
    ) -> None:
        """Make a world. `name` is a part of every id, so that two worlds on one server do not share any.

        `caller` makes the calls; None = without a token. `exits` are those of `WatchedBoard`.
        """
        self._address = address
        self._clock = clock
        self._name = name
        self._exits = exits
        self._caller = caller or Caller(address)
        self._dashboards = Dashboards(address)
        self._numbers = 0
        #: Board, event and first cursor of each event that was reported under a key.
        self._keyed: list[tuple[WatchedBoard | None, Json, str]] = []
        self._opened: list[WatchedBoard] = []
        self.boards: list[WatchedBoard] = []

    @property
    def now(self) -> str:
        """The server's time as on the wire."""
        return str(instant(self._clock().isoformat()))

    async def open(self) -> None:
        """Make the boards and connect all clients."""
        for _ in range(2):
            self.boards.append(await self._new_board())
        await self._dashboards.open()
        await self._align_dashboards()

    async def aclose(self) -> None:
        """Close everything without comparing."""
        for board in self._opened:
            await board.aclose()
        await self._dashboards.aclose()
        await self._caller.aclose()

    async def finish(self) -> None:
        """Compare both boards once more and delete them. Every stream must end as its protocol requires."""
        await self.mark()
        for n in (0, 1):
            await self.look(n)
        for board in self.boards:
            await self._delete(board, "rest")

    async def command(self, n: int, transport: str, *asked: Json) -> None:
        """Send a command over a transport. It must be executed, or refused with the expected code."""
        board, id = self.boards[n], self.boards[n].model.id
        code = refusal(board.model, *asked)
        if transport == "socket":
            outcome = await self._by_socket(board, asked[0])
        elif transport == "rest":
            outcome = await by_rest(self._caller, id, *asked)
            code = self._rest_code(n, asked[0].get("cardId"), code)
        else:
            outcome = await by_graphql(self._caller, id, asked[0])
        assert outcome.code == code, f"{transport}, {asked}: expected {code}, got {outcome}"
        if code is None:
            board.due += _one_state([apply(board.model, one, self.now, outcome.card_id or "") for one in asked])
        if outcome.cursor is not None:
            self._expect_cursor(board, outcome.cursor)
        if transport == "socket":
            error = {"command": asked[0]["type"], "code": code, "message": ANY}
            board.due += [Expected("error", error, private=True)] if code else []
            board.due.append(self._pong())
        await self.compare()

    async def ingest(self, *happenings: Happening, transport: str = "rest", keyed: bool = False) -> None:
        """Report events in one batch. Their consequences are expected at the exits of their boards."""
        reported: list[tuple[WatchedBoard | None, Json, int | None]] = []
        silent = False
        for n, name, figures in happenings:
            event, at = event_of(name, self.boards[n].model, figures, self.now)
            if keyed:
                event["id"] = self._new_name()
            board, before = self._board_of(event["payload"]), self._due_count()
            reported.append((board, event, self._happen(board, event, at)))
            silent = silent or self._due_count() == before
        # If an event has no envelope, the marker after it shows the position of its board.
        markers = [self._marker()] if silent else []
        accepted = await report(self._caller, transport, *(event for _, event, _ in reported), *markers)
        for (board, event, own), answer in zip(reported, accepted, strict=False):
            assert (answer["name"], answer["duplicate"]) == (event["name"], False), answer
            self._keyed += [(board, event, answer["cursor"])] if keyed else []
            if board is not None and own is not None:
                board.due[own] = replace(board.due[own], cursor=answer["cursor"])
        await self.compare()

    async def repeat(self, chosen: int) -> None:
        """Report an event again under its key: the answer is the same, and nothing happens."""
        repeated = [self._keyed[chosen % len(self._keyed)]] if self._keyed else []
        accepted = await report(self._caller, "rest", *(event for _, event, _ in repeated), self._marker())
        for (_, event, cursor), answer in zip(repeated, accepted, strict=False):
            assert answer == {"name": event["name"], "cursor": cursor, "duplicate": True}, answer
        await self.compare()

    async def report_nonsense(self, n: int, name: str, figures: Figures) -> None:
        """Report a batch with one invalid event: the whole batch must be refused."""
        event, _ = event_of(name, self.boards[n].model, figures, self.now)
        unknown = {"name": "git.status.changed", "payload": {"projectId": "unknown"}}
        answer = await self._caller.call("POST", "/api/v1/events", [event, unknown])
        assert answer.status == 422, answer
        await self.mark()

    async def queue_attempt(self, n: int, transport: str, card_id: str) -> None:
        """Queue an attempt, which publishes nothing."""
        board = self.boards[n].model
        code = _queue_refusal(board, card_id)
        refused, made = await queue_attempt(self._caller, transport, board.id, card_id)
        assert refused == (self._rest_code(n, card_id, code) if transport == "rest" else code), f"{card_id}: {refused}"
        if code is None:
            tried = [one["id"] for one in board.attempts.values() if one["cardId"] == card_id]
            assert made["status"].lower() == "queued", made
            assert made["id"] == tried[-1] if tried else made["id"] not in board.attempts, made
            known = board.attempts.get(made["id"])
            # The time is not before the end of the previous run, whose runner's clock may be ahead.
            at = max(self.now, known["endedAt"] or known["updatedAt"]) if known else self.now
            board.queue({"attemptId": made["id"], "cardId": card_id}, at)
        await self.mark()

    async def stop_attempt(self, n: int, transport: str, attempt_id: str) -> None:
        """Stop an attempt."""
        board = self.boards[n]
        known = board.model.attempts.get(attempt_id)
        code = _stop_refusal(known)
        refused = await stop_attempt(self._caller, transport, attempt_id)
        assert refused == (rest_word(code) if transport == "rest" else code), f"{attempt_id}: {refused}"
        if known and code is None:
            status = "stopped" if known["status"] == "queued" else "stopping"
            # Nobody works at an attempt that waits: it ends now, whatever a reporter said of its end before.
            ended = {"endedAt": self.now} if status == "stopped" else {}
            board.due += board.model.change_status({"attemptId": attempt_id, "status": status, **ended}, self.now)
            board.due += board.model.stop({"attemptId": attempt_id}, self.now)
        await self.compare()

    async def ask_for_state(self, n: int) -> None:
        """Request the state on the raw socket. Only that socket gets a reply."""
        board = self.boards[n]
        await board.socket.send({"type": "get_state"}, {"type": "ping"})
        await board.hear_pong()
        state = replace(board.model.state_envelope(), private=True, cursor=board.cursor)
        board.due += [state, self._pong()]
        await self.compare()

    async def come_back(self, n: int, chosen: int, back: int | None) -> None:
        """Reconnect a client.

        It sends no cursor, the one of `back` events ago, or (-1) the cursor of another board.
        """
        board = self.boards[n]
        cursors = [cursor for _, cursor in board.history]
        after = None if back is None else cursors[-1 - min(back, len(cursors) - 1)]
        await board.come_back(chosen, self.now, self.boards[1 - n].cursor if back == -1 else after)
        await self.compare()

    async def rename(self, n: int, transport: str, name: str) -> None:
        """Rename a project. Subscribers of its board get nothing, and its ticket keys stay."""
        id = self.boards[n].model.id
        name = marked(name, id)
        if transport == "graphql":
            result = await mutate(self._caller, "UpdateProject", projectId=id, input={"name": name})
            assert result["project"]["name"] == name, result
        else:
            answer = await self._caller.call("PATCH", f"/api/v1/projects/{id}", {"name": name})
            assert answer.status == 200, answer
        await self.mark()

    async def delete_board(self, n: int, transport: str) -> None:
        """Delete a board and make a new one."""
        await self._delete(self.boards[n], transport)
        self._keyed = [one for one in self._keyed if one[0] is not self.boards[n]]
        self.boards[n] = await self._new_board()
        await self.compare()

    async def look(self, n: int) -> None:
        """Compare the board in REST and GraphQL with the model."""
        board, id = self.boards[n], self.boards[n].model.id
        answer = await self._caller.call("GET", f"/api/v1/boards/{id}")
        assert_same("REST", [orjson.loads(answer.body)], [{"state": board.model.state()}])
        body = {"query": _BOARD, "variables": {"id": id}}
        found = orjson.loads((await self._caller.call("POST", "/graphql", body)).body)
        shape = state_shape(board.model.state(), list(board.model.cards), board.cursor)
        assert_same("GraphQL board", [found], [{"data": {"board": shape}}])

    async def mark(self) -> None:
        """Publish an event to everybody, to show that no unexpected event came before it."""
        await report(self._caller, "rest", self._marker())
        await self.compare()

    async def compare(self) -> None:
        """Compare the events of all exits with the expected ones; then advance the clock."""
        for board in self.boards:
            await board.compare()
        await self._dashboards.compare()
        self._clock.go_on(_MILLISECONDS)

    async def _align_dashboards(self) -> None:
        """Skip everything on the dashboards up to a marker: their clients connected one after the other."""
        await report(self._caller, "rest", self._marker())
        await self._dashboards.skip()
        await self.compare()

    def _happen(self, board: WatchedBoard | None, event: Json, at: str) -> int | None:
        """Apply an event to the model; return the index of the expected event that has its cursor."""
        name, payload = event["name"], event["payload"]
        if board is not None:
            due, before = board.model.receive(name, payload, at), len(board.due)
            board.due += due
            # An event without an envelope (for example a late one) has no cursor on the wire.
            own = _OWN.get(name, len(due) - 1) if due else None
            return None if own is None else before + own
        if name in _GLOBAL_EVENTS:
            type, keys = _GLOBAL_EVENTS[name]
            self._add_due_everywhere([Expected(type, {key: payload.get(key) for key in keys})])
        return None

    def _add_due_everywhere(self, due: Sequence[Expected]) -> None:
        for board in self.boards:
            board.due += due
        self._dashboards.due += due

    def _board_of(self, payload: Json) -> WatchedBoard | None:
        id = payload.get("boardId") or payload.get("projectId")
        return next((board for board in self.boards if board.model.id == id), None)

    async def _new_board(self) -> WatchedBoard:
        id = f"{self._new_name()}-board"  # no other name contains it
        made = {"projectId": id, "name": "Alpha Board", "repositoryPath": f"/r/{id}"}
        await report(self._caller, "rest", {"name": "project.created", "payload": made})
        state = orjson.loads((await self._caller.call("GET", f"/api/v1/boards/{id}")).body)["state"]
        columns = {one: state["columns"][one] for one in state["columnOrder"]}
        assert [column["title"] for column in columns.values()] == _TITLES
        board = WatchedBoard(self._address, BoardModel(id, "AB", columns), self._exits)
        self._opened.append(board)
        await board.open(self.now)
        return board

    async def _delete(self, board: WatchedBoard, transport: str) -> None:
        id = board.model.id
        if transport == "rest":
            answer = await self._caller.call("DELETE", f"/api/v1/projects/{id}")
            assert answer.status == 204, answer
        elif transport == "graphql":
            result = await mutate(self._caller, "DeleteProject", projectId=id)
            assert result["projectId"] == id, result
        else:
            await report(self._caller, "rest", {"name": "project.deleted", "payload": {"projectId": id}})
        await board.end(Expected("goodbye", {"reason": "board_deleted", "reconnectAfterMs": 0}))

    async def _by_socket(self, board: WatchedBoard, command: Json) -> Outcome:
        """Send a command and a ping. The messages before the pong are the outcome."""
        payload = {key: value for key, value in command.items() if key != "type"}
        await board.socket.send({"type": command["type"], "payload": payload}, {"type": "ping"})
        received = await board.hear_pong()
        refused = [event["payload"]["code"] for event in received if event["type"] == "error"]
        states = [event["payload"] for event in received if event["type"] == "state"]
        new = [id for state in states for id in state["cards"] if id not in board.model.cards]
        assert len(new) <= 1, f"{command}: {new} are new"
        assert all(map(_CARD_ID.match, new)), f"{command}: {new} are new"
        return Outcome(code=refused[0] if refused else None, card_id=new[0] if new else None)

    def _rest_code(self, n: int, card_id: str | None, code: str | None) -> str | None:
        """Return the code that stands for the REST status. A card of another board is a client error."""
        elsewhere = code == "card_not_found" and card_id in self.boards[1 - n].model.cards
        return rest_word("invalid_payload" if elsewhere else code)

    def _expect_cursor(self, board: WatchedBoard, cursor: str) -> None:
        """The answer's cursor belongs to the last expected event, if there is one."""
        if board.due:
            board.due[-1] = replace(board.due[-1], cursor=cursor)
        else:
            assert cursor == board.cursor, f"nothing changed behind {board.cursor}, but the answer says {cursor}"

    def _due_count(self) -> int:
        return sum(len(board.due) for board in self.boards)

    def _marker(self) -> Json:
        """Return an event that all subscribers get, and expect it."""
        payload = {"agent": "MARKER", "label": self._new_name()}
        self._add_due_everywhere([Expected("agent_registered", payload)])
        return {"name": "agent.registered", "payload": payload}

    def _pong(self) -> Expected:
        return Expected("pong", {"ts": self.now}, private=True)

    def _new_name(self) -> str:
        self._numbers += 1
        return f"{self._name}-{self._numbers}"


def _one_state(effects: Sequence[list[Expected]]) -> list[Expected]:
    """Return the common effect of commands of one request: only the last of their states (docs/protocol.md)."""
    due = [one for each in effects for one in each]
    last = max((n for n, one in enumerate(due) if one.type == "state"), default=-1)
    return [one for n, one in enumerate(due) if one.type != "state" or n == last]


def _queue_refusal(board: BoardModel, card_id: str) -> str | None:
    if card_id not in board.cards:
        return "card_not_found"
    if board.is_done(card_id):
        return "card_is_done"
    if board.is_blocked(card_id):
        return "card_blocked"
    active = ("queued", "running", "stopping")
    tried = (one for one in board.attempts.values() if one["cardId"] == card_id)
    return "attempt_active" if any(one["status"] in active for one in tried) else None


def _stop_refusal(known: Json | None) -> str | None:
    if known is None:
        return "attempt_not_found"
    return None if known["status"] in ("queued", "running") else "attempt_not_running"
