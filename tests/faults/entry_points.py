"""Requests to every entry point of a server whose store may be unavailable, and subscribers that stay connected."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson

from tests.clients.operations import read_operation
from tests.equivalence.mapping import Json
from tests.equivalence.subscriber import Subscriber
from tests.faults.copies import Copy
from tests.faults.received_events import received
from tests.faults.reporter import ATTEMPTS
from tests.faults.transcript import Transcript
from tests.faults.wanderer import EXITS, make_subscriber
from tests.kit.raw_http import Address, Answer, exchange
from tests.kit.raw_socket import open_socket

__all__ = [
    "BATCH_BYTES",
    "BOARD",
    "CARD",
    "Watcher",
    "check_accepted_everywhere",
    "check_file_refused_everywhere",
    "check_refused_everywhere",
    "watching",
]

BOARD = "board"
CARD = {"columnId": "todo", "title": "asked for"}
#: Bytes of the batch that is refused when the disk has only a little space.
BATCH_BYTES = 400_000


def _events_of_a_batch() -> list[Json]:
    line = {"boardId": BOARD, "attemptId": "a", "level": "info", "message": "x" * (BATCH_BYTES // 10)}
    return [
        {"name": "agent.registered", "payload": {"agent": "of a batch"}},
        *[{"name": "attempt.log.appended", "payload": line}] * 10,
    ]


async def _rest(address: Address, method: str, target: str, body: object) -> Answer:
    return await exchange(address, method, f"/api/v1/{target}", orjson.dumps(body))


async def _mutate(address: Address, operation: str, **variables: object) -> Json:
    body = orjson.dumps({"query": read_operation(operation), "variables": variables})
    answer: Any = (await exchange(address, "POST", "/graphql", body)).json()
    result: Json = answer
    return result


async def _command(address: Address) -> Json:
    """Send a command over a new socket. Return the reply: an error, or else the new state of the board."""
    async with open_socket(address, f"/api/v1/ws?boardId={BOARD}") as socket:
        for _ in range(2 + len(ATTEMPTS)):
            await socket.receive_text()
        await socket.send_json({"type": "create_card", "payload": CARD})
        reply: Json = orjson.loads(await socket.receive_text())
        return reply


async def check_refused_everywhere(address: Address, *, small_ones_too: bool) -> None:
    """Call every entry point. When the disk has a little space left, only large requests must be refused."""
    refused = [await _rest(address, "POST", "events", _events_of_a_batch())]
    mutated = [await _mutate(address, "PublishEvents", events=_events_of_a_batch())]
    if small_ones_too:
        refused.append(await _rest(address, "POST", f"boards/{BOARD}/cards", CARD))
        refused.append(await _rest(address, "PATCH", f"boards/{BOARD}/cards/of-{ATTEMPTS[0]}", {"title": "x"}))
        refused.append(await _rest(address, "PATCH", f"attempts/{ATTEMPTS[0]}?boardId={BOARD}", {"status": "stopped"}))
        refused.append(await _rest(address, "POST", "projects", {"name": "n", "repositoryPath": "/p"}))
        mutated.append(await _mutate(address, "CreateCard", boardId=BOARD, input=CARD))
        reply = await _command(address)
        assert (reply["type"], reply["payload"].get("code")) == ("error", "store_unavailable"), reply
        assert reply["payload"]["command"] == "create_card"
    for answer in refused:
        assert (answer.status, answer.header("Content-Type")) == (503, "application/problem+json"), answer
        assert answer.header("Retry-After") == "1"
    for result in mutated:
        assert [error["extensions"]["code"] for error in result["errors"]] == ["STORE_UNAVAILABLE"], result


async def check_file_refused_everywhere(address: Address) -> list[str]:
    """Call every entry point, including reads, of a server whose file is away; return the texts of the answers."""
    refused = [
        await _rest(address, "POST", "events", _events_of_a_batch()),
        await _rest(address, "POST", f"boards/{BOARD}/cards", CARD),
        await _rest(address, "PATCH", f"boards/{BOARD}/cards/of-{ATTEMPTS[0]}", {"title": "x"}),
        await _rest(address, "PATCH", f"attempts/{ATTEMPTS[0]}?boardId={BOARD}", {"status": "stopped"}),
        await _rest(address, "POST", "projects", {"name": "n", "repositoryPath": "/p"}),
        await exchange(address, "GET", "/api/v1/projects"),
        await exchange(address, "GET", "/api/v1/sse?boardId=another"),
    ]
    for answer in refused:
        assert (answer.status, answer.header("Content-Type")) == (503, "application/problem+json"), answer
    mutated = [
        await _mutate(address, "PublishEvents", events=_events_of_a_batch()),
        await _mutate(address, "CreateCard", boardId=BOARD, input=CARD),
    ]
    for result in mutated:
        assert [error["extensions"]["code"] for error in result["errors"]] == ["STORE_UNAVAILABLE"], result
    ready = await exchange(address, "GET", "/api/v1/readyz")
    said: Any = ready.json()
    assert (ready.status, said["ok"]) == (503, False)
    assert said["reason"].startswith("store: ")
    assert (await exchange(address, "GET", "/api/v1/healthz")).status == 200
    async with open_socket(address, "/api/v1/ws?boardId=another") as socket:
        code, reason = (await socket.receive()).close
    assert code == 1013
    return [answer.body.decode() for answer in [*refused, ready]] + [str(mutated), reason]


async def check_accepted_everywhere(address: Address) -> None:
    """Make a change through every entry point."""
    reply = await _command(address)
    assert reply["type"] == "state", reply
    assert (await _rest(address, "POST", f"boards/{BOARD}/cards", CARD)).status == 201
    assert (await _rest(address, "POST", "projects", {"name": "n", "repositoryPath": "/p"})).status == 201
    assert "errors" not in await _mutate(address, "CreateCard", boardId=BOARD, input=CARD)
    stopped = await _rest(address, "PATCH", f"attempts/{ATTEMPTS[0]}?boardId={BOARD}", {"status": "stopped"})
    assert stopped.status == 200, stopped


class Watcher:
    """A subscriber that stays connected."""

    def __init__(self, exit: str, address: Address, board_id: str = BOARD) -> None:
        """Read a board at one exit. `begin` connects."""
        self.subscriber: Subscriber = make_subscriber(exit, address, board_id=board_id)
        self.copy = Copy()
        self.transcript = Transcript()

    async def begin(self) -> str:
        """Connect and read the current state; return it."""
        await self.subscriber.open()
        self.transcript.connected(None, received(await self.subscriber.event(), self.copy))
        await self.take(1 + len(ATTEMPTS))
        return self.transcript.segments[0].state.words[0]

    async def take(self, count: int) -> None:
        """Read this many messages."""
        for _ in range(count):
            self.transcript.take(received(await self.subscriber.event(), self.copy))


@asynccontextmanager
async def watching(address: Address) -> AsyncIterator[dict[str, Watcher]]:
    """Watch the board at every exit until the block ends."""
    watchers = {exit: Watcher(exit, address) for exit in EXITS["boardEvents"]}
    try:
        for watcher in watchers.values():
            await watcher.begin()
        yield watchers
    finally:
        for watcher in watchers.values():
            await watcher.subscriber.aclose()
