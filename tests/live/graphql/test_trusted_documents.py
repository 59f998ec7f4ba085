"""Documents that requests name by their ids: over every transport, in each form of a manifest, alone or with others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from server.settings import Settings
from tests.kit.deadline import deadline
from tests.kit.live_server import live_server
from tests.kit.multipart_reader import ACCEPT as MULTIPART
from tests.kit.raw_http import Address, exchange
from tests.kit.recordings import Json
from tests.live.command import ended
from tests.live.graphql.client import connected
from tests.live.graphql.refusing import SSE, TRANSPORTS, Transport, refused

pytestmark = pytest.mark.usefixtures("clean_log")

_QUERY = "query Named { projects { pageInfo { hasNextPage } } }"
_OTHER = "{ projects { pageInfo { hasNextPage } } }"
_SUBSCRIPTION = 'subscription { boardState(boardId: "none") { cursor } }'
_APOLLO = {
    "format": "apollo-persisted-query-manifest",
    "version": 1,
    "operations": [{"id": "id-1", "name": "Named", "type": "query", "body": _QUERY}],
}
_BY_ID = {"id-1": _QUERY, "id-2": _SUBSCRIPTION}
_NAMED: list[Json] = [
    {"documentId": "id-1"},
    {"query": "", "documentId": "id-1"},
    {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "id-1"}}},
    {"query": _QUERY, "extensions": {"persistedQuery": {"version": 1, "sha256Hash": "id-1"}}},
]
_FOUND = {"data": {"projects": {"pageInfo": {"hasNextPage": False}}}}


@pytest.fixture(params=list(TRANSPORTS.values()), ids=list(TRANSPORTS))
def transport(request: pytest.FixtureRequest) -> Transport:
    found: Transport = request.param
    return found


def _file(folder: Path, manifest: object) -> Path:
    file = folder / "manifest.json"
    file.write_bytes(manifest if isinstance(manifest, bytes) else orjson.dumps(manifest))
    return file


async def _posted(address: Address, request: Json) -> Any:
    async with deadline(10):
        return (await exchange(address, "POST", "/graphql", orjson.dumps(request))).json()


async def _over_socket(address: Address, request: Json) -> Json:
    async with deadline(10), connected(address) as client:
        await client.send({"id": "1", "type": "subscribe", "payload": request})
        message = await client.message()
        payload: Json = message["payload"]
        return payload if message["type"] == "next" else {"errors": payload}


@pytest.mark.parametrize("manifest", [_APOLLO, _BY_ID], ids=["apollo", "ids and documents"])
@pytest.mark.parametrize("asked", _NAMED, ids=["documentId", "empty query", "apollo", "apollo with its document"])
@pytest.mark.parametrize("only", [False, True], ids=["with others", "only"])
async def test_trusted_document_is_executed(only: bool, asked: Json, manifest: object, tmp_path: Path) -> None:
    settings = {"trusted_documents": _file(tmp_path, manifest), "only_trusted_documents": only}
    async with live_server(**settings) as live:
        assert await _posted(live.address, asked) == _FOUND
        assert await _over_socket(live.address, asked) == _FOUND
        parameters = "documentId=id-1"
        answer = await exchange(live.address, "GET", f"/graphql?{parameters}")
        assert answer.json() == _FOUND


async def test_subscription_may_be_named(tmp_path: Path) -> None:
    async with live_server(trusted_documents=_file(tmp_path, _BY_ID)) as live:
        answer = await _over_socket(live.address, {"documentId": "id-2"})
        assert answer["errors"][0]["extensions"]["code"] == "BOARD_NOT_FOUND"


_SSE_LATER = "application/json, text/event-stream;q=0.1"


@pytest.mark.parametrize("accept", [MULTIPART, "multipart/mixed;subscriptionSpec=1.0", SSE, _SSE_LATER])
@pytest.mark.parametrize("only", [False, True], ids=["with others", "only"])
async def test_named_subscription_gets_the_stream_that_its_text_would_get(
    only: bool, accept: str, tmp_path: Path
) -> None:
    settings = {"trusted_documents": _file(tmp_path, _BY_ID), "only_trusted_documents": only}
    persisted = {"persistedQuery": {"version": 1, "sha256Hash": "id-2"}}
    async with live_server(**settings) as live:
        texts = [{"query": _SUBSCRIPTION}, {"documentId": "id-2"}, {"extensions": persisted}]
        asked = [exchange(live.address, "POST", "/graphql", orjson.dumps(one), [("Accept", accept)]) for one in texts]
        async with deadline(10):
            as_text, *by_id = [await one for one in asked]
        assert as_text.status == 200
        assert b"BOARD_NOT_FOUND" in as_text.body
        for answer in by_id:
            assert (answer.header("Content-Type"), answer.body) == (as_text.header("Content-Type"), as_text.body)


async def test_named_mutation_by_get_is_405(tmp_path: Path) -> None:
    named = {"id-1": 'mutation { deleteProject(projectId: "none") { __typename } }'}
    async with live_server(trusted_documents=_file(tmp_path, named)) as live, deadline(10):
        answer = await exchange(live.address, "GET", "/graphql?documentId=id-1")
        assert (answer.status, answer.header("Allow")) == (405, "POST")


async def test_get_that_names_a_document_without_a_reservation_is_streamed(tmp_path: Path) -> None:
    async with live_server(trusted_documents=_file(tmp_path, _BY_ID)) as live, deadline(10):
        answer = await exchange(live.address, "GET", "/graphql/stream?documentId=id-2", headers=[("Accept", SSE)])
        assert b"BOARD_NOT_FOUND" in answer.body


async def test_other_documents_are_executed_unless_only_trusted_ones_are(tmp_path: Path) -> None:
    other = {"query": _OTHER}
    async with live_server(trusted_documents=_file(tmp_path, _BY_ID)) as live:
        assert await _posted(live.address, other) == _FOUND
        # A document under the id of another one is executed as it is; nothing is stored.
        assert await _posted(live.address, {**other, "documentId": "id-2"}) == _FOUND


async def test_unknown_id_is_answered_so_that_apollo_sends_its_document(transport: Transport, tmp_path: Path) -> None:
    async with live_server(trusted_documents=_file(tmp_path, _BY_ID)) as live:
        for asked in ({"documentId": "id-3"}, {"extensions": {"persistedQuery": {"sha256Hash": ["id-1"]}}}):
            found = await refused(transport, live, asked)
            assert found == ("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound")


_TWO_IDS: list[Json] = [
    {"documentId": "id-1", "extensions": {"persistedQuery": {"version": 1, "sha256Hash": "id-2"}}},
    {"documentId": "id-1", "extensions": {"persistedQuery": {"version": 1}}},
    {"query": _QUERY, "documentId": "id-3", "extensions": {"persistedQuery": {"version": 1, "sha256Hash": "id-1"}}},
]


@pytest.mark.parametrize("asked", _TWO_IDS, ids=["both known", "no hash", "with a document"])
@pytest.mark.parametrize("only", [False, True], ids=["with others", "only"])
async def test_two_different_ids_are_refused(only: bool, asked: Json, transport: Transport, tmp_path: Path) -> None:
    settings = {"trusted_documents": _file(tmp_path, _BY_ID), "only_trusted_documents": only}
    async with live_server(**settings) as live:
        code, message = await refused(transport, live, asked)
        assert (code, message.partition(", got")[0]) == ("OPERATION_NOT_AVAILABLE", "expected one id of a document")
        same = {"documentId": "id-1", "extensions": {"persistedQuery": {"version": 1, "sha256Hash": "id-1"}}}
        assert await _posted(live.address, same) == _FOUND


async def test_id_that_is_no_text_is_named() -> None:
    async with live_server() as live:
        for asked in ({"documentId": 5}, {"documentId": ["id-1"], "query": _OTHER}):
            problem = await _posted(live.address, asked)
            came = "5" if asked["documentId"] == 5 else "a list"
            assert problem["detail"] == f"documentId: expected a string or null, got {came}"
        assert await _posted(live.address, {"documentId": None, "query": _OTHER}) == _FOUND


@pytest.mark.parametrize(
    "asked",
    [
        {"query": _OTHER},
        {"query": _OTHER, "documentId": "id-3"},
        {"documentId": "id-3"},
        {"query": _QUERY + " "},
        {"query": "{ __schema { types { name } } }"},
        {"query": "{"},
    ],
)
async def test_only_trusted_documents_are_executed(asked: Json, transport: Transport, tmp_path: Path) -> None:
    settings = {"trusted_documents": _file(tmp_path, _BY_ID), "only_trusted_documents": True}
    async with live_server(**settings) as live:
        code, message = await refused(transport, live, asked)
        assert code == "DOCUMENT_NOT_TRUSTED"
        assert message.startswith("expected a trusted document")
        assert await _posted(live.address, {"query": _QUERY}) == _FOUND  # the text of a trusted document


async def test_document_of_another_id_is_replaced_where_only_trusted_ones_are_executed(tmp_path: Path) -> None:
    settings = {"trusted_documents": _file(tmp_path, _BY_ID), "only_trusted_documents": True}
    async with live_server(**settings) as live:
        assert await _posted(live.address, {"query": "mutation { x }", "documentId": "id-1"}) == _FOUND


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        (b"{", "got no JSON"),
        (b"\xff", "got no JSON"),
        ([], "got list"),
        ({}, "without documents"),
        ({"operations": []}, "Apollo's has"),
        ({**_APOLLO, "version": 2}, "Apollo's has"),
        ({**_APOLLO, "operations": [{"id": "a"}]}, "operation 0"),
        ({**_APOLLO, "operations": []}, "without documents"),
        ({"a": 1}, "under the id 'a'"),
        ({"": _QUERY}, "under the id ''"),
        (b'{"a":"' + b"x" * 17_000_000 + b'"}', "at most 16777216 bytes"),
    ],
)
def test_file_of_another_form_is_refused_at_the_start(manifest: object, expected: str, tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match=expected):
        Settings(trusted_documents=_file(tmp_path, manifest))


def test_file_must_be_there_and_given(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="--trusted-documents: No such file"):
        Settings(trusted_documents=tmp_path / "none.json")
    with pytest.raises(ValidationError, match="expected --trusted-documents with it"):
        Settings(only_trusted_documents=True)


@pytest.mark.parametrize("text", ["{ projects { nothing } }", "{", "x" * 200_000])
async def test_document_that_does_not_fit_the_schema_ends_the_start(text: str, tmp_path: Path) -> None:
    file = _file(tmp_path, {"id-1": _QUERY, "id-bad": text})
    end = await ended(tmp_path, "--port", "0", "--trusted-documents", str(file))
    assert end.code == 2, end
    assert "expected documents for this schema; the one with the id 'id-bad': " in end.err.splitlines()[-1]


_SUGGESTION = "Did you mean"
_MISSPELT: list[Json] = [
    {"query": "{ projcts { name } }"},
    {"query": "{ projects(frist: 1) { pageInfo { hasNextPage } } }"},
    {"query": "{ node(id: 1) { ... on Crad { title } } }"},
    {"query": "{ node(id: 1) { title } }"},
    {"query": "{ projects @skip(iff: true) { pageInfo { hasNextPage } } }"},
    {"query": "{ dashboardOverview(timeRange: {preset: LAST_7}) { generatedAt } }"},
    {"query": "{ dashboardOverview(timeRange: {preste: LAST_7D}) { generatedAt } }"},
    {
        "query": "query ($range: TimeRangeInput) { dashboardOverview(timeRange: $range) { generatedAt } }",
        "variables": {"range": {"preset": "LAST_7"}},
    },
    {
        "query": "query ($range: TimeRangeInput) { dashboardOverview(timeRange: $range) { generatedAt } }",
        "variables": {"range": {"preste": "LAST_7D"}},
    },
]


async def test_errors_suggest_no_names_while_introspection_is_off(transport: Transport) -> None:
    async with live_server() as openly:
        for asked in _MISSPELT:
            assert _SUGGESTION in await _messages(transport, openly.address, asked)
    async with live_server(introspection=False) as live:
        for asked in _MISSPELT:
            assert _SUGGESTION not in await _messages(transport, live.address, asked)


async def _messages(transport: Transport, address: Address, asked: Json) -> str:
    async with deadline(10):
        response: Any = await transport(address, asked)
    return " ".join(error["message"] for error in response["errors"])


async def test_introspection_can_be_switched_off(transport: Transport) -> None:
    async with live_server(introspection=False) as live:
        for query in (
            '{ __type(name: "Card") { name } }',
            "{ ...F } fragment F on Query { __schema { types { name } } }",
        ):
            code, message = await refused(transport, live, {"query": query})
            assert code == "GRAPHQL_VALIDATION_FAILED"
            assert "introspection has been disabled" in message
        named = await _posted(live.address, {"query": "{ __typename }"})
        assert named == {"data": {"__typename": "Query"}}
    async with live_server() as live:
        assert "errors" not in await _posted(live.address, {"query": "{ __schema { queryType { name } } }"})
