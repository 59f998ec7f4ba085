"""Every address and every message of the raw WebSockets, with every token in every place of a handshake."""

from __future__ import annotations

import orjson
import pytest

from tests.doors.checking import Cells
from tests.doors.giving import SOCKET_WAYS, Given
from tests.doors.outcomes import expected, of_answer
from tests.doors.socket_table import SocketRow, socket_rows
from tests.doors.stage import Stage
from tests.doors.tokens import TOKENS
from tests.kit.deadline import deadline
from tests.kit.graphql_socket import HANDSHAKE
from tests.kit.raw_socket import CLOSE, TEXT, Frame, RawSocket, open_socket

_WAYS = {way.name: way for way in SOCKET_WAYS}
_WAIT_UNITS = 10


async def _outcome(stage: Stage, row: SocketRow, given: Given) -> str:
    protocols = [("Sec-WebSocket-Protocol", ", ".join((*given.subprotocols, "kanban")))]
    async with (
        deadline(_WAIT_UNITS),
        open_socket(stage.live.address, given.target, [*HANDSHAKE, *protocols, *given.headers]) as socket,
    ):
        if socket.response.status != 101:
            return of_answer(socket.response)
        assert socket.response.header("Sec-WebSocket-Protocol") == "kanban", "the answer has the token"
        first = await _text(socket)
        if first.opcode == CLOSE:
            return "{} {}".format(*first.close)
        return str(orjson.loads(first.text)["type"]) if row.message is None else await _reply(socket, row)


async def _reply(socket: RawSocket, row: SocketRow) -> str:
    """Send the message and a ping; return the error that comes before the pong."""
    await socket.send_json(row.message)
    await socket.send_json({"type": "ping"})
    outcome = "done"
    while (message := orjson.loads((await _text(socket)).text))["type"] != "pong":
        if message["type"] == "error":
            outcome = f"error {message['payload']['code']}"
    return outcome


async def _text(socket: RawSocket) -> Frame:
    while (frame := await socket.receive()).opcode not in (TEXT, CLOSE):
        pass
    return frame


@pytest.mark.parametrize("way", _WAYS)
async def test_every_token_gets_the_answer_of_its_grants(way: str, stage: Stage) -> None:
    cells, rows = Cells(stage), socket_rows()
    for row in rows:
        for token in TOKENS:
            cells.begin()
            got = await _outcome(stage, row, stage.given(row.target, token, _WAYS[way]))
            await cells.note(row, token, _WAYS[way], expected(row, token, _WAYS[way]), got)
    cells.check(len(rows) * len(TOKENS))
