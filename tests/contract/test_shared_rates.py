"""Rates that nodes count together in Redis: what one node gave, another does not give again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from realtime.backends.brokers.redis_rates import CLIENTS_PER_CALL, RateExchange
from realtime.limits import LimitReached
from realtime.rates import MINUTE, Rate, Rates
from tests.kit.redis_server import RedisServer

CLIENT = "192.0.2.1"
MOST = 10


class Node:
    """One rate of a node, and its exchange."""

    def __init__(self, client: Redis, installation: str = "one", name: str = "failures") -> None:
        rates = Rates()
        self.rate = rates.add(name, Rate(MOST, "wrong tokens", lambda: 0.0, period=MINUTE))
        self._exchange = RateExchange(client, rates, installation)

    async def exchange(self) -> None:
        """Exchange once."""
        await self._exchange.exchange()

    async def spend(self, count: int, client: str = CLIENT) -> None:
        """Take tokens, and exchange."""
        self.rate.spend(count, client)
        await self.exchange()

    def left(self, client: str = CLIENT) -> int:
        """Take all tokens of the client one by one; return their number."""
        for count in range(2 * MOST):
            try:
                self.rate.spend(1, client)
            except LimitReached:
                return count
        return 2 * MOST


@pytest.fixture
async def clients(redis: RedisServer) -> AsyncIterator[list[Redis]]:
    """Two clients of one server."""
    async with AsyncExitStack() as stack:
        made = [Redis.from_url(redis.url, decode_responses=True) for _ in range(2)]
        for client in made:
            stack.push_async_callback(client.aclose)
        yield made


@pytest.fixture
async def nodes(clients: list[Redis]) -> tuple[Node, Node]:
    """Two nodes that count together from now on."""
    one, other = (Node(client) for client in clients)
    await one.exchange()
    await other.exchange()
    return one, other


async def test_tokens_of_one_node_are_gone_on_the_other(nodes: tuple[Node, Node]) -> None:
    one, other = nodes
    await one.spend(7)
    await other.spend(1)
    assert other.left() == 2
    await other.exchange()
    await one.spend(0)
    assert one.left() == 0


async def test_debt_of_two_nodes_is_the_debt_of_both(nodes: tuple[Node, Node], clients: list[Redis]) -> None:
    one, other = nodes
    assert one.left() == other.left() == MOST
    await one.exchange()
    await other.exchange()
    level = await clients[0].hget(f"boardcast:{{one}}:rate:failures:{CLIENT}", "level")
    assert -MOST <= float(level or 0) < 1 - MOST
    with pytest.raises(LimitReached) as caught:
        other.rate.spend(1, CLIENT)
    assert 60 <= caught.value.retry_after_seconds <= 66


async def test_clients_rates_and_installations_are_counted_apart(
    nodes: tuple[Node, Node], clients: list[Redis]
) -> None:
    one, other = nodes
    apart = [Node(clients[1], installation="two"), Node(clients[1], name="sessions")]
    await one.spend(MOST)
    for node in apart:
        await node.exchange()
        await node.spend(1)
        assert node.left() == MOST - 1
    await other.spend(1, "192.0.2.2")
    assert other.left("192.0.2.2") == MOST - 1


async def test_many_clients_fit_into_one_exchange(nodes: tuple[Node, Node]) -> None:
    one, other = nodes
    many = [f"192.0.2.{n}" for n in range(2 * CLIENTS_PER_CALL + 1)]
    for client in many:
        one.rate.spend(MOST, client)
        other.rate.spend(1, client)
    await one.exchange()
    await other.exchange()
    assert {other.left(client) for client in many} == {0}


async def test_buckets_expire_when_they_are_full_again(nodes: tuple[Node, Node], clients: list[Redis]) -> None:
    await nodes[0].spend(5)
    await nodes[0].spend(1, "192.0.2.2")
    keys = [key async for key in clients[0].scan_iter()]
    assert len(keys) == 2
    seconds = sorted([await clients[0].ttl(key) for key in keys])
    assert 0 < seconds[0] <= 7 < seconds[1] <= 31


async def test_each_node_counts_alone_while_redis_is_away(nodes: tuple[Node, Node], redis: RedisServer) -> None:
    one, other = nodes
    await one.spend(4)
    redis.kill()
    one.rate.spend(1, CLIENT)
    with pytest.raises((RedisError, OSError)):
        await one.exchange()
    assert one.left() == MOST - 5
    redis.start()
    await one.exchange()
    await other.spend(1)
    assert other.left() == MOST - 1 - (MOST - 5)


@pytest.mark.parametrize("what", ["text", "level", "endless"])
async def test_key_with_something_else_stops_no_other_client(
    what: str, nodes: tuple[Node, Node], clients: list[Redis]
) -> None:
    key, (one, other) = f"boardcast:{{one}}:rate:failures:{CLIENT}", nodes
    if what == "text":
        await clients[0].set(key, "something else")
    else:
        await clients[0].hset(key, mapping={"level": "many" if what == "level" else "-inf", "at": "never"})
    for client in (CLIENT, "192.0.2.2"):
        one.rate.spend(4, client)
        other.rate.spend(1, client)
    await one.exchange()
    await other.exchange()
    assert [other.left(client) for client in (CLIENT, "192.0.2.2")] == [MOST - 5] * 2
    assert 0 < await clients[0].ttl(key) <= 31


async def test_client_may_have_any_name(nodes: tuple[Node, Node]) -> None:
    one, other = nodes
    names = ["a b\n{two}:rate:", "\x00", "é" * 1000, "\ud800"]
    for name in names:
        one.rate.spend(4, name)
        other.rate.spend(1, name)
    await one.exchange()
    await other.exchange()
    assert [other.left(name) for name in names] == [MOST - 5] * len(names)
