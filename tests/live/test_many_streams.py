"""Two thousand streams of every exit end when a process stops or their token is revoked: each with its goodbye."""

from __future__ import annotations

import resource
import signal
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from itertools import cycle, islice
from pathlib import Path

import anyio
import pytest

from tests.kit.access_tokens import ADMIN, Admin
from tests.kit.deadline import deadline, seconds
from tests.kit.publishing import Publisher
from tests.kit.raw_http import Address, connect
from tests.kit.token_relay import relay_with_token
from tests.live.boards import make_boards
from tests.live.command import running
from tests.live.endings import read_to_end
from tests.live.exits import EXITS, ExitSubscriber, open_exit

_STREAMS = 2000
_STOP_UNITS = 10
_WAIT_UNITS = 60
#: Streams that are opened at the same time.
_OPENERS = 16
#: The clients answer no ping, and opening all of them may take longer than the server waits for a pong.
_FLAGS = ("--shutdown-grace-seconds", "60", "--ping-seconds", "600")
#: The word with which an exit's stream ends after its goodbye (`test_endings` has the details).
_WORDS = {name: 1012 if name.endswith("ws") else None for name in EXITS} | {"graphql-multipart": "SERVER_SHUTDOWN"}
#: The same after the end of a token.
_REVOKED = {name: 4403 if "graphql" in name else 4401 for name in EXITS if name.endswith("ws")}


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    """Raise the limit to one descriptor per socket, in this process and in its children."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = 3 * _STREAMS + 1000  # a relay has two for each stream
    if hard != resource.RLIM_INFINITY and hard < needed:
        pytest.skip(f"{needed} file descriptors are needed, {hard} allowed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class _Subscribers:
    """Subscribers, distributed over all exits."""

    def __init__(self, address: Address, stack: AsyncExitStack, count: int = _STREAMS) -> None:
        self._address = address
        self._stack = stack
        self._names = islice(cycle(EXITS), count)
        self.subscribers: list[tuple[str, ExitSubscriber]] = []

    async def open(self) -> None:
        """Open them, a few at a time."""
        async with anyio.create_task_group() as group:
            for _ in range(_OPENERS):
                group.start_soon(self._open_next)

    async def _open_next(self) -> None:
        for name in self._names:
            connection = await self._stack.enter_async_context(connect(self._address))
            self.subscribers.append((name, await open_exit(name, connection)))

    async def hints(self, words: Mapping[str, int | str | None]) -> list[int]:
        """Read every stream to the last word of its exit in `words`; return the reconnect delays in ms."""
        hints = []
        for name, subscriber in self.subscribers:
            end = await read_to_end(subscriber)
            # Heartbeats are ignored: it takes a while to open all streams.
            last, goodbye = [one for one in end.events if one[0] != "heartbeat"][-1]
            assert (last, end.word) == ("goodbye", words[name]), (name, end)
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
        assert len(subscribers.subscribers) == _STREAMS
        began = anyio.current_time()
        server.send_signal(signal.SIGTERM)
        hints = await subscribers.hints(_WORDS)
        end = await server.wait()
        took = anyio.current_time() - began
    assert (end.code, "Traceback" in end.err) == (0, False), end
    assert took < seconds(_STOP_UNITS)
    # The delays have a wider range than with a few clients, so that they do not all reconnect within a few seconds.
    assert max(hints) > 5000
    assert len(set(hints)) > _STREAMS / 4


@pytest.mark.timeout(240)
async def test_two_thousand_streams_of_a_revoked_token_end_within_a_second(
    tmp_path: Path, many_descriptors: None
) -> None:
    env = {"BOARDCAST_TOKENS": ADMIN}
    async with running(tmp_path, *_FLAGS, env=env) as server, deadline(2 * _WAIT_UNITS), AsyncExitStack() as stack:
        everything = await stack.enter_async_context(relay_with_token(server.address, ADMIN))
        await make_boards(everything)
        admin = Admin(server.address)
        tokens = [await admin.make(name) for name in ("many", "few")]
        addresses = [await stack.enter_async_context(relay_with_token(server.address, one.secret)) for one in tokens]
        many, few = _Subscribers(addresses[0], stack), _Subscribers(addresses[1], stack, len(EXITS))
        await many.open()
        await few.open()
        before = server.cpu_seconds
        assert await admin.revoke(tokens[0]) == 204  # all have got their goodbye
        used = server.cpu_seconds - before
        await Publisher(everything).mark("after")
        for name, subscriber in few.subscribers:
            while (event := await subscriber.event())[0] == "heartbeat":
                pass
            assert event[0] == "agent_registered", name
        hints = await many.hints({**dict.fromkeys(EXITS), **_REVOKED, "graphql-multipart": "UNAUTHENTICATED"})
    # A second, when the server has a core. The time on the clock also has the work of the clients and of other tests.
    assert used < seconds(1)
    assert len(hints) == _STREAMS
    assert len(set(hints)) > _STREAMS / 4
