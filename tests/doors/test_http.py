"""Every method of every address over HTTP, with every token in every place of a request."""

from __future__ import annotations

from itertools import groupby, product

import orjson
import pytest

from tests.doors.checking import Cells
from tests.doors.giving import HTTP_WAYS, Given
from tests.doors.http_line import HttpLine
from tests.doors.outcomes import expected, of_answer
from tests.doors.rest_table import HttpRow, http_rows
from tests.doors.rows import Way
from tests.doors.stage import SECRET_WORD, Stage
from tests.doors.tokens import TOKENS
from tests.kit.raw_http import Answer

_ROWS = {
    name: list(rows) for name, rows in groupby(sorted(http_rows(), key=lambda row: row.name), lambda row: row.name)
}


def _ways(row: HttpRow) -> tuple[Way, ...]:
    if row.target == "*":  # it cannot have a query (RFC 9112, 3.2.4)
        return tuple(way for way in HTTP_WAYS if not way.name.startswith("query"))
    if row.ends_session:  # that of the operator would end
        return tuple(way for way in HTTP_WAYS if not way.beside_cookie)
    # The same handlers serve both prefixes. The gate in front of them finds the token before it knows the address.
    is_older = row.target.startswith("/api/") and not row.target.startswith("/api/v1/")
    return tuple(way for way in HTTP_WAYS if way.counts) if is_older else HTTP_WAYS


async def _ask(line: HttpLine, row: HttpRow, given: Given) -> Answer:
    protocols = [("Sec-WebSocket-Protocol", one) for one in given.subprotocols]
    body = b"" if row.body is None else orjson.dumps(row.body)
    headers = [*row.headers, *given.headers, *protocols]
    return await line.ask(row.method, given.target, headers, body, ends_with=SECRET_WORD.encode())


@pytest.mark.parametrize("name", _ROWS)
async def test_every_token_gets_the_answer_of_its_grants(name: str, stage: Stage) -> None:
    cells, every = Cells(stage), [(row, way) for row in _ROWS[name] for way in _ways(row)]
    async with HttpLine(stage.live.address) as line:
        for (row, way), token in product(every, TOKENS):
            cells.begin()
            is_ended = row.ends_session and way.by_session
            text = await stage.sign_in(token) if is_ended else None
            given = stage.given(row.target.replace("SPARE", stage.spare), token, way, text)
            answer = await _ask(line, row, given)
            await cells.note(row, token, way, expected(row, token, way), of_answer(answer))
    cells.check(len(every) * len(TOKENS))
