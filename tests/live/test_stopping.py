"""Shutdown: every stream gets the goodbye of its protocol, and the process exits with 0 within the grace period."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import anyio
import pytest

from tests.kit.deadline import deadline, seconds
from tests.kit.publishing import Publisher
from tests.kit.raw_http import Address, Connection, connect
from tests.live.boards import BOARD, make_boards
from tests.live.command import Process, running
from tests.live.endings import read_to_end
from tests.live.exits import EXITS, Ended, ExitSubscriber, open_exit
from tests.live.graphql.client import connected, subscribe_message

_LABEL = "x" * 50_000
#: The number of publications: more than the kernel buffers for a client that does not read.
_MARKS = 60
_GRAPHQL_SOCKETS, _RESERVED = {"graphql-ws", "older-graphql-ws"}, "graphql-sse-single"
_GOODBYES = "subscription ($id: ID!) { boardEvents(boardId: $id) { __typename ... on Goodbye { reconnectAfterMs } } }"


@asynccontextmanager
async def _subscribers(address: Address) -> AsyncIterator[dict[str, ExitSubscriber]]:
    async with AsyncExitStack() as stack:
        yield {name: await open_exit(name, await stack.enter_async_context(connect(address))) for name in EXITS}


async def _check_goodbyes(subscribers: dict[str, ExitSubscriber]) -> None:
    hints = set()
    for name, subscriber in subscribers.items():
        end = await read_to_end(subscriber)
        assert [type_ for type_, _ in end.events] == ["goodbye"], name
        assert 0 < end.events[0][1]["reconnectAfterMs"] <= 5000
        hints.add(end.events[0][1]["reconnectAfterMs"])
    assert len(hints) > 1, "the hints are to spread the subscribers"


async def _check_quiet_end(server: Process) -> None:
    end = await server.wait()
    assert end.code == 0, end
    assert end.out == ""
    assert "Traceback" not in end.err
    assert "error" not in end.err.lower(), end.err


_SIGNALS = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda one: one.name)


@_SIGNALS
async def test_signal_ends_every_stream_with_goodbye_and_the_process_with_0(
    number: signal.Signals, tmp_path: Path
) -> None:
    async with running(tmp_path, "--shutdown-grace-seconds", "20") as server, deadline(15):
        await make_boards(server.address)
        async with _subscribers(server.address) as subscribers:
            server.send_signal(number)
            await _check_goodbyes(subscribers)
            # The clients still hold their connections, and nothing waits for them to leave.
            await _check_quiet_end(server)


async def test_stop_without_a_subscriber_takes_no_grace(tmp_path: Path) -> None:
    async with running(tmp_path, "--shutdown-grace-seconds", "60") as server, deadline(10):
        await make_boards(server.address)
        server.send_signal(signal.SIGTERM)
        await _check_quiet_end(server)


async def test_idle_connections_do_not_hold_the_stop_up(tmp_path: Path) -> None:
    flags = ("--shutdown-grace-seconds", "60")
    async with (
        running(tmp_path, *flags) as server,
        deadline(10),
        connect(server.address),
        connect(server.address) as half,
    ):
        await half.send(b"GET /api/v1/healthz HTT")
        server.send_signal(signal.SIGTERM)
        await _check_quiet_end(server)


async def _stuck_subscribers(stack: AsyncExitStack, address: Address) -> None:
    """Open every exit, read nothing, and publish more than the kernel buffers."""
    for name in EXITS:
        await open_exit(name, await stack.enter_async_context(connect(address, 4096)))
    for _ in range(_MARKS):
        await Publisher(address).mark(_LABEL)


async def test_stuck_subscribers_are_cut_when_the_grace_is_over(tmp_path: Path) -> None:
    async with running(tmp_path, "--shutdown-grace-seconds", "1") as server, AsyncExitStack() as stack, deadline(20):
        await make_boards(server.address)
        await _stuck_subscribers(stack, server.address)
        began = anyio.current_time()
        server.send_signal(signal.SIGTERM)
        end = await server.wait()
        assert end.code == 0, end
        assert "Traceback" not in end.err, end.err
        assert anyio.current_time() - began < seconds(6)


@_SIGNALS
async def test_second_signal_ends_at_once(number: signal.Signals, tmp_path: Path) -> None:
    async with running(tmp_path, "--shutdown-grace-seconds", "300") as server, AsyncExitStack() as stack, deadline(20):
        await make_boards(server.address)
        await _stuck_subscribers(stack, server.address)
        witness = await open_exit("board-ws", await stack.enter_async_context(connect(server.address)))
        server.send_signal(number)
        assert (await witness.event())[0] == "goodbye"  # the server obeys the first signal
        server.send_signal(number)
        end = await server.wait()
        assert end.code == 0, end
        assert "Traceback" not in end.err, end.err


@asynccontextmanager
async def _stopping_for_long(server: Process) -> AsyncIterator[None]:
    """Stop `server` while clients that do not read delay it."""
    async with AsyncExitStack() as stack:
        await _stuck_subscribers(stack, server.address)
        witness = await open_exit("board-ws", await stack.enter_async_context(connect(server.address)))
        server.send_signal(signal.SIGTERM)
        assert (await witness.event())[0] == "goodbye"
        yield


async def _sent_away(name: str, connection: Connection) -> tuple[list[str], int | str | None]:
    """Return the events after hello and state, and the last word."""
    try:
        end = await read_to_end(await open_exit(name, connection))
    except Ended as ended:
        return [], ended.word
    return [type_ for type_, _ in end.events], end.word


async def test_client_that_connects_during_the_shutdown_is_sent_away_at_once(tmp_path: Path) -> None:
    async with running(tmp_path, "--shutdown-grace-seconds", "300") as server, AsyncExitStack() as stack, deadline(20):
        await make_boards(server.address)
        # On connections that are already open. A reservation would need a new connection.
        waiting = {
            name: await stack.enter_async_context(connect(server.address)) for name in EXITS if name != _RESERVED
        }
        async with _stopping_for_long(server):
            for name, connection in waiting.items():
                received, word = await _sent_away(name, connection)
                if name in _GRAPHQL_SOCKETS:
                    assert word == 1012  # mostly before the server reads the operation
                else:
                    assert received == ["goodbye"], name
            with pytest.raises(ConnectionRefusedError):
                await stack.enter_async_context(connect(server.address))


async def test_graphql_sockets_close_with_the_last_of_their_operations(tmp_path: Path) -> None:
    async with running(tmp_path, "--shutdown-grace-seconds", "300") as server, deadline(20):
        await make_boards(server.address)
        async with connected(server.address) as idle, connected(server.address) as busy:
            for id in ("1", "2"):
                await busy.send(subscribe_message(id, _GOODBYES, variables={"id": BOARD}))
                for _ in range(2):
                    assert (await busy.message())["id"] == id
            async with _stopping_for_long(server):
                for _ in range(2 * _MARKS):
                    assert (await busy.message())["type"] == "next"
                last = [await busy.message() for _ in range(2)]
                assert [one["id"] for one in last] == ["1", "2"]
                received = [one["payload"]["data"]["boardEvents"] for one in last]
                # One end for both operations, and one delay: the client reconnects once.
                assert received[0] == received[1]
                assert received[0]["__typename"] == "Goodbye"
                # The others still delay the server.
                for client in (idle, busy):
                    assert await client.closed() == (1012, "Server restarts")


async def test_demo_stops_with_the_server(tmp_path: Path) -> None:
    async with running(tmp_path, "--demo", "--demo-pace", "50") as server, deadline(20):
        async with connect(server.address) as connection:
            subscriber = await open_exit("dashboard-ws", connection)
            for _ in range(3):
                assert (await subscriber.event())[0] in {"dashboard_overview", "agent_registered", "agent_profile"}
            server.send_signal(signal.SIGTERM)
            end = await read_to_end(subscriber)
        assert (end.events[-1][0], end.word) == ("goodbye", 1012)
        await _check_quiet_end(server)
