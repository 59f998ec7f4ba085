"""Two servers on one PostgreSQL database behind a proxy that has the configuration of `deploy/`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.kit.proxies import PROXIES, Proxy, running_proxy
from tests.kit.raw_http import Address
from tests.live.boards import make_boards
from tests.live.command import Process, running
from tests.live.scrape import key, samples

__all__ = ["Proxied", "Site", "proxied", "readers", "two_nodes"]


@dataclass(frozen=True)
class Site:
    """A proxy and the nodes behind it."""

    proxy: Proxy
    one: Process
    two: Process

    @property
    def address(self) -> Address:
        """The address of the proxy."""
        return self.proxy.address

    async def node_of(self, exit: str) -> tuple[Process, Process]:
        """Return the node that serves the only stream at an exit, and the other one."""
        first, second = await readers(self.one, exit), await readers(self.two, exit)
        assert (first, second) in ((1, 0), (0, 1))
        return (self.one, self.two) if first else (self.two, self.one)


#: The names that the files of `deploy/` have for the nodes.
NAMES = {"one": "node-8000", "two": "node-8001"}

Proxied = Callable[..., AbstractAsyncContextManager[Site]]


async def readers(node: Process, exit: str) -> int:
    """Return the number of open streams at an exit of a node."""
    return int((await samples(node.address)).get(key("readers", exit=exit), 0))


@asynccontextmanager
async def two_nodes(
    folder: Path, url: str, one: Sequence[str] = (), two: Sequence[str] = ()
) -> AsyncIterator[tuple[Process, Process]]:
    """Run two nodes on the database at `url` until the block ends, with flags for each."""
    async with AsyncExitStack() as stack:
        made = []
        for name, flags in (("one", one), ("two", two)):
            place = folder / name
            place.mkdir()
            words = ("--database-url", url, "--trusted-proxies", "127.0.0.1", "--node-name", NAMES[name], *flags)
            made.append(await stack.enter_async_context(running(place, *words)))
        yield made[0], made[1]


@pytest.fixture(params=PROXIES)
def proxied(request: pytest.FixtureRequest, tmp_path: Path, postgres_url: str) -> Proxied:
    """Start two nodes with two boards and a proxy before them, all of which end with the block."""

    @asynccontextmanager
    async def started(one: Sequence[str] = (), two: Sequence[str] = ()) -> AsyncIterator[Site]:
        async with two_nodes(tmp_path, postgres_url, one, two) as nodes:
            await make_boards(nodes[0].address)
            with running_proxy(request.param, [node.address for node in nodes]) as proxy:
                await proxy.accepts()
                yield Site(proxy, *nodes)

    return started
