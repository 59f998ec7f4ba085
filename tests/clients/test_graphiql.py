"""GraphiQL in Chromium: tabs, explorer, documentation, history and colours."""

from __future__ import annotations

import orjson
import pytest
from graphql import FieldNode, GraphQLObjectType, OperationDefinitionNode, build_schema, parse

from tests.clients.graphiql_visit import first_load, open_tab, run_operation, visit_graphiql
from tests.clients.node_script import NodeScript
from tests.clients.operations import OPERATIONS, operation_names, read_operation
from tests.clients.rest_client import BoardClient

# A browser on a busy machine needs longer than the other tests.
pytestmark = [pytest.mark.chromium, pytest.mark.timeout(240)]

#: Documents whose sample variables are refused, so that a user who tries the tab does not delete or revoke anything.
REFUSED = {"DeleteProject", "RevokeAccessToken"}
#: GraphiQL sends mutations by POST, and a new token is taken on a WebSocket only.
TABS = [name for name in operation_names() if name != "Authenticate"]
SDL = OPERATIONS.parent / "schema.graphql"


async def test_each_document_has_a_filled_tab(server_url: str, board: BoardClient) -> None:
    async with visit_graphiql(server_url, board) as script:
        assert sorted(script.reports[-1]["tabs"]) == TABS
        tab = await open_tab(script, "BoardState")
        assert tab["query"] == read_operation("BoardState")
        assert orjson.loads(tab["variables"]) == {"boardId": board.board_id}


async def test_tabs_run_as_they_open(server_url: str, board: BoardClient) -> None:
    await board.create_card("There before")
    await board.queue_attempt("att-1", await board.create_card("Worked on"))
    async with visit_graphiql(server_url, board) as script:
        # its sample card is also that of the others
        for name in sorted(TABS, key=lambda name: name == "DeleteCard"):
            await open_tab(script, name)
            field = root_field(name)
            result = await run_operation(script, field)
            assert "errors" not in result, (name, result)
            answer = result["data"][field]
            assert (isinstance(answer, dict) and "code" in answer) == (name in REFUSED), (name, result)
    assert board.titles(await board.state(), 0) == ["Worked on", "Made in GraphiQL"]  # the first card was deleted


async def test_explorer_adds_field_to_query(server_url: str, board: BoardClient) -> None:
    async with visit_graphiql(server_url, board) as script:
        tab = await open_tab(script, "Projects")
        assert "repositoryPath" not in tab["query"]
        await script.order("openPlugin", title="GraphiQL Explorer")
        await script.order("pickField", type="String", field="repositoryPath")
        await script.order("expectQuery", text="repositoryPath")
        await script.wait_for("query")
        result = await run_operation(script, "repositoryPath")
        assert result["data"]["projects"]["nodes"][0]["repositoryPath"] == "/srv/client-tests"


async def test_documentation_shows_description_of_field(server_url: str, board: BoardClient) -> None:
    query = build_schema(SDL.read_text(encoding="utf-8")).get_type("Query")
    assert isinstance(query, GraphQLObjectType)
    async with visit_graphiql(server_url, board) as script:
        await script.order("openPlugin", title="Documentation Explorer")
        await script.order("readDocumentation", links=["Query", "board"])
        documentation = await script.wait_for("documentation")
    assert documentation["text"].strip() == query.fields["board"].description


async def test_history_lists_what_ran(server_url: str, board: BoardClient) -> None:
    async with visit_graphiql(server_url, board) as script:
        for name in ("Projects", "Board"):
            await open_tab(script, name)
            await run_operation(script, name.lower())
        await script.order("openPlugin", title="History")
        await script.order("readHistory")
        assert (await script.wait_for("history"))["labels"] == ["Board", "Projects"]


async def test_colours_follow_system_unless_chosen(server_url: str, board: BoardClient) -> None:
    async with visit_graphiql(server_url, board) as script:
        await script.order("system", colorScheme="light")
        assert await read_brightness(script) > 200
        await script.order("system", colorScheme="dark")
        assert await read_brightness(script) < 80
        await script.order("chooseTheme", name="Light")
        assert await read_brightness(script) > 200
        assert script.reports[-1]["controls"] == "light"
        await script.order("chooseTheme", name="System")
        assert await read_brightness(script) < 80


def root_field(name: str) -> str:
    """The one root field of the document of that name."""
    (operation,) = parse(read_operation(name)).definitions
    assert isinstance(operation, OperationDefinitionNode)
    (field,) = operation.selection_set.selections
    assert isinstance(field, FieldNode)
    return field.name.value


async def read_brightness(script: NodeScript) -> float:
    """The mean of red, green and blue of the background, of 255."""
    await script.order("readColours")
    background: str = (await script.wait_for("colours"))["background"]  # "rgb(33, 42, 59)"
    parts = [float(part) for part in background.removeprefix("rgb(").removesuffix(")").split(",")]
    return sum(parts) / len(parts)


async def test_first_visit_loads_less_than_600_kb(server_url: str, board: BoardClient) -> None:
    sizes = await first_load(server_url)
    assert sizes["/graphql"] > 0
    assert sizes["/static/graphiql/vendor/graphiql.min.js"] < 400_000
    assert sum(sizes.values()) < 600_000, sizes
