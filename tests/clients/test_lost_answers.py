"""Answers get lost at random, clients repeat their requests by themselves, and each request happens once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import anyio
import orjson
import pytest

from realtime.kanban.ids import BoardId
from realtime.messages.channels import board_channel
from tests.clients.graphql_clients import RETRYING
from tests.clients.lossy_proxy import LossyProxy, open_lossy_proxy
from tests.clients.node_script import NodeScript
from tests.clients.operations import read_operation
from tests.clients.rest_client import BoardClient
from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer
from tests.kit.raw_http import Address
from tests.kit.raw_socket import CLOSE, Closed, RawSocket, open_socket

_CARDS = 25
_WAIT_UNITS = 60


async def _happened(live: LiveServer, board: BoardClient) -> Counter[str]:
    """Count the events in the log of the board by name."""
    page = await live.node.store.event_page(board_channel(BoardId(board.board_id)), 0, 1000)
    return Counter(event.name for _, event in page.entries)


async def _check(live: LiveServer, board: BoardClient, proxy: LossyProxy, titles: list[str]) -> None:
    """Check that each card was created and moved once, although answers were lost."""
    assert proxy.lost >= _CARDS
    state = await board.state()
    assert board.titles(state, 2) == titles[::-1]
    assert len(state["cards"]) == _CARDS
    happened = await _happened(live, board)
    assert (happened["card.created"], happened["card.moved"]) == (_CARDS, _CARDS)
    assert happened["board.state.changed"] == 2 * _CARDS


async def _mutate(script: NodeScript, operation: str, board: BoardClient, **input: object) -> dict[str, Any]:
    key = str(uuid4())
    variables = {"boardId": board.board_id, "input": {**input, "idempotencyKey": key}}
    await script.order("mutate", name=key, query=read_operation(operation), variables=variables)
    data: dict[str, Any] = (await script.wait_for("result", name=key, units=_WAIT_UNITS))["result"]["data"]
    (payload,) = data.values()
    return dict(payload["card"])


@pytest.mark.node
@pytest.mark.parametrize("name", RETRYING)
async def test_each_mutation_happens_once(name: str, live: LiveServer, board: BoardClient) -> None:
    titles = [f"Card {n}" for n in range(_CARDS)]
    async with (
        open_lossy_proxy(live.url, seed=14) as proxy,
        RETRYING[name].start(proxy.url) as script,
        deadline(2 * _WAIT_UNITS),
    ):
        for title in titles:
            card = await _mutate(script, "CreateCard", board, columnId=board.column_ids[0], title=title)
            assert card["title"] == title
            moved = await _mutate(
                script, "MoveCard", board, cardId=card["id"], toColumnId=board.column_ids[2], toIndex=0
            )
            assert moved["id"] == card["id"]
        await _check(live, board, proxy, titles)


class _Retrying:
    """A client of the raw WebSocket that sends a command again until it knows that the server has carried it out."""

    def __init__(self, address: Address, board: BoardClient) -> None:
        self._address = address
        self._target = f"/api/v1/ws?boardId={board.board_id}"

    async def carry_out(self, type: str, payload: Mapping[str, object]) -> None:
        command = {"type": type, "payload": payload, "key": str(uuid4())}
        while not await self._try(command):
            pass

    async def _try(self, command: Mapping[str, object]) -> bool:
        try:
            async with open_socket(self._address, self._target) as socket:
                await socket.send_json(command)
                await socket.send_json({"type": "ping"})  # commands are carried out in order, so `pong` comes behind it
                return await _sees_pong(socket)
        except (Closed, OSError, anyio.IncompleteRead, anyio.EndOfStream, anyio.BrokenResourceError):
            return False


async def _sees_pong(socket: RawSocket) -> bool:
    while (frame := await socket.receive()).opcode != CLOSE:
        message = orjson.loads(frame.payload) if frame.payload else {}
        assert message.get("type") != "error", message
        if message.get("type") == "pong":
            return True
    return False


async def test_each_command_of_a_socket_happens_once(live: LiveServer, board: BoardClient) -> None:
    titles = [f"Card {n}" for n in range(_CARDS)]
    async with open_lossy_proxy(live.url, seed=14) as proxy, deadline(2 * _WAIT_UNITS):
        host, _, port = proxy.url.removeprefix("http://").partition(":")
        client = _Retrying((host, int(port)), board)
        for title in titles:
            await client.carry_out("create_card", {"columnId": board.column_ids[0], "title": title})
            state = await board.state()
            (card_id,) = state["columns"][board.column_ids[0]]["cardIds"]
            move = {"cardId": card_id, "toColumnId": board.column_ids[2], "toIndex": 0}
            await client.carry_out("move_card", move)
        await _check(live, board, proxy, titles)
