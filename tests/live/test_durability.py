"""A file database: acknowledged writes are there after a stop, and after `kill -9`."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import anyio
import orjson
import pytest

from tests.kit.deadline import deadline
from tests.kit.publishing import Publisher, event
from tests.kit.raw_http import Address, exchange
from tests.kit.recordings import Json
from tests.kit.sse_reader import open_stream
from tests.live.boards import BOARD, DOING, TODO, make_boards
from tests.live.command import running

_CARDS = f"/api/v1/boards/{BOARD}/cards"


async def _json(address: Address, method: str, target: str, body: Json | None = None) -> Any:
    answer = await exchange(address, method, target, None if body is None else orjson.dumps(body))
    assert answer.status in {200, 201}, answer
    return answer.json()


async def _create(address: Address, title: str) -> Json:
    created = await _json(address, "POST", _CARDS, {"columnId": TODO, "title": title})
    card: Json = created["state"]["cards"][created["cardId"]]
    return card


async def _state(address: Address) -> Json:
    state: Json = (await _json(address, "GET", f"/api/v1/boards/{BOARD}"))["state"]
    return state


async def _cursor(address: Address) -> list[str]:
    """Return the parts of the cursor of the board's state."""
    async with open_stream(address, f"/api/v1/sse?boardId={BOARD}") as stream:
        _, hello = await stream.event()
    cursor: str = hello["cursor"]  # type: ignore[index]
    return cursor.split("-")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["stop", "kill-9"])
async def test_state_keys_and_offsets_survive(number: signal.Signals, tmp_path: Path) -> None:
    async with running(tmp_path) as server, deadline(20):
        await make_boards(server.address)
        cards = [await _create(server.address, f"Card {count}") for count in range(5)]
        await _json(server.address, "PATCH", f"{_CARDS}/{cards[0]['id']}", {"columnId": DOING, "index": 0})
        await Publisher(server.address).publish({**event("agent.registered", {"agent": "A"}), "id": "once"})
        before, cursor = await _state(server.address), await _cursor(server.address)
        server.send_signal(number)
        await server.wait()
    async with running(tmp_path) as server, deadline(20):
        assert await _state(server.address) == before
        assert await _cursor(server.address) == cursor
        again = await Publisher(server.address).try_publish(
            [{**event("agent.registered", {"agent": "A"}), "id": "once"}]
        )
        assert b'"duplicate":true' in again.body
        assert (await _create(server.address, "After"))["ticketKey"] == "AB-9"
        epoch, tag, offset, global_offset = await _cursor(server.address)
    assert [epoch, tag, global_offset] == [cursor[0], cursor[1], cursor[3]]
    assert int(offset) == int(cursor[2]) + 2  # the note and the new state
    assert [card["ticketKey"] for card in cards] == [f"AB-{count}" for count in range(4, 9)]


async def test_every_answered_command_is_there_after_a_kill_in_the_middle(tmp_path: Path) -> None:
    answered: list[Json] = []

    async def create_until_killed(address: Address, name: str) -> None:
        for count in range(10_000):
            try:
                answered.append(await _create(address, f"{name} {count}"))
            except (OSError, anyio.BrokenResourceError, anyio.EndOfStream, anyio.IncompleteRead):
                return

    async with running(tmp_path) as server, deadline(30):
        await make_boards(server.address)
        async with anyio.create_task_group() as group:
            for name in ("one", "two", "three"):
                group.start_soon(create_until_killed, server.address, name)
            while len(answered) < 60:
                await anyio.lowlevel.checkpoint()
            server.send_signal(signal.SIGKILL)
        await server.wait()
    async with running(tmp_path) as server, deadline(20):
        state = await _state(server.address)
    cards = state["cards"]
    assert all(cards.get(card["id"]) == card for card in answered)
    numbers = sorted(int(card["ticketKey"].partition("-")[2]) for card in cards.values())
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) - 3 - len(answered) <= 3  # stored, but not acknowledged: one for each client
