"""The only place that chooses back-ends: settings → an open node."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, nullcontext, suppress
from datetime import timedelta

from realtime.backends.memory import open_memory_broker
from realtime.backends.sql.databases import is_postgres
from realtime.backends.sql.store import SqlStore
from realtime.backends.sql.upkeep.backup import back_up
from realtime.backends.sql.upkeep.copying import copy_installation
from realtime.backends.sql.upkeep.inspection import look_at
from realtime.backends.sql.upkeep.row_lines import MAX_LINE_BYTES, export_lines, import_lines
from realtime.clock import Clock, frozen_clock, parse_iso, system_clock
from realtime.errors import BrokerUnavailable, BrokerUnusable, quoted
from realtime.lifetimes.connection_lifetimes import ConnectionLifetimes
from realtime.limits import Capacity
from realtime.node import UNNAMED, Identity, Limits, Node, make_node
from realtime.ports import Broker
from realtime.service.roster import listed
from realtime.tokens.session_book import SessionLimits
from realtime.tokens.token_book import TokenBook
from realtime.writing.retention import Retention, pruning
from server.settings import Settings

__all__ = [
    "MAX_LINE_BYTES",
    "back_up",
    "broker_url",
    "check_broker_url",
    "copy_installation",
    "export_lines",
    "import_lines",
    "look_at",
    "open_broker",
    "open_node",
    "open_token_book",
    "reach_broker",
]

#: How often `reach_broker` looks, and the seconds between two looks.
CONNECT_TRIES, CONNECT_PAUSE_SECONDS = 50, 0.1
#: Opens the broker at a URL for the length of a block. Only nodes of one installation, which the second text names,
#: hear each other.
OpenBroker = Callable[[str, str], AbstractAsyncContextManager[Broker]]


def _open_postgres_broker(url: str, installation: str) -> AbstractAsyncContextManager[Broker]:
    with _needing("postgres", url):
        from realtime.backends.brokers.postgres_line import open_postgres_broker
    return open_postgres_broker(url, installation)


def _open_redis_broker(url: str, installation: str) -> AbstractAsyncContextManager[Broker]:
    with _needing("redis", url):
        from realtime.backends.brokers.redis_line import open_redis_broker
    return open_redis_broker(url, installation)


#: Scheme of `--broker-url` → the function that opens the broker. A new broker needs one entry here.
BROKERS: Mapping[str, OpenBroker] = {
    "memory": open_memory_broker,
    "postgresql": _open_postgres_broker,
    "redis": _open_redis_broker,
    "rediss": _open_redis_broker,
}


@asynccontextmanager
async def open_node(settings: Settings, identity: Identity = UNNAMED) -> AsyncIterator[Node]:
    """Open the store, the broker and a node on them; close them in reverse order when the block ends.

    `identity` is that of the node among others on the same store.

    Raises:
        StoreUnusable: the database cannot be opened.
        BrokerUnusable: the broker cannot be opened.
    """
    clock = _clock(settings)
    store = _store(settings, clock)
    try:
        await store.open()
        async with _leading(settings) as leads, open_broker(broker_url(settings), store.epoch) as broker:
            node = await make_node(store, broker, clock, _limits(settings), identity, leads)
            try:
                async with (
                    node.following(),
                    _sharing_rates(settings, node),
                    _traced(settings, node),
                    listed(node),
                    pruning(store, clock, _retention(settings), leads),
                    node.tokens.noting_uses(),
                ):
                    yield node
            finally:
                await node.sessions.finished()
                await node.bus.aclose()
    finally:
        await store.aclose()


@asynccontextmanager
async def _leading(settings: Settings) -> AsyncIterator[Callable[[], bool]]:
    """Give a function that says whether this node has the jobs that are done once for the installation."""
    if not is_postgres(settings.database_url):
        yield lambda: True
        return
    from realtime.backends.sql.postgres.leadership import standing_for_leader

    async with standing_for_leader(settings.database_url) as leads:
        yield leads


def _sharing_rates(settings: Settings, node: Node) -> AbstractAsyncContextManager[None]:
    """Count the rates together with the other nodes, if the broker is Redis."""
    if not _scheme(settings.broker_url).startswith("redis"):
        return nullcontext()
    from realtime.backends.brokers.redis_rates import sharing_rates

    return sharing_rates(node.rates, settings.broker_url, node.store.epoch)


@asynccontextmanager
async def _traced(settings: Settings, node: Node) -> AsyncIterator[None]:
    """Trace the writing of a node, if the settings say so."""
    if not settings.open_telemetry:
        yield
        return
    from server.runtime.tracing import tracing

    async with tracing() as spans:
        node.bus.trace_with(spans)
        yield


def broker_url(settings: Settings) -> str:
    """Return the URL of the broker; by default, a PostgreSQL database is the broker of its nodes, too."""
    if settings.broker_url:
        return settings.broker_url
    return settings.database_url if is_postgres(settings.database_url) else "memory://"


def check_broker_url(url: str) -> None:
    """Check that there is a broker for the scheme of `url`, without opening it.

    Raises:
        BrokerUnusable: there is none.
    """
    if _scheme(url) not in BROKERS:
        expected = " or ".join(f"{scheme}://" for scheme in BROKERS)
        raise BrokerUnusable(f"--broker-url: expected {expected}, got {quoted(_scheme(url))}")


@asynccontextmanager
async def open_token_book(settings: Settings) -> AsyncIterator[TokenBook]:
    """Open the store alone, and the book of its access tokens; close it when the block ends.

    Raises:
        StoreUnusable: the database cannot be opened, or a server has it.
        StoreUnavailable: the tokens could not be read.
    """
    clock = _clock(settings)
    store = _store(settings, clock)
    try:
        await store.open()
        book = TokenBook(store, ConnectionLifetimes(), clock, settings.max_access_tokens)
        await book.load()
        async with book.noting_uses():
            yield book
    finally:
        await store.aclose()


def open_broker(url: str, installation: str) -> AbstractAsyncContextManager[Broker]:
    """Return the broker at `url` for the nodes of an installation; it is open while the block runs.

    Raises:
        BrokerUnusable: there is no broker for the scheme; on entering, the broker cannot be opened.
    """
    check_broker_url(url)
    return BROKERS[_scheme(url)](url, installation)


async def reach_broker(url: str) -> None:
    """Open the broker at `url`, wait until it is connected, and close it.

    Raises:
        BrokerUnusable: it cannot be opened.
        BrokerUnavailable: it is not connected in time; it would connect in the background, and try again and again.
    """
    async with open_broker(url, "boardcast-check") as broker:
        for _ in range(CONNECT_TRIES):
            with suppress(BrokerUnavailable):
                await broker.ping()
                return
            await asyncio.sleep(CONNECT_PAUSE_SECONDS)
        await broker.ping()


def _scheme(url: str) -> str:
    """Return the scheme; libpq has two for one."""
    return "postgresql" if is_postgres(url) else url.partition("://")[0]


@contextmanager
def _needing(extra: str, url: str) -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        missing = f"a broker URL with {_scheme(url)}:// needs more packages: pip install 'boardcast[{extra}]'"
        raise BrokerUnusable(missing) from error


def _store(settings: Settings, clock: Clock) -> SqlStore:
    # A file has one server. The servers of a PostgreSQL database share it.
    return SqlStore(settings.database_url, clock=clock, exclusive=not is_postgres(settings.database_url))


def _retention(settings: Settings) -> Retention:
    age = timedelta(days=settings.retention_days) if settings.retention_days else None
    return Retention(age, settings.retention_events or None, settings.prune_seconds)


def _limits(settings: Settings) -> Limits:
    return Limits(
        queued_envelopes=settings.max_queued_envelopes,
        heartbeat_seconds=settings.heartbeat_seconds,
        connection_seconds=settings.max_connection_seconds,
        queued_bytes=settings.max_queued_bytes,
        slow_policies=settings.allowed_slow_policies,
        capacity=Capacity(
            boards=settings.max_boards,
            agents=settings.max_agents,
            profiles=settings.max_agent_profiles,
            cards_per_board=settings.max_cards_per_board,
            board_bytes=settings.max_board_bytes,
            access_tokens=settings.max_access_tokens,
        ),
        commands_per_second=settings.max_commands_per_second,
        events_per_second=settings.max_events_per_second,
        sessions=SessionLimits(
            settings.max_sessions,
            settings.max_sessions_per_client,
            timedelta(days=settings.session_days),
            settings.max_sign_ins,
        ),
    )


def _clock(settings: Settings) -> Clock:
    return frozen_clock(parse_iso(settings.clock)) if settings.clock else system_clock
