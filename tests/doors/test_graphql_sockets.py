"""Every field of GraphQL over both subprotocols of WebSocket, with every token in every place."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from itertools import count
from typing import Any

import orjson
import pytest

from tests.doors.checking import Cells
from tests.doors.giving import INIT_WAYS, SOCKET_WAYS, Given
from tests.doors.graphql_table import FieldRow, field_rows
from tests.doors.outcomes import expected, of_answer, of_result
from tests.doors.stage import Stage
from tests.doors.tokens import TOKENS
from tests.kit.deadline import deadline
from tests.kit.graphql_socket import HANDSHAKE
from tests.kit.raw_http import Answer
from tests.kit.raw_socket import CLOSE, PING, RawSocket, open_socket

#: Subprotocol → its types of the messages that start an operation, and that stop it.
_WORDS = {"graphql-transport-ws": ("subscribe", "complete"), "graphql-ws": ("start", "stop")}
_WAYS = {way.name: way for way in (*SOCKET_WAYS, *INIT_WAYS)}
_WAIT_UNITS = 10


class _Client:
    def __init__(self, socket: RawSocket, subprotocol: str) -> None:
        self._socket = socket
        self._start, self._stop = _WORDS[subprotocol]
        self._ids = count(1)

    async def ask(self, row: FieldRow, spare: str) -> str:
        """Start an operation, and stop it after its first result; return the outcome, or the close frame."""
        id = str(next(self._ids))
        payload = {"query": row.document, "variables": row.variables("alpha", spare)}
        await self._socket.send_json({"id": id, "type": self._start, "payload": payload})
        while isinstance(message := await self.message(), dict):
            if message["type"] in ("next", "data", "error") and message["id"] == id:
                if row.kind == "subscription":
                    await self._socket.send_json({"id": id, "type": self._stop})
                return of_result(row.field, _result(message))
        return message

    async def message(self) -> dict[str, Any] | str:
        """Return the next message; code and reason, if it is a close frame."""
        async with deadline(_WAIT_UNITS):
            while (frame := await self._socket.receive()).opcode == PING:
                pass
        if frame.opcode == CLOSE:
            return "{} {}".format(*frame.close)
        parsed: dict[str, Any] = orjson.loads(frame.text)
        return parsed


def _result(message: dict[str, Any]) -> Any:
    """Return a result or a list of errors. The older subprotocol sends one error without a list."""
    payload = message["payload"]
    return [payload] if message["type"] == "error" and isinstance(payload, dict) else payload


@asynccontextmanager
async def _opened(stage: Stage, given: Given, subprotocol: str) -> AsyncIterator[_Client | Answer]:
    """Open a connection and initialise it; yield the answer instead, if the handshake is refused."""
    offered = ", ".join((*given.subprotocols, subprotocol))
    headers = [*HANDSHAKE, ("Sec-WebSocket-Protocol", offered), *given.headers]
    async with open_socket(stage.live.address, given.target, headers) as socket:
        if socket.response.status == 101:
            await socket.send_json({"type": "connection_init", "payload": given.payload})
        yield _Client(socket, subprotocol) if socket.response.status == 101 else socket.response


async def _outcomes(stage: Stage, given: Given, subprotocol: str) -> AsyncGenerator[tuple[FieldRow, str], None]:
    """Yield each row with its outcome. All share a connection, until the server closes it."""
    async with AsyncExitStack() as stack:
        client: _Client | Answer | None = None
        for row in field_rows():
            if client is None:
                client = await stack.enter_async_context(_opened(stage, given, subprotocol))
            # A handshake names no operation, so its refusal is the answer to each.
            got = of_answer(client) if isinstance(client, Answer) else await client.ask(row, stage.spare)
            yield row, got
            if got.startswith("4"):
                client = client if isinstance(client, Answer) else None


@pytest.mark.parametrize("way", _WAYS)
@pytest.mark.parametrize("subprotocol", _WORDS)
async def test_every_token_gets_the_answer_of_its_grants(subprotocol: str, way: str, stage: Stage) -> None:
    cells = Cells(stage)
    for token in TOKENS:
        given = stage.given("/graphql", token, _WAYS[way])
        cells.begin()
        async with aclosing(_outcomes(stage, given, subprotocol)) as outcomes:
            async for row, got in outcomes:
                wanted = expected(row, token, _WAYS[way], asks_at_init=True)
                await cells.note(row, token, _WAYS[way], wanted, got)
                cells.begin()
    cells.check(len(TOKENS) * len(field_rows()))
