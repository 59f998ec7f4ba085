"""The notifications of PostgreSQL (`LISTEN`, `NOTIFY`) as a line between the nodes of one database."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from functools import partial
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from realtime.backends.brokers.hint_broker import HintBroker, Line, sending_hints
from realtime.backends.sql.postgres.connecting import check_url, connect_options
from realtime.errors import BrokerUnusable, StoreUnusable

__all__ = ["open_postgres_broker"]

CHANNEL = "boardcast_hints"
#: A server that is gone does not close its connections.
_KEEPALIVES = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}


class _PostgresLine:
    """Two connections, because one that waits for notifications can send none."""

    def __init__(self, telling: psycopg.AsyncConnection[Any], heard: AsyncGenerator[psycopg.Notify, None]) -> None:
        self._telling = telling
        self._heard = heard

    async def send(self, text: str) -> None:
        """Notify all nodes."""
        await self._telling.execute("SELECT pg_notify(%s, %s)", (CHANNEL, text))

    async def receive(self) -> str:
        """Return the payload of the next notification."""
        return (await anext(self._heard)).payload


def open_postgres_broker(url: str, installation: str) -> AbstractAsyncContextManager[HintBroker]:
    """Return the broker at `url`, the URL of a PostgreSQL database. Its notifications reach that database only.

    Raises:
        BrokerUnusable: libpq cannot read the URL.
    """
    try:
        check_url(url)
    except StoreUnusable as error:
        raise BrokerUnusable(f"--broker-url: {error}") from error
    return sending_hints(partial(_line, url))


@asynccontextmanager
async def _line(url: str) -> AsyncIterator[Line]:
    async with await _connected(url) as telling, await _connected(url) as listening:
        await listening.execute(f"LISTEN {CHANNEL}".encode())
        async with aclosing(listening.notifies()) as heard:
            yield _PostgresLine(telling, heard)


async def _connected(url: str) -> psycopg.AsyncConnection[Any]:
    given = conninfo_to_dict(url)
    kept = {name: value for name, value in _KEEPALIVES.items() if name not in given}
    return await psycopg.AsyncConnection.connect(url, autocommit=True, **{**kept, **connect_options(url)})
