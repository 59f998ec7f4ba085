"""The transports of commands: a raw socket, REST and a GraphQL mutation. Events have the latter two.

Each function sends a request and returns its outcome, in the same form for every transport.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import anyio
import orjson

from tests.clients.operations import read_operation
from tests.equivalence.commands import FIELDS
from tests.equivalence.mapping import Json
from tests.kit.raw_http import Address, Answer, Connection, connect, request_bytes

__all__ = [
    "Caller",
    "Outcome",
    "by_graphql",
    "by_rest",
    "mutate",
    "queue_attempt",
    "report",
    "rest_word",
    "stop_attempt",
]

#: After this time without a call, the client opens a new connection, before the server's idle timeout closes the old.
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
    """The outcome of a command. `code` is None if it was executed."""

    code: str | None = None
    #: Id of the new card.
    card_id: str | None = None
    #: The position after the change.
    cursor: str | None = None


class Caller:
    """Makes calls over one keep-alive connection."""

    def __init__(self, address: Address, token: str = "") -> None:
        """Call the server at `address`, with a token unless it is empty."""
        #: Where the next connection goes.
        self.address = address
        self._token = token
        self._opened: Any = None
        self._connection: Connection | None = None
        self._used_at = 0.0

    async def call(self, method: str, target: str, body: object = None, key: str | None = None) -> Answer:
        """Make one call, with an idempotency key if one is given."""
        connection = await self._connected()
        encoded = b"" if body is None else orjson.dumps(body)
        headers = [("Host", "127.0.0.1"), ("Accept", "application/json")]
        if self._token:
            headers.append(("Authorization", f"Bearer {self._token}"))
        if key is not None:
            headers.append(("Idempotency-Key", key))
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
            self._opened = connect(self.address)
            self._connection = await self._opened.__aenter__()
        assert self._connection is not None
        return self._connection


async def by_rest(caller: Caller, board_id: str, *commands: Json, key: str | None = None) -> Outcome:
    """Execute a command over REST. An update and a move of one card may be combined.

    REST has one status for several codes. The first code of the status in `_STATUSES` stands for all of them.
    """
    body: Json = {}
    for command in commands:
        body |= {key: command[key] for key in (*FIELDS, "columnId") if key in command}
        if command["type"] == "move_card":
            body |= {"columnId": command["toColumnId"], "index": command["toIndex"]}
    cards, kind = f"/api/v1/boards/{board_id}/cards", commands[0]["type"]
    match kind:
        case "create_card":
            answer = await caller.call("POST", cards, body, key)
        case "delete_card":
            answer = await caller.call("DELETE", f"{cards}/{commands[0]['cardId']}", key=key)
        case _:
            answer = await caller.call("PATCH", f"{cards}/{commands[0]['cardId']}", body, key)
    if answer.status < 300:
        return Outcome(card_id=orjson.loads(answer.body)["cardId"] if kind == "create_card" else None)
    return Outcome(code=rest_word(answer.status))


def rest_word(code: int | str | None) -> str | None:
    """Return the code that stands for all codes of one REST status. The argument is the status or a code."""
    for status, codes in _STATUSES.items():
        if code == status or code in codes:
            return codes[0]
    return None if code is None else f"unexpected {code}"


async def mutate(caller: Caller, operation: str, **variables: object) -> Json:
    """Send a mutation of `graphql/operations/`; return its payload, or the refusal with the raw exits' `code`."""
    body = {"query": read_operation(operation), "variables": variables}
    answer = orjson.loads((await caller.call("POST", "/graphql", body)).body)
    assert not answer.get("errors"), answer["errors"]
    (payload,) = answer["data"].values()
    result: Json = payload
    return result | ({"code": result["code"].lower()} if "code" in result else {})


async def by_graphql(caller: Caller, board_id: str, command: Json, key: str | None = None) -> Outcome:
    """Execute a command by a mutation."""
    given = {key: value for key, value in command.items() if key != "type"}
    if given.get("ticketType"):
        given["ticketType"] = given["ticketType"].upper()
    given["idempotencyKey"] = key
    payload = await mutate(caller, _CAMEL[command["type"]], boardId=board_id, input=given)
    return Outcome(payload.get("code"), payload.get("card", {}).get("cardId"), payload.get("cursor"))


async def report(caller: Caller, transport: str, *events: Json) -> list[Json]:
    """Report events, which must all be accepted; return the answer for each."""
    if transport == "graphql":
        return list((await mutate(caller, "PublishEvents", events=events))["accepted"])
    answer = await caller.call("POST", "/api/v1/events", events)
    assert answer.status == 202, f"{answer.body!r:.500}"
    return list(orjson.loads(answer.body)["accepted"])


async def queue_attempt(caller: Caller, transport: str, board_id: str, card_id: str) -> tuple[str | None, Json]:
    """Queue an attempt; return the code of the refusal, or None and the attempt."""
    if transport == "graphql":
        payload = await mutate(caller, "QueueAttempt", boardId=board_id, input={"cardId": card_id, "agentKey": "A"})
        made = payload.get("attempt", {})
        return payload.get("code"), {**made, "id": made.get("attemptId")}
    answer = await caller.call("POST", f"/api/v1/boards/{board_id}/cards/{card_id}/attempts", {"agent": "A"})
    return rest_word(answer.status) if answer.status != 201 else None, orjson.loads(answer.body)


async def stop_attempt(caller: Caller, transport: str, attempt_id: str) -> str | None:
    """Stop an attempt; return the code of the refusal, or None."""
    if transport == "graphql":
        code: str | None = (await mutate(caller, "StopAttempt", input={"attemptId": attempt_id})).get("code")
        return code
    answer = await caller.call("PATCH", f"/api/v1/attempts/{attempt_id}", {"status": "stopped"})
    return rest_word(answer.status) if answer.status != 200 else None
