"""Limits of two servers with one Redis: a client that one of them has refused is refused by the other, too."""

from __future__ import annotations

import anyio.lowlevel
from redis.asyncio import Redis

from tests.kit.access_tokens import ADMIN
from tests.kit.deadline import deadline
from tests.kit.raw_http import Address, exchange
from tests.kit.redis_server import RedisServer
from tests.live.nodes.conftest import Nodes

MOST = 5
_TOKENS = ("--tokens", ADMIN, "--max-failed-authentications", str(MOST))


async def _wrong(address: Address) -> int:
    answer = await exchange(address, "GET", "/api/v1/projects", headers=[("Authorization", "Bearer wrong")])
    return answer.status


async def test_wrong_tokens_are_counted_over_both_servers(nodes: Nodes, redis: RedisServer) -> None:
    async with nodes("--broker-url", redis.url, *_TOKENS) as (one, other), deadline(60):
        answers = [await _wrong(one.address) for _ in range(MOST)]
        assert answers == [401] * MOST
        await _level_below(redis, 1)
        assert await _wrong(other.address) == 401  # it does not know yet, and asks
        await _level_below(redis, 0)
        while (status := await _wrong(other.address)) == 401:
            answers.append(status)  # the answer of Redis is on its way
        assert status == 429
        assert len(answers) < 2 * MOST - 1


async def _level_below(redis: RedisServer, most: float) -> None:
    """Wait until Redis counts fewer tokens than this for some client."""
    async with Redis.from_url(redis.url, decode_responses=True) as client:
        while not [key async for key in client.scan_iter() if float(await client.hget(key, "level") or 0) < most]:
            await anyio.lowlevel.checkpoint()
