"""Every field of GraphQL over each transport on HTTP, with every token in every place of a request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any
from urllib.parse import urlencode

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
from tests.kit.multipart_reader import ACCEPT
from tests.kit.raw_http import Answer

_JSON, _STREAM = "application/json", "text/event-stream"
_NO_MUTATION = "405 GET executes no mutations, send them by POST"
_NO_SUBSCRIPTION = {"subscription": "OPERATION_NOT_AVAILABLE"}


def _of_json(body: bytes) -> Any:
    return orjson.loads(body)


def _of_stream(body: bytes) -> Any:
    """Return the first result of an event stream."""
    return orjson.loads(next(line for line in body.split(b"\n") if line.startswith(b"data: {"))[len("data: ") :])


def _of_parts(body: bytes) -> Any:
    """Return the first result of a multipart answer. A query is answered in one piece."""
    if not body.startswith(b"\r\n--graphql"):
        return orjson.loads(body)
    return orjson.loads(body.partition(b"\r\n\r\n")[2].partition(b"\r\n--graphql")[0])["payload"]


@dataclass(frozen=True)
class _Transport:
    accept: str
    #: Kind of operation → the outcome for every valid token, where the transport does not have it.
    missing: dict[str, str]
    read: Callable[[bytes], Any]
    method: str = "POST"
    #: The bytes at the end of the first result of a stream. On an event stream its id may follow.
    ends_with: bytes = b"}\n"


_TRANSPORTS = {
    "POST": _Transport(_JSON, _NO_SUBSCRIPTION, _of_json),
    "GET": _Transport(_JSON, {**_NO_SUBSCRIPTION, "mutation": _NO_MUTATION}, _of_json, "GET"),
    "SSE": _Transport(_STREAM, {}, _of_stream),
    "multipart": _Transport(ACCEPT, {}, _of_parts, ends_with=b"}\r\n--graphql"),
}
_WAYS = {way.name: way for way in HTTP_WAYS}


async def _ask(line: HttpLine, stage: Stage, row: FieldRow, transport: _Transport, token: Token, way: Way) -> Answer:
    variables = row.variables("alpha", stage.spare)
    target, body = "/graphql", orjson.dumps({"query": row.document, "variables": variables})
    if transport.method == "GET":
        query = {"query": row.document, "variables": orjson.dumps(variables).decode()}
        target, body = f"/graphql?{urlencode(query)}", b""
    given = stage.given(target, token, way)
    protocols = [("Sec-WebSocket-Protocol", one) for one in given.subprotocols]
    headers = [("Accept", transport.accept), *given.headers, *protocols]
    return await line.ask(transport.method, given.target, headers, body, ends_with=transport.ends_with)


@pytest.mark.parametrize("way", _WAYS)
@pytest.mark.parametrize("name", _TRANSPORTS)
async def test_every_token_gets_the_answer_of_its_grants(name: str, way: str, stage: Stage) -> None:
    cells, transport = Cells(stage), _TRANSPORTS[name]
    async with HttpLine(stage.live.address) as line:
        for row, token in product(field_rows(), TOKENS):
            cells.begin()
            answer = await _ask(line, stage, row, transport, token, _WAYS[way])
            got = of_result(row.field, transport.read(answer.body)) if answer.status == 200 else of_answer(answer)
            wanted = expected(row, token, _WAYS[way])
            if standing(token, _WAYS[way]) is Standing.VALID:
                wanted = transport.missing.get(row.kind) or row.over_http or wanted
            await cells.note(row, token, _WAYS[way], wanted, got)
    cells.check(len(field_rows()) * len(TOKENS))
