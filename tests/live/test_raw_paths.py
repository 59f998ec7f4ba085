"""Ids are opaque: whatever characters they contain, percent-encoded they work at every address and on every exit."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import orjson
import pytest

from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer
from tests.kit.publishing import Publisher, event
from tests.kit.raw_http import Answer, exchange
from tests.kit.raw_socket import open_socket
from tests.kit.sse_reader import open_stream

_IDS = (
    *(
        "a/b",
        "/",
        "//",
        "..",
        ".",
        "%",
        "%2F",
        "a%2Fb",
        "a?b",
        "a#b",
        "a b",
        "a+b",
        "ü🙂",
        "\x00",
        "\n",
        "a\nb",
        "\x7f\r\t",
    ),
    *('"', "\\", "boards", ";=,&", "{id}", "\u2028", "x" * 200),
)
_COLUMN = "col/umn\n"


async def _call(live: LiveServer, method: str, target: str, body: object = None) -> Answer:
    async with deadline(10):
        content = None if body is None else orjson.dumps(body)
        return await exchange(live.address, method, target, content)


async def _made(live: LiveServer, id: str) -> None:
    """Make a board, a card and an attempt that all have the same id."""
    card = {"id": id, "title": "one"}
    state = {"columns": {_COLUMN: {"id": _COLUMN, "title": "Backlog", "cardIds": [id]}}, "columnOrder": [_COLUMN]}
    await Publisher(live.address).publish(
        event("project.created", {"projectId": id, "name": "P", "repositoryPath": "/x"}),
        event("board.state.changed", {"boardId": id, "state": {**state, "cards": {id: card}}}),
        event("attempt.queued", {"boardId": id, "attemptId": id, "cardId": id, "agent": "A"}),
    )


async def test_board_card_and_attempt_of_any_id_are_reachable(live: LiveServer) -> None:
    for id in _IDS:
        await _check_reachable(live, id)


async def _check_reachable(live: LiveServer, id: str) -> None:
    await _made(live, id)
    one = quote(id, safe="")
    board: Any = (await _call(live, "GET", f"/api/v1/boards/{one}")).json()
    assert board["state"]["cards"][id]["title"] == "one"
    card = f"/api/v1/boards/{one}/cards/{one}"
    assert (await _call(live, "PATCH", card, {"title": "two"})).status == 200
    for target in (f"/api/v1/attempts/{one}", f"/api/projects/{one}", f"/api/v1/projects/{one}/cards/{one}/attempt"):
        assert (await _call(live, "GET", target)).status == 200, target
    assert (await _call(live, "GET", f"/api/v1/attempts/{one}/logs")).json() == {"logs": []}
    async with deadline(10), open_stream(live.address, f"/api/v1/sse?boardId={one}") as stream:
        assert [(await stream.event())[0] for _ in range(2)] == ["hello", "state"]
    async with deadline(10), open_socket(live.address, f"/api/v1/ws?boardId={one}") as socket:
        assert orjson.loads(await socket.receive_text())["type"] == "hello"
    assert (await _call(live, "DELETE", card)).status == 204
    assert (await _call(live, "DELETE", f"/api/v1/projects/{one}")).status == 204


@pytest.mark.parametrize(
    "target",
    [
        *("/api/v1/boards/%ff", "/api/v1/boards/%c3%28/cards/x", "/api%2Fv1/healthz", "/api/v1/healthz%0A"),
        *("/api/v1%2Fhealthz", "/metrics%0A", "/graphql%0A", "/%0A", "/api/v1/projects%00"),
    ],
)
async def test_path_that_is_nothing_s_address_is_404(target: str, live: LiveServer) -> None:
    answer = await _call(live, "GET", target)
    assert (answer.status, answer.header("Content-Type")) == (404, "application/problem+json")


@pytest.mark.parametrize("target", ["/api/v1/boards/%", "/api/v1/boards/%zz", "/api/v1/boards/%f"])
async def test_path_that_is_not_percent_encoded_is_400(target: str, live: LiveServer) -> None:
    answer = await _call(live, "GET", target)
    assert (answer.status, answer.header("Content-Type")) == (400, "application/problem+json")


@pytest.mark.parametrize("target", ["/api/v1/ws%0A", "/%0A", "/nowhere%0Aelse", "/graphql%0A"])
async def test_socket_of_no_address_is_a_404_problem(target: str, live: LiveServer) -> None:
    async with deadline(10), open_socket(live.address, target) as socket:
        assert socket.response.status == 404
        assert socket.response.header("Content-Type") == "application/problem+json"


async def test_whole_server_lists_its_methods(live: LiveServer) -> None:
    answer = await _call(live, "OPTIONS", "*")
    assert answer.status == 204
    assert "DELETE" in (answer.header("Allow") or "")
    assert (await _call(live, "GET", "*")).status == 400
