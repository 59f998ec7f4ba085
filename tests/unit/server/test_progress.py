"""A watch over a connection cuts it only if its client reads nothing at all."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

import anyio.lowlevel

from server.connection.progress import ProgressWatch, has_grown, progress_of
from tests.kit.deadline import deadline

_WAITING = bytes(4 * 1024 * 1024)
_WATCH_SECONDS = 0.2


@asynccontextmanager
async def _connected() -> AsyncIterator[tuple[asyncio.Transport, socket.socket]]:
    """Yield a transport, and the socket on its other side, which only the test reads."""
    loop = asyncio.get_running_loop()
    with closing(socket.create_server(("127.0.0.1", 0))) as listening, closing(socket.socket()) as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        other.connect(listening.getsockname())
        other.setblocking(False)
        mine, _ = listening.accept()
        transport, _ = await loop.connect_accepted_socket(asyncio.Protocol, mine)
        try:
            yield transport, other
        finally:
            transport.abort()
            await anyio.lowlevel.checkpoint()


async def test_transport_of_which_nothing_is_taken_is_cut() -> None:
    async with deadline(10), _connected() as (transport, _):
        cut = asyncio.Event()
        watch = ProgressWatch(transport, _WATCH_SECONDS, cut.set)
        transport.write(_WAITING)
        watch.start()
        await cut.wait()
        assert transport.get_write_buffer_size() > 0


async def test_transport_of_which_some_is_taken_is_not_cut_until_none_is() -> None:
    loop = asyncio.get_running_loop()
    async with deadline(30), _connected() as (transport, other):
        cut = asyncio.Event()
        watch = ProgressWatch(transport, _WATCH_SECONDS, cut.set)
        transport.write(_WAITING)
        watch.start()
        left = len(_WAITING)
        while left:
            assert not cut.is_set()
            left -= len(await loop.sock_recv(other, 64 * 1024))
        assert not cut.is_set()
        # Nothing waits any more, so the watch stops. It must be started again.
        transport.write(_WAITING)
        watch.start()
        await cut.wait()


async def test_stopped_watch_and_one_without_anything_to_watch_cut_nothing() -> None:
    async with deadline(10), _connected() as (transport, _):
        cut = asyncio.Event()
        idle, stopped = (ProgressWatch(transport, _WATCH_SECONDS / 4, cut.set) for _ in range(2))
        idle.start()
        transport.write(_WAITING)
        stopped.start()
        stopped.stop()
        marker = asyncio.Event()
        ProgressWatch(transport, _WATCH_SECONDS, marker.set).start()
        await marker.wait()
        assert not cut.is_set()


async def test_progress_grows_when_the_other_side_takes_something_and_not_when_we_write() -> None:
    loop = asyncio.get_running_loop()
    async with deadline(10), _connected() as (transport, other):
        transport.write(_WAITING)
        full = progress_of(transport)
        while has_grown(full, now := progress_of(transport)):  # the system's buffers absorb it
            full = now
            await anyio.lowlevel.checkpoint()
        transport.write(_WAITING)
        assert progress_of(transport)[1] < full[1]
        while not has_grown(full, progress_of(transport)):
            await loop.sock_recv(other, 64 * 1024)
        assert progress_of(transport)[0] >= full[0]


async def test_transport_that_is_closed_has_some_progress_all_the_same() -> None:
    async with deadline(10), _connected() as (transport, _):
        transport.abort()
        await anyio.lowlevel.checkpoint()
        assert progress_of(transport)[1] <= 0
