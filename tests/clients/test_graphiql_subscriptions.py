"""GraphiQL's subscriptions in Chromium, over each transport that a user can choose."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tests.clients.cut_proxy import open_proxy
from tests.clients.graphiql_visit import open_tab, run_operation, shown_result, visit_graphiql
from tests.clients.node_script import NodeScript
from tests.clients.rest_client import BoardClient
from tests.clients.visit import screenshot

# A browser on a busy machine needs longer than the other tests.
pytestmark = [pytest.mark.chromium, pytest.mark.timeout(240)]

TRANSPORTS = pytest.mark.parametrize("transport", ["WS", "SSE"])
HEADERS = {"Authorization": "Bearer of-the-pane", "X-Team": "blue"}


@TRANSPORTS
async def test_subscription_shows_mutation_of_second_page(server_url: str, board: BoardClient, transport: str) -> None:
    await board.create_card("There before")
    async with visit_graphiql(server_url, board) as script:
        await subscribe(script, transport, "There before")
        assert await connection(script, "connected") == f"connected by {transport}"
        await script.order("openPage")
        await script.wait_for("open")
        await open_tab(script, "CreateCard", page=1)
        created = await run_operation(script, "createCard", page=1)
        assert created["data"]["createCard"]["card"]["title"] == "Made in GraphiQL"
        shown = await shown_result(script, "Made in GraphiQL")
        assert titles(shown["data"]["boardState"]) == ["There before", "Made in GraphiQL"]
        await script.order("screenshot", path=screenshot(f"graphiql_{transport.lower()}.png"))
        await script.order("run")  # the same button stops it
        assert await connection(script, "idle") == "no subscription"
    subscribed = [report["at"] for report in script.reports if report["at"] in {"init", "post"}]
    assert subscribed == [{"WS": "init", "SSE": "post"}[transport]]


async def test_headers_reach_server_by_connection_init(server_url: str, board: BoardClient) -> None:
    await board.create_card("There before")
    async with visit_graphiql(server_url, board) as script:
        await subscribe(script, "WS", "There before", headers=HEADERS)
        payload = next(report["payload"] for report in script.reports if report["at"] == "init")
    assert payload == {name.lower(): value for name, value in HEADERS.items()}


async def test_headers_reach_server_by_http_for_sse(server_url: str, board: BoardClient) -> None:
    await board.create_card("There before")
    async with visit_graphiql(server_url, board) as script:
        await subscribe(script, "SSE", "There before", headers=HEADERS)
        headers = next(report["headers"] for report in script.reports if report["at"] == "post")
    assert {name.lower(): value for name, value in HEADERS.items()}.items() <= headers.items()


@TRANSPORTS
async def test_subscription_goes_on_after_lost_connection(server_url: str, board: BoardClient, transport: str) -> None:
    await board.create_card("There before")
    async with open_proxy(server_url) as proxy, visit_graphiql(proxy.url, board) as script:
        await subscribe(script, transport, "There before")
        assert proxy.cut() > 0
        assert await connection(script, "lost") == f"{transport} lost, trying again …"
        await board.create_card("Made while away")
        await shown_result(script, "Made while away")
        await connection(script, "connected")


async def test_last_hundred_events_stay_in_view(server_url: str, board: BoardClient) -> None:
    async with visit_graphiql(server_url, board) as script:
        fields = f'boardEvents(boardId: "{board.board_id}") {{ ... on AttemptLogAppended {{ message }} }}'
        await script.order("writeQuery", name="Lines", text=f"subscription Lines {{ {fields} }}")
        await script.order("run")
        await connection(script, "connected")
        lines = [_line(board, number) for number in range(120)]
        (await board.http.post("/api/v1/events", json=lines)).raise_for_status()
        await script.order("expectEvents", count=122)  # those of the beginning count too
        events = (await script.wait_for("events"))["texts"]
        assert len(events) == 100
        assert ["line 119" in events[0], "line 20" in events[99]] == [True, True], events
        await script.order("screenshot", path=screenshot("graphiql_events.png"))


def _line(board: BoardClient, number: int) -> dict[str, Any]:
    payload = {"boardId": board.board_id, "attemptId": "att-1", "level": "info", "message": f"line {number}"}
    return {"name": "attempt.log.appended", "payload": payload}


@TRANSPORTS
async def test_wrong_document_shows_its_errors(server_url: str, board: BoardClient, transport: str) -> None:
    async with visit_graphiql(server_url, board) as script:
        await script.order("chooseTransport", transport=transport)
        await script.order("writeQuery", name="Wrong", text="subscription Wrong { nonsense }")
        shown = await run_operation(script, "Cannot query field 'nonsense'")
        assert "data" not in shown
        # Over SSE the errors are an event like any other (graphql-sse PROTOCOL.md), and then the stream is complete.
        await connection(script, {"WS": "failed", "SSE": "idle"}[transport])


async def test_refused_stream_shows_reason_and_is_not_tried_again(server_url: str, board: BoardClient) -> None:
    async with visit_graphiql(server_url, board) as script:
        # Chromium joins it with the client's own value, and the result is not a type of a GraphQL request.
        wrong = {"Content-Type": "text/plain"}
        await subscribe(script, "SSE", "The server refused the subscription with 4", headers=wrong)
        await connection(script, "failed")
    assert [report["at"] for report in script.reports].count("post") == 1


async def test_chosen_transport_is_remembered(server_url: str, board: BoardClient) -> None:
    async with visit_graphiql(server_url, board) as script:
        await script.order("readTransport")
        assert (await script.wait_for("transport"))["chosen"] == "WS"
        await script.order("chooseTransport", transport="SSE")
        await script.order("openPage")
        await script.wait_for("open")
        await script.order("readTransport", page=1)
        assert (await script.wait_for("transport"))["chosen"] == "SSE"


async def subscribe(script: NodeScript, transport: str, text: str, *, headers: dict[str, str] | None = None) -> None:
    """Run `BoardState` over the transport until its result contains the text."""
    await script.order("chooseTransport", transport=transport)
    await open_tab(script, "BoardState")
    if headers is not None:  # each tab has its own
        await script.order("writeHeaders", text=orjson.dumps(headers).decode())
    await run_operation(script, text)


async def connection(script: NodeScript, state: str) -> str:
    """The text about the connection, once it has that state."""
    await script.order("expectConnection", state=state)
    return str((await script.wait_for("connection"))["text"])


def titles(board_state: dict[str, Any]) -> list[str]:
    """The titles of the first column, from top to bottom."""
    return [card["title"] for card in board_state["columns"][0]["cards"]]
