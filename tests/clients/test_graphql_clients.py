"""Every common GraphQL client queries, changes, follows and leaves a board, over each of its transports."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator

import anyio.lowlevel
import pytest

from tests.clients.graphql_clients import CLIENTS, BoardReader, GraphqlClient
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
async def reader(script: NodeScript, server: RestartableServer) -> AsyncGenerator[BoardReader]:
    before = _readers(server)
    async with open_board(server.url) as board:
        reader = BoardReader(script, board)
        yield reader
        await reader.leave()
        await _forgotten(server, before)


def _readers(server: RestartableServer) -> int:
    return server.node.hub.statistics().subscribers


async def _forgotten(server: RestartableServer, before: int) -> None:
    """Wait until the server has no more subscribers than before.

    Otherwise the failure of one client would affect the next one.
    """
    async with deadline(10):
        while _readers(server) > before:
            await anyio.lowlevel.checkpoint()


async def test_client_sees_its_own_change_and_that_of_another(reader: BoardReader) -> None:
    assert await reader.query() == []
    await reader.subscribe("state")
    assert await reader.titles("state") == []
    card_id = await reader.mutate("By mutation")
    assert await reader.titles("state") == ["By mutation"]
    await reader.board.create_card("By REST")
    assert await reader.titles("state") == ["By mutation", "By REST"]
    assert await reader.query() == ["By mutation", "By REST"]
    assert (await reader.board.state())["cards"][card_id]["title"] == "By mutation"


async def test_unsubscribed_client_is_forgotten_and_hears_no_more(
    reader: BoardReader, server: RestartableServer
) -> None:
    async with open_board(server.url) as other:
        await reader.subscribe("kept")
        assert await reader.titles("kept") == []
        before = _readers(server)
        await reader.subscribe("left", boardId=other.board_id)
        assert await reader.titles("left") == []
        # The other subscription stays, so that the connection does not end together with this one.
        await reader.unsubscribe("left")
        await _forgotten(server, before)
        await other.create_card("Not to be heard of")
    await reader.board.create_card("Marker")
    assert await reader.titles("kept") == ["Marker"]
    assert set(reader.heard("left")[1:]) <= {"unsubscribed", "complete"}


async def test_refused_subscription_leaves_another_alone(reader: BoardReader) -> None:
    await reader.subscribe("state")
    assert await reader.titles("state") == []
    await reader.subscribe("unknown", boardId="no-such-board")
    assert await reader.refusal("unknown") == "BOARD_NOT_FOUND"
    await reader.board.create_card("Still live")
    assert await reader.titles("state") == ["Still live"]


async def test_subscription_goes_on_after_crash(reader: BoardReader, server: RestartableServer) -> None:
    await reader.board.create_card("Before")
    await reader.subscribe("state")
    assert await reader.titles("state") == ["Before"]
    await server.crash()
    await reader.board.create_card("After")
    async with deadline(25):
        while await reader.titles("state") != ["Before", "After"]:
            pass
    assert set(reader.heard("state")) == {"next"}


async def test_subscription_goes_on_after_stop(reader: BoardReader, server: RestartableServer) -> None:
    await reader.board.create_card("Before")
    await reader.subscribe("state")
    assert await reader.titles("state") == ["Before"]
    await server.restart()
    assert await reader.titles("state") == ["Before"]
    await reader.board.create_card("After")
    assert await reader.titles("state") == ["Before", "After"]
    assert set(reader.heard("state")) == {"next"}
