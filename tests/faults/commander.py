"""Sends commands by every door, each once, and knows what may have become of those that were never answered."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from random import Random

from tests.equivalence.doors import Outcome, by_graphql, by_rest
from tests.equivalence.mapping import Json
from tests.faults.line import Line
from tests.faults.processes import Life
from tests.faults.steps import Steps
from tests.faults.truth import Logged

__all__ = ["Commander"]

#: A card as far as commands change it: title and column, None where there is none.
_Sight = tuple[str, str] | None
_COLUMNS = ("todo", "doing", "review")
_GONE = "card_not_found"


class Commander:
    """A person at a board: nobody repeats a command that was not answered, which may have been carried out or not.

    The first word of a title is the card's name here, whatever id it has.
    """

    def __init__(self, life: Life, board_id: str, steps: Steps, random: Random) -> None:
        """Command the board on the server of `life`; `random` chooses what, and by which door."""
        self._line = Line(life)
        self._board_id = board_id
        self._steps = steps
        self._random = random
        #: Name → all that may be true of the card.
        self._cards: dict[str, set[_Sight]] = {}
        self._ids: dict[str, str] = {}
        self._made = 0
        self._unanswered = 0

    async def work(self, commands: int) -> None:
        """Send so many commands, one after the other."""
        for n in range(commands):
            await self._command(n)
            self._steps.done()
        await self._line.hang_up()

    def check(self, state: Json, log: Iterable[Logged]) -> None:
        """See that the board has what was answered for, and nothing that was not asked for."""
        found: dict[str, set[_Sight]] = {}
        for column in state["columns"].values():
            for card_id in column["cardIds"]:
                title = state["cards"][card_id]["title"]
                found.setdefault(title.split()[0], set()).add((title, column["id"]))
        for name, possible in self._cards.items():
            seen: set[_Sight] = found.get(name, {None})
            assert len(seen) == 1, f"twice on the board: {seen}"
            assert seen <= possible, f"expected one of {possible}, got {seen}"
        created = [logged.payload["cardId"] for logged in log if logged.name == "card.created"]
        assert len(created) == len(set(created)), f"created twice: {created}"
        assert self._made <= len(created) <= self._made + self._unanswered, (
            f"{self._made} creations answered for and {self._unanswered} not, the log has {len(created)}"
        )

    async def _command(self, n: int) -> None:
        kind = self._random.choice(("create", "update", "move", "delete")) if len(self._ids) > 1 else "create"
        door = self._random.choice(("socket", "rest", "graphql"))
        if kind == "create":
            await self._create(f"card-{n}", door)
            return
        name = self._random.choice(list(self._ids))
        command: Json = {"type": f"{kind}_card", "cardId": self._ids[name]}
        if kind == "update":
            command["title"] = f"{name} {n}"
        elif kind == "move":
            command |= {"toColumnId": self._random.choice(_COLUMNS), "toIndex": self._random.randrange(3)}
        await self._change(name, door, command)

    async def _create(self, name: str, door: str) -> None:
        column = self._random.choice(_COLUMNS)
        command = {"type": "create_card", "columnId": column, "title": f"{name} new"}
        outcome = await self._send(door, command)
        sight: _Sight = (f"{name} new", column)
        self._cards[name] = {sight} if outcome else {None, sight}
        if outcome is None:
            self._unanswered += 1
            return
        assert outcome.code is None, f"{command} by {door} was refused: {outcome}"
        self._made += 1
        if outcome.card_id:
            self._ids[name] = outcome.card_id

    async def _change(self, name: str, door: str, command: Json) -> None:
        before = self._cards[name]
        after = {_changed(sight, command) for sight in before}
        outcome = await self._send(door, command)
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

    async def _send(self, door: str, command: Json) -> Outcome | None:
        match door:
            case "rest":
                once = partial(by_rest, self._line.caller, self._board_id, command)
            case "graphql":
                once = partial(by_graphql, self._line.caller, self._board_id, command)
            case _:
                once = partial(self._by_socket, command)
        return await self._line.unless_lost(once)

    async def _by_socket(self, command: Json) -> Outcome:
        socket = await self._line.socket(self._board_id)
        payload = {key: value for key, value in command.items() if key != "type"}
        await socket.send({"type": command["type"], "payload": payload}, {"type": "ping"})
        code = None
        # Whatever the socket says of the command, it says before it answers the ping.
        while (event := await socket.event())["type"] != "pong":
            code = event["payload"]["code"] if event["type"] == "error" else code
        return Outcome(code)


def _changed(sight: _Sight, command: Json) -> _Sight:
    if sight is None or command["type"] == "delete_card":
        return None
    title, column = sight
    return command.get("title", title), command.get("toColumnId", column)
