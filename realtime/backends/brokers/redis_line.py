"""A channel of Redis as a line between nodes; several installations may share one Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.connection import parse_url

from realtime.backends.brokers.hint_broker import HintBroker, Line, sending_hints
from realtime.errors import BrokerUnusable

__all__ = ["open_redis_broker"]

EXAMPLE = "redis://user:password@host:6379/0"
#: Seconds for a new connection.
CONNECT_SECONDS = 5


class _RedisLine:
    def __init__(self, client: Redis, subscribed: PubSub, channel: str) -> None:
        self._client = client
        self._subscribed = subscribed
        self._channel = channel

    async def send(self, text: str) -> None:
        """Publish a text on the channel."""
        await self._client.publish(self._channel, text)

    async def receive(self) -> str:
        """Return the next text of the channel."""
        while True:
            message = await self._subscribed.get_message(ignore_subscribe_messages=True, timeout=None)
            if message is not None:
                return str(message["data"])


def open_redis_broker(url: str, installation: str) -> AbstractAsyncContextManager[HintBroker]:
    """Return the broker at `url`; only nodes of the same `installation` hear each other.

    Raises:
        BrokerUnusable: `url` is no URL of Redis.
    """
    try:
        parse_url(url)
    except ValueError as error:
        # Nothing of the URL, because the password may be anywhere in it.
        raise BrokerUnusable(f"--broker-url: expected a URL like {EXAMPLE}, got another one") from error
    return sending_hints(partial(_line, url, f"boardcast:{installation}"))


@asynccontextmanager
async def _line(url: str, channel: str) -> AsyncIterator[Line]:
    made = Redis.from_url(url, decode_responses=True, socket_connect_timeout=CONNECT_SECONDS)
    async with made as client, client.pubsub() as subscribed:
        await subscribed.subscribe(channel)
        yield _RedisLine(client, subscribed, channel)
