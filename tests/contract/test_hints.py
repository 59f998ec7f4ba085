"""The promises of every broker between nodes: hints arrive or their loss is told, whatever happens to the server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack

import anyio.lowlevel
import pytest
from redis import Redis

from realtime.backends.brokers import hint_broker
from realtime.errors import BrokerUnavailable
from realtime.kanban.board import Recorded
from realtime.kanban.events import AgentRegistered, ProjectDeleted
from realtime.kanban.ids import BoardId
from realtime.messages.channels import ACCESS, DASHBOARD, EVERYBODY, Channel, board_channel
from realtime.ports import Broker, Heads, StoredEvent
from server.wiring import open_broker
from tests.contract.broker_urls import BACKENDS
from tests.kit.deadline import deadline
from tests.kit.nodes import START
from tests.kit.postgres_server import PostgresServer
from tests.kit.redis_server import RedisServer

OF_BOARD = board_channel(BoardId("p1"))
Stop = Callable[[], None]


class Ear:
    """What one node hears from the others."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.heard: list[Heads | None] = []
        self._news = asyncio.Event()
        broker.listen(self._hear)

    def _hear(self, heads: Heads | None) -> None:
        self.heard.append(heads)
        self._news.set()

    async def hears(self, wanted: Callable[[list[Heads | None]], bool]) -> None:
        """Wait until what was heard is as wanted."""
        async with deadline(20):
            while not wanted(self.heard):
                self._news.clear()
                await self._news.wait()

    async def hears_head(self, channel: Channel, head: int) -> None:
        """Wait for a hint."""
        await self.hears(lambda heard: any(heads is not None and heads.get(channel) == head for heads in heard))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Notice silence soon."""
    monkeypatch.setattr(hint_broker, "BEAT_SECONDS", 0.1)
    monkeypatch.setattr(hint_broker, "SILENCE_SECONDS", 1.0)
    monkeypatch.setattr(hint_broker, "ANSWER_SECONDS", 1.0)
    monkeypatch.setattr(hint_broker, "MOST_PAUSE_SECONDS", 0.2)


@pytest.fixture(params=[scheme for scheme in BACKENDS if scheme != "memory"])
def scheme(request: pytest.FixtureRequest) -> str:
    """A broker that connects nodes."""
    name: str = request.param
    return name


@pytest.fixture
async def ears(scheme: str, request: pytest.FixtureRequest) -> AsyncIterator[list[Ear]]:
    """Two connected nodes of one installation, and one of another."""
    url = BACKENDS[scheme](request)
    async with AsyncExitStack() as stack:
        made = [Ear(await stack.enter_async_context(open_broker(url, name))) for name in ("a", "a", "b")]
        for ear in made:
            await ear.hears(lambda heard: heard == [None])  # connected
            ear.heard.clear()
        yield made


@pytest.fixture
def server(scheme: str, request: pytest.FixtureRequest) -> Iterator[tuple[Stop, Stop, Stop, Stop]]:
    """How the server of the broker is killed, started, paused and resumed."""
    if scheme == "redis":
        redis: RedisServer = request.getfixturevalue("redis")
        yield redis.kill, redis.start, redis.pause, redis.resume
        return
    postgres: PostgresServer = request.getfixturevalue("postgres")
    yield postgres.stop, postgres.start, postgres.pause, postgres.resume
    postgres.resume()
    if not postgres.is_running:
        postgres.start()


def _stored(offset: int, channel: Channel = OF_BOARD) -> StoredEvent:
    return StoredEvent(channel, Recorded(AgentRegistered(agent="A"), START), offset, offset)


async def test_heads_of_a_batch_reach_the_other_nodes_and_not_the_own(ears: list[Ear]) -> None:
    one, other, _ = ears
    await one.broker.publish([_stored(1), _stored(2), _stored(7, EVERYBODY)])
    await other.hears(bool)
    assert other.heard == [{OF_BOARD: 2, EVERYBODY: 7}]
    gone = Recorded(ProjectDeleted(project_id=BoardId("p1")), START)
    await one.broker.publish([StoredEvent(OF_BOARD, gone, 3, 7)])
    await other.hears(lambda heard: {OF_BOARD: 3, DASHBOARD: 0} in heard)
    other.broker.announce({ACCESS: 0})
    await one.hears_head(ACCESS, 0)
    assert one.heard == [{ACCESS: 0}]


async def test_other_installation_hears_nothing(scheme: str, ears: list[Ear]) -> None:
    if scheme == "postgresql":
        pytest.skip("a database is one installation")
    one, other, foreign = ears
    await one.broker.publish([_stored(1)])
    await other.hears_head(OF_BOARD, 1)
    foreign.broker.announce({ACCESS: 0})
    one.broker.announce({ACCESS: 1})
    await other.hears_head(ACCESS, 1)
    assert foreign.heard == []
    assert ACCESS not in {channel for heads in one.heard for channel in heads or ()}


async def test_many_heads_at_once_arrive_in_parts(ears: list[Ear]) -> None:
    one, other, _ = ears
    heads = {board_channel(BoardId(f"board-{n}-{'é' * 30}")): n for n in range(1, 500)}
    one.broker.announce(heads)
    await other.hears(lambda heard: sum(len(some or ()) for some in heard) >= len(heads))
    assert {channel: head for some in other.heard for channel, head in (some or {}).items()} == heads


async def test_too_many_heads_are_told_as_lost(ears: list[Ear], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hint_broker, "MAX_WAITING", 10)
    one, other, _ = ears
    one.broker.announce({board_channel(BoardId(str(n))): n for n in range(1, 12)})
    await other.hears(bool)
    assert other.heard == [None]


async def test_broker_that_is_killed_and_started_tells_what_was_lost_and_goes_on(
    ears: list[Ear], server: tuple[Stop, Stop, Stop, Stop]
) -> None:
    kill, start, _, _ = server
    one, other, _ = ears
    kill()
    await _away(one.broker)
    await one.broker.publish([_stored(1)])
    start()
    await other.hears(lambda heard: None in heard)
    await _back(one.broker)
    await _back(other.broker)
    await one.broker.publish([_stored(2)])
    await other.hears_head(OF_BOARD, 2)
    assert {OF_BOARD: 2} in other.heard


async def test_text_of_somebody_else_is_no_hint(
    scheme: str, request: pytest.FixtureRequest, ears: list[Ear], caplog: pytest.LogCaptureFixture
) -> None:
    one, other, _ = ears
    texts = ["", "null", "[1]", '["n", 1]', '["n", {"board:p1": "1"}]', '["n", {"board:p1": 1}, 2]', "{}", "\N{BELL}"]
    for text in texts:
        if scheme == "redis":
            with Redis(port=request.getfixturevalue("redis").port) as client:
                client.publish("boardcast:a", text)
        else:
            url: str = request.getfixturevalue("postgres_url")
            request.getfixturevalue("postgres").run(
                f"NOTIFY boardcast_hints, '{text}'", database=url.rpartition("/")[2]
            )
    await one.broker.publish([_stored(4)])
    await other.hears_head(OF_BOARD, 4)
    assert other.heard == [{OF_BOARD: 4}]
    assert caplog.text.count("somebody else writes to the channel of the hints") == len(ears) - (scheme == "redis")


async def test_broker_that_is_silent_is_noticed_and_replaced(
    ears: list[Ear], server: tuple[Stop, Stop, Stop, Stop]
) -> None:
    _, _, pause, resume = server
    one, other, _ = ears
    pause()
    await _away(one.broker)
    await _away(other.broker)
    resume()
    await _back(one.broker)
    await _back(other.broker)
    await one.broker.publish([_stored(3)])
    await other.hears_head(OF_BOARD, 3)
    assert {OF_BOARD: 3} in other.heard


async def _away(broker: Broker) -> None:
    async with deadline(20):
        while await _answers(broker):
            await anyio.lowlevel.checkpoint()


async def _back(broker: Broker) -> None:
    async with deadline(20):
        while not await _answers(broker):
            await anyio.lowlevel.checkpoint()


async def _answers(broker: Broker) -> bool:
    try:
        await broker.ping()
    except BrokerUnavailable:
        return False
    return True
