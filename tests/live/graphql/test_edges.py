"""Edges in events: a client appends them to its pages of a log or a conversation.

The page is docs/graphql.md, "Lists, times and numbers".
"""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from tests.kit.deadline import deadline
from tests.kit.graphql_transports import TRANSPORTS, subscribe
from tests.kit.live_server import LiveServer, live_server
from tests.kit.publishing import Publisher, event
from tests.kit.raw_http import Address, exchange
from tests.kit.recordings import Json
from tests.live.boards import BOARD, OTHER, make_boards

_WAIT_UNITS = 20
_ATTEMPT = "a1"
_LINE = "edge { cursor node { logId ts level message } }"
_ITEM = "edge { cursor node { __typename ... on ErrorItem { itemKey timestamp text } } }"
_EVENT = f"""__typename ... on StreamEvent {{ cursor }} ... on AttemptLogAppended {{ message {_LINE} }}
  ... on ConversationItemAppended {{ {_ITEM} }} ... on GitPushCompleted {{ branch }}"""
_ARGUMENTS = f'boardId: "{BOARD}", after: $after'
_STREAMS = {
    "boardEvents": f"subscription ($after: String) {{ boardEvents({_ARGUMENTS}) {{ {_EVENT} }} }}",
    "changes": f"subscription ($after: String) {{ boardEvents({_ARGUMENTS}, delivery: CHANGES) {{ {_EVENT} }} }}",
    "attemptEvents": f"""subscription ($after: String) {{
      attemptEvents({_ARGUMENTS}, attemptId: "{_ATTEMPT}") {{ {_EVENT} }} }}""",
}
_PAGES = f"""query ($after: String) {{ attempt(boardId: "{BOARD}", attemptId: "{_ATTEMPT}") {{
  logs(after: $after) {{ edges {{ {_LINE.removeprefix("edge { ").removesuffix(" }")} }} }}
  conversation {{ edges {{ {_ITEM.removeprefix("edge { ").removesuffix(" }")} }} }} }} }}"""


def _of(board_id: str, **more: object) -> Json:
    return {"boardId": board_id, "attemptId": _ATTEMPT, **more}


def _batch() -> list[Json]:
    """Return events with lines and items of an attempt, and events that are none of its pages."""
    item = {"type": "error", "id": "i", "timestamp": "2025-01-02T03:04:05Z", "text": "failed"}
    push = {"projectId": BOARD, "attemptId": _ATTEMPT, "remote": "origin", "branch": "main"}
    return [
        event(
            "attempt.log.appended", _of(BOARD, level="warn", message="by its time", ts="2025-01-02T03:04:05.6+01:00")
        ),
        event("attempt.log.appended", _of(OTHER, level="info", message="of another board")),
        event("attempt.log.appended", _of(BOARD, level="info", message="by the event's time"), "2025-01-02T03:04:05Z"),
        event("attempt.conversation.appended", _of(BOARD, item=item)),
        event("git.push.completed", {**push, "ts": "2025-01-02T03:04:05.000Z"}),
        event("attempt.log.appended", _of(BOARD, level="error", message="by the server's time")),
        event("attempt.conversation.appended", _of(BOARD, item={**item, "text": "failed again"})),
    ]


async def _queue(address: Address) -> None:
    await make_boards(address)
    await Publisher(address).publish(event("attempt.queued", _of(BOARD, cardId="free", agent="A")))


async def _post(address: Address, query: str, **variables: object) -> Json:
    body = orjson.dumps({"query": query, "variables": variables})
    answer = await exchange(address, "POST", "/graphql", body)
    shown: Json = orjson.loads(answer.body)
    return shown


async def _pages(address: Address) -> tuple[list[Json], list[Json]]:
    attempt = (await _post(address, _PAGES))["data"]["attempt"]
    return attempt["logs"]["edges"], attempt["conversation"]["edges"]


async def _edges(
    address: Address, stream: str, transport: str, after: str | None, batch: list[Json] | None = None
) -> tuple[list[Json], list[Json]]:
    """Return the edges of a stream after `after`, up to the last event of the batch."""
    found: dict[str, list[Json]] = {"AttemptLogAppended": [], "ConversationItemAppended": []}
    async with subscribe(transport, address, _STREAMS[stream], {"after": after}) as subscription:
        (hello,) = (await subscription.data()).values()
        assert hello["__typename"] == "Hello"
        if batch:
            await Publisher(address).publish(*batch)
        while len(found["ConversationItemAppended"]) < 2:
            (shown,) = (await subscription.data()).values()
            if shown["__typename"] in found:
                found[shown["__typename"]].append(shown)
    lines, items = found.values()
    pushed = [one["message"] for one in lines if one["edge"] is None]
    assert pushed == ["[git] pushed to origin/main"]  # the log of the attempt does not have it
    return [one["edge"] for one in lines if one["edge"]], [one["edge"] for one in items]


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("stream", _STREAMS)
async def test_edge_of_an_event_is_that_of_the_page(stream: str, transport: str, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'b.db'}"
    async with deadline(_WAIT_UNITS):
        async with live_server(database_url=url) as server:
            await _queue(server.address)
            (before,) = await Publisher(server.address).publish(event("git.status.changed", {"projectId": BOARD}))
            live = await _edges(server.address, stream, transport, None, _batch())
            assert live == await _pages(server.address)
            assert [edge["node"]["message"] for edge in live[0]] == [
                "by its time",
                "by the event's time",
                "by the server's time",
            ]
        async with live_server(database_url=url) as server:
            assert await _edges(server.address, stream, transport, before) == live
            assert await _pages(server.address) == live


async def test_page_begins_after_the_edge_of_an_event(boards: LiveServer) -> None:
    async with deadline(_WAIT_UNITS):
        await _queue(boards.address)
        lines, _ = await _edges(boards.address, "boardEvents", "sse", None, _batch())
        rest = (await _post(boards.address, _PAGES, after=lines[0]["cursor"]))["data"]["attempt"]["logs"]["edges"]
    assert rest == lines[1:]


@pytest.mark.parametrize("change", [lambda at: "7", lambda at: at[1:], lambda at: f"x{at}", lambda at: f"{at}-1"])
async def test_cursor_that_is_none_of_the_page_is_refused(change: object, boards: LiveServer) -> None:
    assert callable(change)
    async with deadline(_WAIT_UNITS):
        await _queue(boards.address)
        lines, _ = await _edges(boards.address, "boardEvents", "sse", None, _batch())
        (error,) = (await _post(boards.address, _PAGES, after=change(lines[0]["cursor"])))["errors"]
    assert error["extensions"]["code"] == "INVALID_CURSOR"
