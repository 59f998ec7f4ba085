"""The doors by which commands come in: a raw socket, REST, a GraphQL mutation; and the one for events, the ingest.

Each sends what it is told and returns what the door said about it, in the same words for all doors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import anyio
import orjson

from tests.equivalence.commands import FIELDS
from tests.equivalence.document import sdl
from tests.equivalence.mapping import Json
from tests.kit.raw_http import Address, Answer, Connection, connect, request_bytes

__all__ = ["Caller", "Outcome", "by_graphql", "by_rest"]

#: Calls after which a connection is opened anew, before the server's own limit on idle ones can strike.
_IDLE_SECONDS = 2.0
_STATUSES = {
    400: ("invalid_payload", "dependency_cycle", "dependency_board_mismatch"),
    404: ("card_not_found", "column_not_found", "attempt_not_found"),
    409: ("card_is_done", "card_blocked", "attempt_active", "attempt_not_running"),
}
_CAMEL = {
    "create_card": "CreateCard",
    "update_card": "UpdateCard",
    "move_card": "MoveCard",
    "delete_card": "DeleteCard",
}


@dataclass(frozen=True)
class Outcome:
    """What a door said. `code` is None when the command was carried out."""

    code: str | None = None
    #: Id of the card that was made.
    card_id: str | None = None
    #: The position behind the change.
    cursor: str | None = None


class Caller:
    """Calls over one connection that is kept open."""

    def __init__(self, address: Address) -> None:
        """Call the server at `address`."""
        self._address = address
        self._opened: Any = None
        self._connection: Connection | None = None
        self._used_at = 0.0

    async def call(self, method: str, target: str, body: object = None) -> Answer:
        """Make one call."""
        connection = await self._connected()
        encoded = b"" if body is None else orjson.dumps(body)
        headers = [("Host", "127.0.0.1"), ("Accept", "application/json")]
        if encoded:
            headers += [("Content-Type", "application/json"), ("Content-Length", str(len(encoded)))]
        await connection.send(request_bytes(method, target, headers, encoded))
        head = await connection.read_head()
        return Answer(head.status, head.reason, head.headers, await connection.read_body(head, method=method))

    async def aclose(self) -> None:
        """Close the connection."""
        if self._opened is not None:
            await self._opened.__aexit__(None, None, None)
            self._opened = self._connection = None

    async def _connected(self) -> Connection:
        now = anyio.current_time()
        if now - self._used_at > _IDLE_SECONDS:
            await self.aclose()
        self._used_at = now
        if self._connection is None:
            self._opened = connect(self._address)
            self._connection = await self._opened.__aenter__()
        assert self._connection is not None
        return self._connection


async def by_rest(caller: Caller, board_id: str, *commands: Json) -> Outcome:
    """Carry out a command over REST; an update and a move of one card may go together.

    REST answers with a status for several codes: the first that `_STATUSES` has for it stands for all of them.
    """
    body: Json = {}
    for command in commands:
        body |= {key: command[key] for key in (*FIELDS, "columnId") if key in command}
        if command["type"] == "move_card":
            body |= {"columnId": command["toColumnId"], "index": command["toIndex"]}
    cards, kind = f"/api/v1/boards/{board_id}/cards", commands[0]["type"]
    match kind:
        case "create_card":
            answer = await caller.call("POST", cards, body)
        case "delete_card":
            answer = await caller.call("DELETE", f"{cards}/{commands[0]['cardId']}")
        case _:
            answer = await caller.call("PATCH", f"{cards}/{commands[0]['cardId']}", body)
    if answer.status < 300:
        return Outcome(card_id=orjson.loads(answer.body)["cardId"] if kind == "create_card" else None)
    return Outcome(code=rest_word(answer.status))


def rest_word(code: int | str | None) -> str | None:
    """Return what stands for all codes that REST answers with one status; takes the status or a code."""
    for status, codes in _STATUSES.items():
        if code == status or code in codes:
            return codes[0]
    return None if code is None else f"unexpected {code}"


async def by_graphql(caller: Caller, board_id: str, command: Json) -> Outcome:
    """Carry out a command by a mutation."""
    name = _CAMEL[command["type"]]
    field = name[0].lower() + name[1:]
    given = {key: value for key, value in command.items() if key != "type"}
    if given.get("ticketType"):
        given["ticketType"] = given["ticketType"].upper()
    body = {"query": _mutation(name, field), "variables": {"boardId": board_id, "input": given}}
    answer = orjson.loads((await caller.call("POST", "/graphql", body)).body)
    if answer.get("errors"):
        return Outcome(code=answer["errors"][0]["extensions"]["code"].lower())
    told = answer["data"][field]
    if told["__typename"] != f"{name}Payload":
        return Outcome(code=told["code"].lower())
    return Outcome(card_id=told.get("card", {}).get("id"), cursor=told["cursor"])


def _mutation(name: str, field: str) -> str:
    refused = "... on Refusal { code }" if "Refusal" in sdl().type_map else ""
    card = "" if name == "DeleteCard" else "card { id }"
    return (
        f"mutation ($boardId: ID!, $input: {name}Input!) {{ {field}(boardId: $boardId, input: $input) "
        f"{{ __typename ... on {name}Payload {{ cursor {card} }} {refused} }} }}"
    )
