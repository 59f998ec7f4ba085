"""Two thousand streams of every exit end when a process stops: each with its goodbye, within seconds."""

from __future__ import annotations

import resource
import signal
from collections.abc import Iterator
from contextlib import AsyncExitStack
from itertools import cycle, islice
from pathlib import Path

import anyio
import pytest

from tests.kit.deadline import deadline, seconds
from tests.kit.raw_http import Address, connect
from tests.live.boards import make_boards
from tests.live.command import running
from tests.live.endings import read_to_end
from tests.live.exits import EXITS, ExitReader, open_exit

_STREAMS = 2000
_STOP_UNITS = 10
_WAIT_UNITS = 60
#: Streams that are opened at the same time.
_OPENERS = 16
#: The clients answer no ping, and opening all of them may take longer than the server waits for a pong.
_FLAGS = ("--shutdown-grace-seconds", "60", "--ping-seconds", "600")
#: The word with which an exit's stream ends after its goodbye (`test_endings` has the details).
_WORDS = {name: 1012 if name.endswith("ws") else None for name in EXITS} | {"graphql-multipart": "SERVER_SHUTDOWN"}


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    """Raise the limit to one descriptor per socket, in this process and in its children."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = _STREAMS + 1000
    if hard != resource.RLIM_INFINITY and hard < needed:
        pytest.skip(f"{needed} file descriptors are needed, {hard} allowed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class _Subscribers:
    """Subscribers, distributed over all exits."""

    def __init__(self, address: Address, stack: AsyncExitStack) -> None:
        self._address = address
        self._stack = stack
        self._names = islice(cycle(EXITS), _STREAMS)
        self.readers: list[tuple[str, ExitReader]] = []

    async def open(self) -> None:
        """Open them, a few at a time."""
        async with anyio.create_task_group() as group:
            for _ in range(_OPENERS):
                group.start_soon(self._open_next)

    async def _open_next(self) -> None:
        for name in self._names:
            connection = await self._stack.enter_async_context(connect(self._address))
            self.readers.append((name, await open_exit(name, connection)))

    async def hints(self) -> list[int]:
        """Read every stream to the end that its exit requires; return the reconnect delays in ms."""
        hints = []
        for name, reader in self.readers:
            end = await read_to_end(reader)
            # Heartbeats are ignored: it takes a while to open all streams.
            last, goodbye = [one for one in end.events if one[0] != "heartbeat"][-1]
            assert (last, end.word) == ("goodbye", _WORDS[name]), (name, end)
            hints.append(goodbye["reconnectAfterMs"])
        return hints


@pytest.mark.timeout(240)
async def test_two_thousand_streams_end_with_goodbye_and_the_process_with_0(
    tmp_path: Path, many_descriptors: None
) -> None:
    async with running(tmp_path, *_FLAGS) as server, AsyncExitStack() as stack, deadline(_WAIT_UNITS):
        await make_boards(server.address)
        subscribers = _Subscribers(server.address, stack)
        await subscribers.open()
        assert len(subscribers.readers) == _STREAMS
        began = anyio.current_time()
        server.send_signal(signal.SIGTERM)
        hints = await subscribers.hints()
        end = await server.wait()
        took = anyio.current_time() - began
    assert (end.code, "Traceback" in end.err) == (0, False), end
    assert took < seconds(_STOP_UNITS)
    # The delays have a wider range than with a few clients, so that they do not all reconnect within a few seconds.
    assert max(hints) > 5000
    assert len(set(hints)) > _STREAMS / 4
