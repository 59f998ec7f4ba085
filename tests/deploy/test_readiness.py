"""HAProxy asks `readyz`: a node that is not ready gets no new streams, unless no node is ready."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import anyio.lowlevel

from tests.deploy.conftest import Site, readers, two_nodes
from tests.kit.deadline import deadline
from tests.kit.proxies import Proxy, running_proxy
from tests.kit.publishing import Publisher
from tests.kit.raw_http import exchange
from tests.kit.redis_server import RedisServer
from tests.live.boards import make_boards
from tests.live.nodes.readers import line
from tests.live.raw_board import RawSubscriber, open_board

_EXIT = "board-sse"
_NEITHER, _ONE, _BOTH = {"one": "DOWN", "two": "DOWN"}, {"one": "UP", "two": "DOWN"}, {"one": "UP", "two": "UP"}


@asynccontextmanager
async def _behind_haproxy(folder: Path, url: str, *brokers: str) -> AsyncIterator[Site]:
    """Run two nodes, each with its broker, behind HAProxy."""
    one, two = (("--broker-url", broker) for broker in brokers)
    async with two_nodes(folder, url, one, two) as nodes:
        await make_boards(nodes[0].address)
        with running_proxy("haproxy", [node.address for node in nodes]) as proxy:
            await proxy.accepts()
            yield Site(proxy, *nodes)


async def _states(proxy: Proxy, expected: dict[str, str]) -> None:
    """Wait until the health checks say so."""
    while proxy.servers("boardcast") != expected:
        await anyio.lowlevel.checkpoint()


async def _open(stack: AsyncExitStack, site: Site) -> RawSubscriber:
    stream = await stack.enter_async_context(open_board(site.address, _EXIT))
    while (await stream.envelope()).type != "state":
        pass
    return stream


async def test_unready_node_keeps_its_streams_and_gets_no_new_ones(
    tmp_path: Path, postgres_url: str, redis: RedisServer
) -> None:
    async with (
        _behind_haproxy(tmp_path, postgres_url, "memory://", redis.url) as site,
        deadline(60),
        AsyncExitStack() as stack,
    ):
        await _states(site.proxy, _BOTH)
        streams = [await _open(stack, site) for _ in range(4)]
        assert [await readers(node, _EXIT) for node in (site.one, site.two)] == [2, 2]
        redis.kill()
        await _states(site.proxy, _ONE)
        streams += [await _open(stack, site) for _ in range(4)]
        assert [await readers(node, _EXIT) for node in (site.one, site.two)] == [6, 2]
        await Publisher(site.address).publish(line("to all"))
        for stream in streams:
            while (envelope := await stream.envelope()).type != "attempt_log":
                pass
            assert envelope.payload["message"] == "to all"
        redis.start()
        await _states(site.proxy, _BOTH)


async def test_nodes_serve_when_none_is_ready(tmp_path: Path, postgres_url: str, redis: RedisServer) -> None:
    async with (
        _behind_haproxy(tmp_path, postgres_url, redis.url, redis.url) as site,
        deadline(60),
        AsyncExitStack() as stack,
    ):
        redis.kill()
        await _states(site.proxy, _NEITHER)
        assert (await exchange(site.address, "GET", "/api/v1/readyz")).status == 503
        stream = await _open(stack, site)
        await Publisher(site.address).publish(line("late"))
        while (await stream.envelope()).type != "attempt_log":
            pass
