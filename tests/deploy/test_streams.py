"""Streams through the proxies of `deploy/`: nothing is buffered, and they resume on the other node when one stops."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import orjson
import pytest

from tests.deploy.conftest import Proxied, Site, readers
from tests.kit.deadline import deadline
from tests.kit.graphql_transports import TRANSPORTS, Subscription, subscribe
from tests.kit.publishing import Publisher
from tests.kit.raw_http import exchange
from tests.kit.raw_socket import HANDSHAKE, open_socket
from tests.kit.reserved_stream import ADDRESS, open_reserved_stream
from tests.kit.sse_reader import open_stream
from tests.live.boards import BOARD
from tests.live.command import Process
from tests.live.nodes.readers import line, reading
from tests.live.raw_board import RAW_EXITS, OpeningRefused, RawSubscriber, open_board

_LINES = """subscription ($board: ID!) { boardEvents(boardId: $board) {
  __typename ... on AttemptLogAppended { message } } }"""
#: Addresses of the loopback device, each of which is a client.
_CLIENTS = [f"127.0.1.{n}" for n in range(1, 17)]


async def _next_line(subscription: Subscription) -> str:
    while (event := (await subscription.data())["boardEvents"])["__typename"] != "AttemptLogAppended":
        pass
    return str(event["message"])


async def test_events_come_while_streams_are_open(proxied: Proxied) -> None:
    async with proxied() as site, deadline(40), AsyncExitStack() as stack:
        raw = await stack.enter_async_context(reading(site.address))
        subscriptions = []
        for transport in TRANSPORTS:
            opened = await stack.enter_async_context(subscribe(transport, site.address, _LINES, {"board": BOARD}))
            while (await opened.data())["boardEvents"]["__typename"] != "State":
                pass
            subscriptions.append(opened)
        for message in ("first", "second"):
            await Publisher(site.address).publish(line(message))
            for reader in raw:
                await reader.has([message])
            assert [await _next_line(one) for one in subscriptions] == [message] * len(TRANSPORTS)


async def _read_until(stream: RawSubscriber, last: str, type: str) -> tuple[list[str], str]:
    """Read up to a line or the end, and return the lines and the last cursor; nothing may be missing."""
    lines: list[str] = []
    cursor = ""
    while True:
        envelope = await stream.envelope()
        assert envelope.type != "gap"
        cursor = envelope.cursor or cursor
        if envelope.type == "attempt_log":
            lines.append(envelope.payload["message"])
        if envelope.type == type and (not last or lines[-1] == last):
            return lines, cursor


async def _work_until_end(site: Site, node: Process) -> list[str]:
    """Send lines and ask for projects through the proxy until a node has ended, and return the lines.

    A node may close one connection that the system has accepted for it and it has not. The proxy does not send a line
    again, and the client does.
    """
    end = asyncio.create_task(node.wait())
    lines: list[str] = []
    refused = 0
    while not end.done():
        lines.append(f"line {len(lines)}")
        event = {**line(lines[-1]), "id": lines[-1]}
        while (answer := await Publisher(site.address).try_publish([event])).status != 202:
            refused += 1
            assert (answer.status, refused) == (502, 1)
        assert (await exchange(site.address, "GET", "/api/v1/projects")).status == 200
    assert (await end).code == 0
    return lines


@asynccontextmanager
async def _resumed(site: Site, exit: str, cursor: str) -> AsyncIterator[RawSubscriber]:
    """Come back after a node has ended, and once more if the proxy answers 502, as clients do."""
    async with AsyncExitStack() as stack:
        try:
            stream = await stack.enter_async_context(open_board(site.address, exit, after=cursor))
        except OpeningRefused as refused:
            if refused.answer.status != 502:
                pytest.fail(f"{refused.answer}, and the proxy logged: {site.proxy.log}")
            stream = await stack.enter_async_context(open_board(site.address, exit, after=cursor))
        yield stream


@pytest.mark.parametrize("exit", RAW_EXITS)
async def test_stream_resumes_on_the_other_node_when_its_own_stops(proxied: Proxied, exit: str) -> None:
    async with proxied() as site, deadline(40):
        async with open_board(site.address, exit) as stream:
            await _read_until(stream, "", "state")
            await Publisher(site.address).publish(line("before"))
            node, other = await site.node_of(exit)
            node.send_signal(signal.SIGTERM)
            async with asyncio.TaskGroup() as group:
                reading_on = group.create_task(_read_until(stream, "", "goodbye"))
                working = group.create_task(_work_until_end(site, node))
            (first, cursor), lines = reading_on.result(), working.result()
        await Publisher(site.address).publish(line("after"))
        async with _resumed(site, exit, cursor) as stream:
            second, _ = await _read_until(stream, "after", "attempt_log")
            assert await readers(other, exit) == 1
        assert first + second == ["before", *lines, "after"]


async def test_requests_about_a_reserved_stream_reach_its_node(proxied: Proxied) -> None:
    exit = "graphql-sse-single"
    async with proxied() as site, deadline(40), AsyncExitStack() as stack:
        token = ""
        for client in _CLIENTS:
            reserved = await stack.enter_async_context(open_reserved_stream(site.address, client))
            token = reserved.token
            for id in ("1", "2"):
                assert (await reserved.begin(id, _LINES, {"board": BOARD})).status == 202
            assert (await reserved.result())[0] in ("1", "2")
            assert (await reserved.stop("2")).status == 200
        counts = [await readers(node, exit) for node in (site.one, site.two)]
        assert sum(counts) == len(_CLIENTS)
        assert all(counts), "expected clients on both nodes"
        # The token may be in the address, and the client may come from another one.
        answer = await exchange(site.address, "DELETE", f"{ADDRESS}?operationId=1&token={token}")
        assert answer.status == 200
        # A client whose node has stopped reserves on the other one.
        site.one.send_signal(signal.SIGTERM)
        assert (await site.one.wait()).code == 0
        for client in _CLIENTS:
            reserved = await stack.enter_async_context(open_reserved_stream(site.address, client))
            assert (await reserved.begin("1", _LINES, {"board": BOARD})).status == 202


async def test_compressed_messages_come_at_once(proxied: Proxied) -> None:
    text = "a longer text, which is worth it; " * 60
    coding, offer = ("Accept-Encoding", "gzip, deflate, br"), ("Sec-WebSocket-Extensions", "permessage-deflate")
    async with (
        proxied() as site,
        deadline(40),
        open_stream(site.address, f"/api/v1/sse?boardId={BOARD}", [coding]) as reader,
        open_socket(site.address, f"/api/v1/ws?boardId={BOARD}", [*HANDSHAKE, offer]) as socket,
    ):
        assert reader.response.header("Content-Encoding") == "gzip"
        assert (socket.response.header("Sec-WebSocket-Extensions") or "").startswith("permessage-deflate")
        for _ in ("hello", "state"):
            await reader.event()
            await socket.receive()
        for number in range(3):
            await Publisher(site.address).publish(line(f"{number} {text}"))
            _, payload = await reader.event()
            frame = await socket.receive()
            assert (frame.is_deflated, orjson.loads(frame.text)["payload"]) == (True, payload)
            assert f"{number} {text}" in frame.text
