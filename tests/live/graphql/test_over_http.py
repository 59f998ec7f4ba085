"""GraphQL over HTTP: tests quote sentences of the foundation's draft that the `graphql-http` audit does not check."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import orjson
import pytest

from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer
from tests.kit.raw_http import Answer, exchange
from tests.kit.recordings import Json
from tests.live.boards import BOARD

_JSON = "application/json; charset=utf-8"
_GRAPHQL = "application/graphql-response+json; charset=utf-8"
_PROBLEM = "application/problem+json"
_DELETE = 'mutation ($id: ID!) { deleteCard(boardId: "board-1", input: { cardId: $id }) { __typename } }'
#: A query with a field that fails: both bounds and a preset.
_FAILING = '{ dashboardOverview(timeRange: { preset: LAST_7D, from: "2025-01-01T00:00:00Z" }) { __typename } }'
_HELLO = {"query": "{ __typename }"}
_DATA = {"data": {"__typename": "Query"}}


@pytest.fixture(autouse=True)
def no_fault_is_logged(clean_log: None) -> None:
    """Fail if a fault was logged: no client may cause one."""


async def _post(
    live: LiveServer, body: object, accept: str | None = None, content_type: str = "application/json"
) -> Answer:
    sent = body if isinstance(body, bytes) else orjson.dumps(body)
    headers = [("Content-Type", content_type), *([("Accept", accept)] if accept is not None else [])]
    async with deadline(10):
        return await exchange(live.address, "POST", "/graphql", sent, headers)


async def _get(live: LiveServer, accept: str | None = None, **parameters: str) -> Answer:
    headers = [("Accept", accept)] if accept is not None else []
    async with deadline(10):
        return await exchange(live.address, "GET", f"/graphql?{urlencode(parameters)}", headers=headers)


def _detail(answer: Answer, status: int) -> str:
    """Return the detail of a problem."""
    assert (answer.status, answer.header("Content-Type")) == (status, _PROBLEM), answer
    problem: Any = answer.json()
    detail: str = problem["detail"]
    return detail


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, _JSON),
        ("", _JSON),
        ("*/*", _JSON),
        ("application/*", _JSON),
        ("application/json", _JSON),
        ("APPLICATION/JSON", _JSON),
        ("application/graphql-response+json", _GRAPHQL),
        ("application/graphql-response+json; charset=utf-8, application/json; charset=utf-8", _GRAPHQL),
        ("application/json, application/graphql-response+json", _JSON),
        ("application/json;q=0.5, application/graphql-response+json;q=0.6", _GRAPHQL),
        ("application/graphql-response+json;q=0.5, application/json", _JSON),
        ("application/graphql-response+json, application/json;q=0.9", _GRAPHQL),
        ("*/*, application/graphql-response+json", _GRAPHQL),
        ("application/json;q=0, */*", _GRAPHQL),
        ("text/html, application/json;q=0.1", _JSON),
        ("text/html, */*;q=0.1", _JSON),
        ("application/json;q=x, application/graphql-response+json;q=0.1", _GRAPHQL),
        ("application/json;charset=latin-1, application/graphql-response+json;q=0.1", _GRAPHQL),
        ('application/json;charset="UTF-8"', _JSON),
        ("multipart/mixed, application/json", _JSON),
    ],
)
async def test_answer_has_the_media_type_wanted_best(accept: str | None, media_type: str, standing: LiveServer) -> None:
    """The server MUST respect the given `Accept` header and attempt the highest priority media type listed."""
    for answer in (await _post(standing, _HELLO, accept), await _get(standing, accept, query="{ __typename }")):
        assert (answer.status, answer.header("Content-Type")) == (200, media_type)
        assert answer.json() == _DATA
        assert "Accept" in (answer.header("Vary") or "")


@pytest.mark.parametrize("accept", ["text/html", "image/*", "application/json;q=0", "nonsense", ";;,"])
async def test_unknown_media_types_alone_are_406(accept: str, standing: LiveServer) -> None:
    """Respond with a `406 Not Acceptable` status code and stop processing the request (RECOMMENDED)."""
    assert _detail(await _post(standing, _HELLO, accept), 406).startswith("Accept: expected one of application/json")
    assert _detail(await _get(standing, accept, query="{ __typename }"), 406)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"query": "{"}, "GRAPHQL_PARSE_FAILED"),
        ({"query": ""}, "OPERATION_NOT_AVAILABLE"),
        ({"query": "{ nowhere }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "query A { __typename }", "operationName": "B"}, "OPERATION_NOT_AVAILABLE"),
        ({"query": "query A { __typename } query B { __typename }"}, "OPERATION_NOT_AVAILABLE"),
        ({"query": "fragment F on Query { __typename }"}, "OPERATION_NOT_AVAILABLE"),
        ({"query": "query ($id: ID!) { board(boardId: $id) { cursor } }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "subscription { dashboardOverview { cursor } }"}, "OPERATION_NOT_AVAILABLE"),
    ],
    ids=["syntax", "empty", "field", "name", "several", "fragment", "variable", "subscription"],
)
async def test_request_error_is_200_or_400_by_media_type(body: Json, code: str, standing: LiveServer) -> None:
    """If the GraphQL response does not contain the {data} entry: `4xx` or `5xx`; as `application/json`: `200`."""
    for accept, status, media_type in (("application/json", 200, _JSON), (_GRAPHQL, 400, _GRAPHQL)):
        answer = await _post(standing, body, accept)
        assert (answer.status, answer.header("Content-Type")) == (status, media_type)
        result: Any = answer.json()
        assert set(result) == {"errors"}
        assert [error["extensions"]["code"] for error in result["errors"]] == [code]


async def test_error_of_a_field_is_200_in_both_media_types(standing: LiveServer) -> None:
    """If the response contains the {data} entry and it is {null}, it is RECOMMENDED to reply with `200`."""
    for accept in ("application/json", _GRAPHQL):
        answer = await _post(standing, {"query": _FAILING}, accept)
        result: Any = answer.json()
        assert (answer.status, result["data"]) == (200, None)
        assert result["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize("accept", [None, "application/json", "application/graphql-response+json"])
async def test_mutation_by_get_is_405_and_changes_nothing(accept: str | None, boards: LiveServer) -> None:
    """The server MUST respond with error status code `405` (Method Not Allowed) and halt execution."""
    answer = await _get(boards, accept, query=_DELETE, variables='{"id":"free"}')
    assert _detail(answer, 405) == "GET executes no mutations, send them by POST"
    assert answer.header("Allow") == "POST"
    left: Any = (await _get(boards, query=f'{{ board(boardId: "{BOARD}") {{ cards {{ cardId }} }} }}')).json()
    assert "free" in [card["cardId"] for card in left["data"]["board"]["cards"]]


async def test_operation_name_decides_whether_get_may(standing: LiveServer) -> None:
    """If the values of {query} and {operationName} indicate that a mutation operation is to be executed."""
    document = "query A { __typename } mutation B { __typename }"
    assert (await _get(standing, query=document, operationName="A")).json() == _DATA
    assert _detail(await _get(standing, query=document, operationName="B"), 405)


async def test_empty_parameters_of_get_are_absent(standing: LiveServer) -> None:
    """Setting {operationName} to the empty string is equivalent to omitting the {operationName} parameter."""
    answer = await _get(standing, query="query A { __typename }", operationName="", variables="", extensions="")
    assert answer.json() == _DATA


@pytest.mark.parametrize(
    ("parameters", "detail"),
    [
        ({}, "query: expected a string, got none"),
        ({"operationName": "A"}, "query: expected a string, got none"),
        ({"query": "{ a }", "variables": "{"}, "variables: expected JSON, got '{'"),
        ({"query": "{ a }", "variables": "[]"}, "variables: expected an object or null, got a list"),
        ({"query": "{ a }", "extensions": "1"}, "extensions: expected an object or null, got 1"),
    ],
    ids=["nothing", "no-query", "half", "list", "number"],
)
async def test_malformed_get_is_400_with_reason(parameters: dict[str, str], detail: str, standing: LiveServer) -> None:
    for accept in (None, "*/*", "application/json", "application/graphql-response+json"):
        assert _detail(await _get(standing, accept, **parameters), 400).startswith(detail)


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", "Unable to parse request body as JSON"),
        (b"{", "Unable to parse request body as JSON"),
        (b'{"query":"\xff"}', "Unable to parse request body as JSON"),
        (b'\xef\xbb\xbf{"query":"{ __typename }"}', "Unable to parse request body as JSON"),
        (b"[" * 100_000, "Unable to parse request body as JSON"),
        (b"[" * 1000 + b"]" * 1000, "expected an object with a query, got a list"),
        ([], "expected an object with a query, got a list"),
        ([_HELLO], "expected an object with a query, got a list"),
        (None, "expected an object with a query, got null"),
        ("{ __typename }", "expected an object with a query, got '{ __typename }'"),
        (1, "expected an object with a query, got 1"),
        ({}, "query: expected a string, got none"),
        ({"query": None}, "query: expected a string, got null"),
        ({"query": {"a": 1}}, "query: expected a string, got an object"),
        ({**_HELLO, "variables": "{}"}, "variables: expected an object or null, got '{}'"),
        ({**_HELLO, "operationName": 0}, "operationName: expected a string or null, got 0"),
        ({**_HELLO, "extensions": ["x" * 99]}, "extensions: expected an object or null, got a list"),
        ({**_HELLO, "extensions": "x" * 99}, f"extensions: expected an object or null, got '{'x' * 40}'…"),
    ],
    ids=lambda one: f"{one!r:.30}" if not isinstance(one, str) else "",
)
async def test_malformed_post_is_400_with_reason(body: object, detail: str, standing: LiveServer) -> None:
    """A request that does not constitute a well-formed GraphQL-over-HTTP request SHOULD result in `400`."""
    for accept in (None, "application/json", "application/graphql-response+json"):
        assert _detail(await _post(standing, body, accept), 400) == detail


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "",
        "application/graphql",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "application/json; charset=latin-1",
        "application/json, text/plain",
    ],
)
async def test_other_content_type_is_refused(content_type: str, standing: LiveServer) -> None:
    """The server SHOULD reject the request using the appropriate `4xx` status code."""
    assert "Content-Type: expected application/json in UTF-8" in _detail(
        await _post(standing, _HELLO, None, content_type), 415
    )


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON;CHARSET=UTF-8"])
async def test_request_and_answer_are_utf_8(content_type: str, standing: LiveServer) -> None:
    query = '{ __type(name: "Rün🏃") { name } a: __typename }'
    answer = await _post(standing, {"query": query}, None, content_type)
    assert answer.json() == {"data": {"__type": None, "a": "Query"}}
    answer = await _post(standing, {"query": query, "operationName": "Rün🏃"}, None, content_type)
    assert 'Unknown operation named \\"Rün🏃\\".' in answer.body.decode()


@pytest.mark.parametrize(
    ("accept", "is_page"),
    [
        ("text/html", True),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", True),
        ("application/json, text/html", False),
        ("*/*", False),
        (None, False),
    ],
)
async def test_page_is_for_who_wants_html_most(accept: str | None, is_page: bool, standing: LiveServer) -> None:
    answer = await _get(standing, accept)
    if is_page:
        assert (answer.status, answer.header("Content-Type")) == (200, "text/html; charset=utf-8")
        assert "Accept" in (answer.header("Vary") or "")
    else:
        assert _detail(answer, 400) == "query: expected a string, got none"


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
async def test_other_method_is_405_with_those_that_are_allowed(method: str, standing: LiveServer) -> None:
    async with deadline(10):
        answer = await exchange(standing.address, method, "/graphql")
    assert (answer.status, answer.header("Allow")) == (405, "GET, POST")


async def test_answer_says_what_it_cost_to_clients_that_ask(standing: LiveServer) -> None:
    """GraphiQL asks for the cost and shows it next to the data."""
    sent = {"query": "{ projects { nodes { id } } }", "extensions": {"cost": True}}
    shown: Any = (await _post(standing, sent)).json()
    assert set(shown) == {"data", "extensions"}
    assert shown["extensions"] == {"cost": {"cost": 102, "maxCost": 50_000}}
    assert set((await _post(standing, {**sent, "extensions": {}})).json()) == {"data"}  # type: ignore[call-overload]
