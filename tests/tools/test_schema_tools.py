"""Tools for GraphQL make programs of the committed schema and operations, which compile and work with a live server."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from gql import Client
from gql.dsl import DSLQuery, DSLSchema, dsl_gql
from gql.transport.httpx import HTTPXAsyncTransport
from graphql import build_schema

from tests.clients.rest_client import BoardClient, open_board
from tests.kit.live_server import live_server
from tests.tools.toolbox import GRAPHQL, TOOLS, made_folder, require_tools, run, run_program

ATTEMPTS = ("a1", "a2", "a3", "a4", "a5")


@pytest.fixture(autouse=True)
def _tools(request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker("node"):
        require_tools()


@pytest.fixture
async def board() -> AsyncGenerator[BoardClient]:
    """A board with five attempts, each with one line of a log, on a server of its own."""
    async with live_server() as server, open_board(server.url, "Tools") as board:
        for attempt_id in ATTEMPTS:
            await board.queue_attempt(attempt_id, await board.create_card(f"Card of {attempt_id}"))
            await board.publish(
                "attempt.log.appended", attemptId=attempt_id, level="info", message=f"Line of {attempt_id}"
            )
        yield board


def address(board: BoardClient) -> str:
    """The address of GraphQL on the board's server."""
    return f"{board.http.base_url}/graphql"


def arguments(board: BoardClient) -> tuple[str, str, str]:
    """Return the arguments of each program: the address, the board, and its first column."""
    return address(board), board.board_id, board.column_ids[0]


@pytest.mark.node
async def test_graphql_codegen_makes_types_that_compile(board: BoardClient, tmp_path: Path) -> None:
    folder = made_folder(tmp_path, "typescript_client.ts", "tsconfig.json")
    (folder / "package.json").write_text('{"type": "module"}')
    await run(folder, "node", str(TOOLS / "codegen.mjs"), str(folder))
    await run(folder, "tsc", "-p", ".")
    answers = await run_program(folder, ["node", "typescript_client.js"], *arguments(board))
    assert answers.pop("titles")[-1] == "By TypeScript"
    assert answers == {"project": "Tools", "more": False, "card": "By TypeScript", "refusal": "BOARD_NOT_FOUND"}


@pytest.mark.node
async def test_relay_compiles_and_reads_a_connection_page_by_page(board: BoardClient, tmp_path: Path) -> None:
    await board.publish("attempt.log.appended", attemptId=ATTEMPTS[-1], level="info", message="Another")
    folder = made_folder(tmp_path, "relay.config.json")
    (folder / "src" / "__generated__").mkdir(parents=True)
    (folder / "src" / "Board.js").write_bytes((TOOLS / "relay" / "Board.js").read_bytes())
    await run(folder, "relay-compiler", "relay.config.json")
    answers = await run_program(folder, ["node", str(TOOLS / "relay_client.cjs")], *arguments(board))
    assert answers["title"] == "By Relay"
    assert answers["pages"] == [2, 4, 5]
    assert answers["logs"] == [f"Line of {attempt_id}" for attempt_id in reversed(ATTEMPTS)]
    assert answers["tries"] == [ATTEMPTS[-1]]
    assert answers["lines"] == 2  # of the newest attempt, after a refetch by its id
    assert answers["appended"] == [f"Line of {ATTEMPTS[-1]}", "Another", "Appended"]


@pytest.mark.node
async def test_graphcache_takes_the_minified_introspection(board: BoardClient, tmp_path: Path) -> None:
    answers = await run_program(tmp_path, ["node", str(TOOLS / "graphcache_client.mjs")], *arguments(board))
    assert (answers["error"], answers["warnings"]) == (None, [])
    assert answers["titles"][-1] == "By graphcache"
    assert answers["asked"] == 2  # the mutation and the first query; the second came from the cache
    assert answers["bytes"] < 100_000


@pytest.mark.node
async def test_operations_of_a_manifest_fall_back_to_documents(board: BoardClient, tmp_path: Path) -> None:
    folder = made_folder(tmp_path, "manifest.config.json")
    await run(folder, "generate-persisted-query-manifest", "--config", "manifest.config.json")
    answers = await run_program(folder, ["node", str(TOOLS / "manifest_client.mjs")], *arguments(board))
    assert answers["asked"] == ["id", "document"] * 2  # this link asks by id each time
    assert answers["columns"] == 4
    assert answers["operations"] == len(list((GRAPHQL / "operations").glob("*.graphql")))


@pytest.mark.node
async def test_operations_of_a_manifest_are_executed_by_their_ids(tmp_path: Path) -> None:
    folder = made_folder(tmp_path, "manifest.config.json")
    await run(folder, "generate-persisted-query-manifest", "--config", "manifest.config.json")
    settings = {"trusted_documents": folder / "manifest.json", "only_trusted_documents": True}
    async with live_server(**settings) as server, open_board(server.url, "Tools") as board:
        answers = await run_program(folder, ["node", str(TOOLS / "manifest_client.mjs")], *arguments(board))
    assert answers["asked"] == ["id"] * 2
    assert answers["columns"] == 4


@pytest.mark.node
async def test_ariadne_makes_a_client_that_works(board: BoardClient, tmp_path: Path) -> None:
    folder = made_folder(tmp_path, "ariadne.toml")
    await run(folder, "ariadne-codegen", "--config", "ariadne.toml")
    await run(folder, "python", "-m", "compileall", "-q", "boardcast_client")
    answers = await run_program(folder, ["python", str(TOOLS / "ariadne_client.py")], *arguments(board))
    assert answers.pop("titles")[-1] == "By ariadne"
    assert answers == {"card": "By ariadne", "made": "UTC", "status": "ACTIVE"}


async def test_gql_writes_a_query_by_the_schema(board: BoardClient) -> None:
    schema = build_schema((GRAPHQL / "schema.graphql").read_text(encoding="utf-8"))
    ds = DSLSchema(schema)
    page = ds.Query.attempts(boardId=board.board_id, first=2).select(
        ds.AttemptConnection.nodes.select(ds.Attempt.agentKey, ds.Attempt.status),
        ds.AttemptConnection.pageInfo.select(ds.PageInfo.hasNextPage),
    )
    async with Client(schema=schema, transport=HTTPXAsyncTransport(address(board))) as session:
        answers = await session.execute(dsl_gql(DSLQuery(page)))
    attempt = {"agentKey": "CODEX", "status": "QUEUED"}
    assert answers == {"attempts": {"nodes": [attempt, attempt], "pageInfo": {"hasNextPage": True}}}


@pytest.mark.node
async def test_linter_finds_nothing() -> None:
    """Its configuration has the rules that it skips, with the reasons."""
    config = str(TOOLS / "eslint.config.mjs")
    assert await run(GRAPHQL.parent, "eslint", "--max-warnings", "0", "--config", config, "graphql") == ""
