"""Sends commands over random transports, some with an idempotency key, and tracks what they may have done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from random import Random

import orjson

from tests.equivalence.callers import Outcome, by_graphql, by_rest, report
from tests.equivalence.mapping import Json
from tests.faults.connections import Connections
from tests.faults.processes import ManagedServer
from tests.faults.steps import Steps
from tests.faults.truth import Logged

__all__ = ["Commander"]

#: The title and the column of a card, the only parts that commands change here. None: the card does not exist.
_Sight = tuple[str, str] | None
_COLUMNS = ("todo", "doing", "review")
_GONE = "card_not_found"
_TRANSPORTS = ("socket", "rest", "graphql")
#: The words of each transport for a server whose store is away; the command was not executed.
_UNAVAILABLE = ("unexpected 503", "store_unavailable")
#: The probability that a command has a key.
KEYED = 0.5


class Commander:
    """A person at a board.

    A person repeats a command without an answer, over any transport, if it has a key: then it must happen once. A
    command without a key is not repeated, and the server may have executed it. The first word of a title is the name of
    the card here, whatever its id is.
    """

    def __init__(
        self, servers: Sequence[ManagedServer], board_id: str, steps: Steps, random: Random, keyed: float = KEYED
    ) -> None:
        """Send commands to the board on `servers`. `random` chooses the commands and the transports.

        `keyed` is the probability that a command has a key. It must be 1 on several servers: one of them may execute a
        command while the person has moved to another, and so the board does not show its outcome yet.
        """
        self._connections = Connections(servers)
        self._keyed = keyed
        self._board_id = board_id
        self._steps = steps
        self._random = random
        #: Name → all states in which the card may be.
        self._cards: dict[str, set[_Sight]] = {}
        self._ids: dict[str, str] = {}
        self._made = 0
        self._unanswered = 0

    async def work(self, commands: int) -> None:
        """Send this many commands, one after the other."""
        for n in range(commands):
            await self._command(n)
            self._steps.done()
        await self._connections.close()

    def check(self, state: Json, log: Iterable[Logged]) -> None:
        """Check that the board contains every acknowledged command, and nothing that was not requested."""
        self._look(state)
        created = [logged.payload["cardId"] for logged in log if logged.name == "card.created"]
        assert len(created) == len(set(created)), f"created twice: {created}"
        assert self._made <= len(created) <= self._made + self._unanswered, (
            f"{self._made} creations answered for and {self._unanswered} not, the log has {len(created)}"
        )

    async def _command(self, n: int) -> None:
        kinds = ("create", "update", "move", "delete", "replace")
        kind = self._random.choice(kinds) if len(self._ids) > 1 else "create"
        transport = self._random.choice(_TRANSPORTS)
        if kind == "create":
            await self._create(f"card-{n}", transport)
            return
        if kind == "replace":
            await self._replace(n)
            return
        name = self._random.choice(list(self._ids))
        command: Json = {"type": f"{kind}_card", "cardId": self._ids[name]}
        if kind == "update":
            command["title"] = f"{name} {n}"
        elif kind == "move":
            command |= {"toColumnId": self._random.choice(_COLUMNS), "toIndex": self._random.randrange(3)}
        await self._change(name, transport, command)

    async def _create(self, name: str, transport: str) -> None:
        column = self._random.choice(_COLUMNS)
        command = {"type": "create_card", "columnId": column, "title": f"{name} new"}
        outcome = await self._send(transport, command)
        sight: _Sight = (f"{name} new", column)
        self._cards[name] = {sight} if outcome else {None, sight}
        if outcome is None:
            self._unanswered += 1
            return
        assert outcome.code is None, f"{command} by {transport} was refused: {outcome}"
        self._made += 1
        if outcome.card_id:
            self._ids[name] = outcome.card_id

    async def _change(self, name: str, transport: str, command: Json) -> None:
        before = self._cards[name]
        after = {_changed(sight, command) for sight in before}
        outcome = await self._send(transport, command)
        if outcome is None:
            self._cards[name] = before | after
        elif outcome.code is None:
            self._cards[name] = {_changed(sight, command) for sight in before - {None}}
        else:
            assert outcome.code == _GONE, f"{command} was refused: {outcome}"
            assert None in before, f"{command} was refused, the card should be there: {before}"
            self._cards[name] = {None}
        if self._cards[name] == {None}:
            del self._ids[name]

    async def _replace(self, n: int) -> None:
        """Report a whole state, which makes several changes in one event."""
        state = await self._connections.unless_disconnected(self._state)
        if state is None:
            return
        # No command is under way, so the board shows the outcome of every command without an answer.
        self._look(state)
        self._ids = {name: id for name, id in self._ids.items() if id in state["cards"]}
        new = f"card-{n}"
        _rearrange(state, new, self._random.choice(list(self._ids.values()) or [None]))
        event = {"name": "board.state.changed", "payload": {"boardId": self._board_id, "state": state}}
        key = self._key()
        once = partial(report, self._connections.caller, "rest", event if key is None else {**event, "id": key})
        answered = await self._connections.unless_disconnected(once)
        while answered is None and key is not None:
            answered = await self._connections.unless_disconnected(once)
        sights = _sights(state)
        for name in (*self._cards, new):
            after = sights.get(name, {None})
            self._cards[name] = after if answered else self._cards.get(name, {None}) | after
        if answered:
            self._ids[new] = new
            self._ids = {name: id for name, id in self._ids.items() if id in state["cards"]}

    async def _state(self) -> Json:
        answer = await self._connections.caller.call("GET", f"/api/v1/boards/{self._board_id}")
        assert answer.status == 200, answer
        state: Json = orjson.loads(answer.body)["state"]
        return state

    def _look(self, state: Json) -> None:
        """Read the state of the cards. It must be one of the possible states."""
        sights = _sights(state)
        for name, possible in self._cards.items():
            seen = sights.get(name, {None})
            assert len(seen) == 1, f"twice on the board: {seen}"
            assert seen <= possible, f"expected one of {possible}, got {seen}"
            self._cards[name] = seen

    async def _send(self, transport: str, command: Json) -> Outcome | None:
        """Send a command; return its outcome, None if it is not known."""
        key = self._key()
        outcome = await self._try(transport, command, key)
        while outcome is None and key is not None:
            outcome = await self._try(self._random.choice(_TRANSPORTS), command, key)
        return outcome

    def _key(self) -> str | None:
        return f"key-{self._random.getrandbits(64)}" if self._random.random() < self._keyed else None

    async def _try(self, transport: str, command: Json, key: str | None) -> Outcome | None:
        match transport:
            case "rest":
                once = partial(by_rest, self._connections.caller, self._board_id, command, key=key)
            case "graphql":
                once = partial(by_graphql, self._connections.caller, self._board_id, command, key)
            case _:
                once = partial(self._by_socket, command, key)
        return await self._connections.unless_disconnected(partial(_executed, once))

    async def _by_socket(self, command: Json, key: str | None) -> Outcome:
        socket = await self._connections.socket(self._board_id)
        payload = {name: value for name, value in command.items() if name != "type"}
        keyed = {} if key is None else {"key": key}
        await socket.send({"type": command["type"], "payload": payload, **keyed}, {"type": "ping"})
        code = None
        # The server sends its reply to the command before it answers the ping.
        while (event := await socket.event())["type"] != "pong":
            code = event["payload"]["code"] if event["type"] == "error" else code
        return Outcome(code)


async def _executed(once: Callable[[], Awaitable[Outcome]]) -> Outcome:
    """Send a command. A store that is away is like a server that is away.

    Raises:
        AssertionError: the server has no store.
    """
    outcome = await once()
    assert outcome.code not in _UNAVAILABLE, outcome
    return outcome


def _sights(state: Json) -> dict[str, set[_Sight]]:
    found: dict[str, set[_Sight]] = {}
    for column in state["columns"].values():
        for card_id in column["cardIds"]:
            title = state["cards"][card_id]["title"]
            found.setdefault(title.split()[0], set()).add((title, column["id"]))
    return found


def _rearrange(state: Json, new: str, gone: str | None) -> None:
    """Rename a column, reverse another, create a card and delete one."""
    columns = state["columns"]
    columns["review"]["title"] = f"Review {new}"
    columns["todo"]["cardIds"].reverse()
    columns["review"]["cardIds"].insert(0, new)
    state["cards"][new] = {"id": new, "title": f"{new} from outside"}
    if gone is not None:
        del state["cards"][gone]
        for column in columns.values():
            column["cardIds"] = [id for id in column["cardIds"] if id != gone]


def _changed(sight: _Sight, command: Json) -> _Sight:
    if sight is None or command["type"] == "delete_card":
        return None
    title, column = sight
    return command.get("title", title), command.get("toColumnId", column)
