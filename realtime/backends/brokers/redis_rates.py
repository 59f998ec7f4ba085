"""Rates that several nodes count together, in Redis.

Each node decides by its own buckets, so no request waits for Redis. The nodes tell Redis ten times a second how many
tokens each client took, and get back how many are left over all nodes. So a client may take more than its rate until
the next exchange; it then has a debt, and waits for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from itertools import islice
from typing import Any

from redis.asyncio import Redis
from redis.commands.core import AsyncScript
from redis.exceptions import RedisError

from realtime.rates import Rate, Rates

__all__ = ["RateExchange", "sharing_rates"]

#: Seconds between two exchanges, and the most between two attempts while Redis is away.
PAUSE_SECONDS, MOST_PAUSE_SECONDS = 0.1, 2.0
#: Most seconds for an answer of Redis.
ANSWER_SECONDS = 2
#: Most clients in one call; a call of 500 takes about a millisecond of Redis.
CLIENTS_PER_CALL = 500

#: KEYS: the bucket of each client. ARGV: tokens a second, most tokens, then the tokens that each client took.
#: Returns the new level of each bucket as text. A full bucket expires. The clock is that of Redis, because those of the
#: nodes differ. A key that holds something else counts as a full bucket: else one such key would stop its whole call.
SPEND = """
local per_second, most = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local levels = {}
for place, key in ipairs(KEYS) do
  local known = redis.pcall('HMGET', key, 'level', 'at')
  if known.err then
    redis.call('DEL', key)
    known = {}
  end
  local level = tonumber(known[1]) or most
  if not (level > -1e12) then level = most end
  local past = math.max(0, now - (tonumber(known[2]) or now))
  level = math.min(most, level + past * per_second) - tonumber(ARGV[2 + place])
  redis.call('HSET', key, 'level', tostring(level), 'at', string.format('%.6f', now))
  redis.call('PEXPIRE', key, math.ceil((most - level) / per_second * 1000) + 1000)
  levels[place] = tostring(level)
end
return levels
"""

log = logging.getLogger(__name__)


class RateExchange:
    """Exchanges the counts of `rates` with the other nodes of an installation."""

    def __init__(self, client: Redis, rates: Rates, installation: str) -> None:
        """Count in the Redis of `client`, under keys of the installation."""
        self._script: AsyncScript = client.register_script(SPEND)
        self._rates = rates
        self._installation = installation
        self._is_away = False

    async def run(self) -> None:
        """Exchange again and again, until cancelled; while Redis is away, each node counts for itself."""
        pause = PAUSE_SECONDS
        while True:
            await asyncio.sleep(pause)
            try:
                await self.exchange()
            except (RedisError, OSError) as error:
                self._note_away(error)
                pause = min(2 * pause, MOST_PAUSE_SECONDS)
            else:
                pause = PAUSE_SECONDS

    async def exchange(self) -> None:
        """Tell Redis what was taken since the last time, and take over what is left.

        Raises:
            RedisError: Redis is away. The counts of this exchange stay on this node alone.
        """
        # First take all counts: what a failure loses is then the same for each rate.
        for name, rate, spent in [(name, rate, rate.take_spent()) for name, rate in self._rates]:
            for some in _parts(spent):
                levels = await self._spend(name, rate, some)
                for client, level in zip(some, levels, strict=True):
                    rate.settle(client, float(level))
                self._note_back()

    async def _spend(self, name: str, rate: Rate, spent: Mapping[str, int]) -> list[Any]:
        # The braces keep all keys of an installation on one node of a Redis Cluster.
        start = f"boardcast:{{{self._installation}}}:rate:{name}:"
        # A name may have half of a surrogate pair, which UTF-8 cannot hold.
        keys = [f"{start}{client}".encode(errors="surrogatepass") for client in spent]
        levels: list[Any] = await self._script(keys=keys, args=[rate.per_second, rate.most, *spent.values()])
        return levels

    def _note_away(self, error: Exception) -> None:
        if not self._is_away:
            self._is_away = True
            log.warning("each node counts the rates of its clients alone: Redis does not answer (%s)", error)

    def _note_back(self) -> None:
        if self._is_away:
            self._is_away = False
            log.info("Redis counts the rates of all nodes again")


@asynccontextmanager
async def sharing_rates(rates: Rates, url: str, installation: str) -> AsyncIterator[None]:
    """Count `rates` together with the other nodes of `installation`, while the block runs."""
    seconds = ANSWER_SECONDS
    made = Redis.from_url(url, decode_responses=True, socket_connect_timeout=seconds, socket_timeout=seconds)
    async with made as client:
        task = asyncio.create_task(RateExchange(client, rates, installation).run(), name="rates")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def _parts(spent: Mapping[str, int]) -> Iterator[dict[str, int]]:
    rest = iter(spent.items())
    while some := dict(islice(rest, CLIENTS_PER_CALL)):
        yield some
