"""Every field of GraphQL on a reserved event stream, whose operations come in requests of their own.

Each token has a stream of its own. A token that may have none asks about that of the operator.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count

import orjson
import pytest

from tests.doors.checking import Cells
from tests.doors.giving import HTTP_WAYS
from tests.doors.graphql_table import FieldRow, field_rows
from tests.doors.http_line import HttpLine
from tests.doors.outcomes import expected, of_answer, of_result
from tests.doors.rows import Way, standing
from tests.doors.stage import Stage
from tests.doors.tokens import TOKENS, Standing, Token
from tests.kit.access_tokens import ADMIN
from tests.kit.deadline import deadline
from tests.kit.raw_http import connect
from tests.kit.reserved_stream import ADDRESS, TOKEN, ReservedStream

_WAYS = {way.name: way for way in HTTP_WAYS}
_BEARER = ("Authorization", f"Bearer {ADMIN}")
_WAIT_UNITS = 10


class _Client:
    """Asks for the operations of one stream."""

    def __init__(self, line: HttpLine, reserved: ReservedStream) -> None:
        self._line = line
        self._reserved = reserved
        self._ids = count(1)

    async def ask(self, row: FieldRow, spare: str, target: str, headers: list[tuple[str, str]]) -> str:
        """Return the outcome on the stream, or that of the request if it is refused; stop a subscription."""
        id, stream = str(next(self._ids)), (TOKEN, self._reserved.token)
        variables = row.variables("alpha", spare)
        body = {"query": row.document, "variables": variables, "extensions": {"operationId": id}}
        sent = [("Accept", "application/json"), stream, *headers]
        answer = await self._line.ask("POST", target, sent, orjson.dumps(body))
        if answer.status not in (202, 204):
            return of_answer(answer)
        outcome = of_result(row.field, await self._result(id))
        if row.kind == "subscription":
            await self._line.ask(
                "DELETE", f"{target}{'&' if '?' in target else '?'}operationId={id}", [stream, *headers]
            )
        return outcome

    async def _result(self, id: str) -> object:
        async with deadline(_WAIT_UNITS):
            while True:
                block = await self._reserved.stream.block()
                if block.event == "next" and (data := block.json())["id"] == id:
                    return data["payload"]


@pytest.mark.parametrize("way", _WAYS)
async def test_every_token_gets_the_answer_of_its_grants(way: str, stage: Stage) -> None:
    cells = Cells(stage)
    for token in TOKENS:
        async with _streaming(stage, token, _WAYS[way]) as client:
            for row in field_rows():
                cells.begin()
                got = await client.ask(row, stage.spare, *_given(stage, token, _WAYS[way]))
                wanted = expected(row, token, _WAYS[way])
                if standing(token, _WAYS[way]) is Standing.VALID:
                    wanted = row.over_http or wanted
                await cells.note(row, token, _WAYS[way], wanted, got)
    cells.check(len(field_rows()) * len(TOKENS))


@asynccontextmanager
async def _streaming(stage: Stage, token: Token, way: Way) -> AsyncIterator[_Client]:
    """Open the stream of a token, or that of the operator if the token is not valid."""
    address = stage.live.address
    target, headers = _given(stage, token, way) if standing(token, way) is Standing.VALID else (ADDRESS, [_BEARER])
    async with HttpLine(address) as line, connect(address) as connection:
        made = await line.ask("PUT", target, headers)
        assert made.status == 201, made
        reserved = ReservedStream(address, made.body.decode())
        await reserved.open_on(connection, *headers, target=target)
        yield _Client(line, reserved)


def _given(stage: Stage, token: Token, way: Way) -> tuple[str, list[tuple[str, str]]]:
    given = stage.given(ADDRESS, token, way)
    return given.target, [*given.headers, *(("Sec-WebSocket-Protocol", one) for one in given.subprotocols)]
