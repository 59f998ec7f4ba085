"""Every common GraphQL client queries, changes, follows and leaves a board, over each of its transports."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator

import anyio.lowlevel
import pytest

from tests.clients.graphql_clients import CLIENTS, BoardSubscriber, GraphqlClient
from tests.clients.node_script import NodeScript
from tests.clients.requirements import require_node
from tests.clients.rest_client import open_board
from tests.clients.restartable import RestartableServer, restartable_server
from tests.kit.deadline import deadline


def _params() -> Iterator[object]:
    for name, client in CLIENTS.items():
        yield pytest.param(client, id=name, marks=[pytest.mark.node] if client.needs_node else [])


# One server and one start of each client for all tests: the operations are quick, but the starts are slow.
@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[RestartableServer]:
    async with restartable_server(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture(scope="module", params=_params())
def client(request: pytest.FixtureRequest) -> GraphqlClient:
    assert isinstance(request.param, GraphqlClient)
    return request.param


@pytest.fixture(scope="module")
async def script(client: GraphqlClient, server: RestartableServer) -> AsyncGenerator[NodeScript]:
    if client.needs_node:
        require_node()
    async with client.start(server.url) as script:
        yield script


@pytest.fixture
async def subscriber(script: NodeScript, server: RestartableServer) -> AsyncGenerator[BoardSubscriber]:
    before = _subscribers(server)
    async with open_board(server.url) as board:
        subscriber = BoardSubscriber(script, board)
        yield subscriber
        await subscriber.leave()
        await _forgotten(server, before)


def _subscribers(server: RestartableServer) -> int:
    return server.node.hub.statistics().subscribers


async def _forgotten(server: RestartableServer, before: int) -> None:
    """Wait until the server has no more subscribers than before.

    Otherwise the failure of one client would affect the next one.
    """
    async with deadline(10):
        while _subscribers(server) > before:
            await anyio.lowlevel.checkpoint()


async def test_client_sees_its_own_change_and_that_of_another(subscriber: BoardSubscriber) -> None:
    assert await subscriber.query() == []
    await subscriber.subscribe("state")
    assert await subscriber.titles("state") == []
    card_id = await subscriber.mutate("By mutation")
    assert await subscriber.titles("state") == ["By mutation"]
    await subscriber.board.create_card("By REST")
    assert await subscriber.titles("state") == ["By mutation", "By REST"]
    assert await subscriber.query() == ["By mutation", "By REST"]
    assert (await subscriber.board.state())["cards"][card_id]["title"] == "By mutation"


async def test_unsubscribed_client_is_forgotten_and_hears_no_more(
    subscriber: BoardSubscriber, server: RestartableServer
) -> None:
    async with open_board(server.url) as other:
        await subscriber.subscribe("kept")
        assert await subscriber.titles("kept") == []
        before = _subscribers(server)
        await subscriber.subscribe("left", boardId=other.board_id)
        assert await subscriber.titles("left") == []
        # The other subscription stays, so that the connection does not end together with this one.
        await subscriber.unsubscribe("left")
        await _forgotten(server, before)
        await other.create_card("Not to be shown")
    await subscriber.board.create_card("Marker")
    assert await subscriber.titles("kept") == ["Marker"]
    assert set(subscriber.reports_of("left")[1:]) <= {"unsubscribed", "complete"}


async def test_refused_subscription_leaves_another_alone(subscriber: BoardSubscriber) -> None:
    await subscriber.subscribe("state")
    assert await subscriber.titles("state") == []
    await subscriber.subscribe("unknown", boardId="no-such-board")
    assert await subscriber.refusal("unknown") == "BOARD_NOT_FOUND"
    await subscriber.board.create_card("Still live")
    assert await subscriber.titles("state") == ["Still live"]


async def test_subscription_goes_on_after_crash(subscriber: BoardSubscriber, server: RestartableServer) -> None:
    await subscriber.board.create_card("Before")
    await subscriber.subscribe("state")
    assert await subscriber.titles("state") == ["Before"]
    await server.crash()
    await subscriber.board.create_card("After")
    async with deadline(25):
        while await subscriber.titles("state") != ["Before", "After"]:
            pass
    assert set(subscriber.reports_of("state")) == {"next"}


async def test_subscription_goes_on_after_stop(subscriber: BoardSubscriber, server: RestartableServer) -> None:
    await subscriber.board.create_card("Before")
    await subscriber.subscribe("state")
    assert await subscriber.titles("state") == ["Before"]
    await server.restart()
    assert await subscriber.titles("state") == ["Before"]
    await subscriber.board.create_card("After")
    assert await subscriber.titles("state") == ["Before", "After"]
    assert set(subscriber.reports_of("state")) == {"next"}
