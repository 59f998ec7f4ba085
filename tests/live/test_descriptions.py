"""The OpenAPI and AsyncAPI documents: well-formed, and true of what the server really answers and sends."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import anyio.to_thread
import hypothesis
import jsonschema_rs
import orjson
import pytest
import requests
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from realtime.messages.envelopes import Envelope
from realtime.messages.payloads import PAYLOADS, GitStatus, Payload
from server.protocol.kanban_messages import text_frame
from server.protocol.kanban_protocol import COMMANDS, REQUESTS
from server.transports.descriptions.asyncapi import asyncapi, message_name
from server.transports.descriptions.calls import entries
from server.transports.descriptions.openapi import openapi
from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer, live_server
from tests.kit.raw_http import exchange
from tests.kit.raw_socket import open_socket
from tests.unit.realtime.payload_samples import payload_samples

#: Examples of one operation; half of them ask about ids that exist.
EXAMPLES = 6
_WAIT_UNITS = 90
_CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    unsupported_method,
]


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        for key, value in part.items():
            if key == "$ref":
                yield value
            else:
                yield from _references(value)
    elif isinstance(part, list):
        for one in part:
            yield from _references(one)


def _resolved(document: Any, reference: str) -> Any:
    for key in reference.removeprefix("#/").split("/"):
        document = document[key.replace("~1", "/")]
    return document


@pytest.mark.parametrize("document", [openapi(), asyncapi()], ids=["openapi", "asyncapi"])
def test_every_reference_leads_somewhere_and_every_schema_is_one(document: dict[str, Any]) -> None:
    for reference in set(_references(document)):
        assert _resolved(document, reference) is not None
    components = document["components"]["schemas"]
    for name in components:
        schema = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": components}}
        assert jsonschema_rs.Draft202012Validator(schema) is not None
    assert set(components) == {one.rpartition("/")[2] for one in _references(document) if "/schemas/" in one}


def test_every_call_is_described_once() -> None:
    described = {(method.upper(), path) for path, one in openapi()["paths"].items() for method in one}
    assert described == {*((entry.method, entry.path) for entry in entries()), ("POST", "/events")}
    names = [one["operationId"] for calls in openapi()["paths"].values() for one in calls.values()]
    assert len(names) == len(set(names))


def test_every_envelope_and_command_is_described() -> None:
    named = {one["name"] for one in asyncapi()["components"]["messages"].values()}
    assert set(PAYLOADS) | {*COMMANDS, *REQUESTS} <= named
    assert asyncapi()["components"]["messages"][message_name(GitStatus, "Socket")]["name"] == "git:status"


async def test_documents_are_served_and_shown_without_a_token() -> None:
    async with live_server(require_token=True) as live, deadline(20):
        for name, document in (("openapi", openapi()), ("asyncapi", asyncapi())):
            answer = await exchange(live.address, "GET", f"/api/v1/{name}.json")
            assert (answer.status, orjson.loads(answer.body)) == (200, document)
        page = await exchange(live.address, "GET", "/docs")
        assert page.status == 200
        assert "script-src 'self'" in (page.header("Content-Security-Policy") or "")
        for asset in ("docs.js", "docs.css"):
            assert (await exchange(live.address, "GET", f"/static/docs/{asset}")).status == 200


@dataclass
class _Stage:
    """A board with a card and an attempt, and a token, which are made anew when an example has removed them."""

    url: str
    session: requests.Session

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.session.request(method, f"{self.url}/api/v1{path}", json=body, timeout=30)
        assert answer.ok, answer.text
        return answer.json()

    def ids(self) -> Mapping[str, str]:
        """Return the values for the parameters of a path."""
        board = self._ask("POST", "/projects", {"name": "P", "repositoryPath": "/r"})["id"]
        column = self._ask("GET", f"/boards/{board}")["state"]["columnOrder"][0]
        card = self._ask("POST", f"/boards/{board}/cards", {"title": "t", "columnId": column})["cardId"]
        attempt = self._ask("POST", f"/boards/{board}/cards/{card}/attempts", {"agent": "A"})["id"]
        token = self._ask("POST", "/tokens", {"name": "ci", "boards": ["*"], "can": ["read"]})["id"]
        return {"id": board, "card": card, "attempt": attempt, "token": token}


def _try(stage: _Stage, operation: Any) -> set[int]:
    """Send examples of an operation; return the statuses that came."""
    statuses: set[int] = set()
    ids = stage.ids()

    @hypothesis.settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(case=operation.as_strategy(), is_real=hypothesis.strategies.booleans())
    def run(case: Any, is_real: bool) -> None:
        if is_real:
            case.path_parameters = {name: quote(ids[name], safe="") for name in case.path_parameters or {}}
        answer = case.call(base_url=f"{stage.url}/api/v1", session=stage.session)
        statuses.add(answer.status_code)
        case.validate_response(answer, checks=_CHECKS)

    run()
    return statuses


def _try_all(url: str, document: dict[str, Any]) -> dict[str, set[int]]:
    found = {}
    with requests.Session() as session:
        for result in schemathesis.openapi.from_dict(document).get_all_operations():
            operation: Any = result.ok()  # type: ignore[union-attr]  # our document has no faults
            found[operation.label] = _try(_Stage(url, session), operation)
    return found


async def test_server_answers_every_operation_as_it_is_described() -> None:
    async with live_server(max_failed_authentications=0, max_sign_ins=0) as live, deadline(_WAIT_UNITS):
        found = await anyio.to_thread.run_sync(_try_all, live.url, openapi())
    assert len(found) == len(entries()) + 1
    without = [name for name, statuses in found.items() if not any(status < 300 for status in statuses)]
    assert len(without) < len(found) / 3, without


async def test_answer_that_is_not_as_described_is_found() -> None:
    document = copy.deepcopy(openapi())
    document["paths"] = {"/version": document["paths"]["/version"]}
    document["components"]["schemas"]["Version"]["required"].append("colour")
    async with live_server() as live, deadline(20):
        with pytest.raises(schemathesis.core.failures.FailureGroup, match="colour"):
            await anyio.to_thread.run_sync(_try_all, live.url, document)


def _misfits(name: str, content: object) -> list[str]:
    """Return the places at which a message is not as it is described."""
    document = asyncapi()
    schema = {**document["components"]["messages"][name]["payload"], "components": document["components"]}
    validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
    return [f"{error.instance_path}: {error.message}" for error in validator.iter_errors(content)]


@pytest.mark.parametrize("payload", list(payload_samples()), ids=lambda one: one.type)
def test_every_kind_of_envelope_is_as_it_is_described(payload: Payload) -> None:
    assert _misfits(message_name(type(payload), "Socket"), orjson.loads(text_frame(Envelope(payload)))) == []
    on_sse = message_name(type(payload), "Events")
    if on_sse in asyncapi()["components"]["messages"]:
        assert _misfits(on_sse, orjson.loads(payload.json())) == []


async def _received(live: LiveServer) -> list[dict[str, Any]]:
    """Return what a socket gets while a card is made, changed, moved and deleted."""
    stage = ("POST", "/api/v1/projects")
    made = await exchange(live.address, *stage, orjson.dumps({"name": "P", "repositoryPath": "/r"}))
    board = orjson.loads(made.body)["id"]
    envelopes: list[dict[str, Any]] = []
    async with open_socket(live.address, f"/api/v1/ws?boardId={board}&delivery=changes") as socket:
        while (came := orjson.loads(await socket.receive_text()))["type"] != "state":
            envelopes.append(came)
        envelopes.append(came)
        first, second, *_ = came["payload"]["columnOrder"]

        async def answer(type: str, payload: object) -> dict[str, Any]:
            """Send a command and return what comes for it."""
            command = {"type": type, **({} if payload is None else {"payload": payload})}
            _check_command(command)
            await socket.send_json(command)
            envelopes.append(orjson.loads(await socket.receive_text()))
            return envelopes[-1]

        card = (await answer("create_card", {"columnId": first, "title": "t"}))["payload"]["card"]["id"]
        await answer("update_card", {"cardId": card, "description": "d"})
        await answer("move_card", {"cardId": card, "toColumnId": second, "toIndex": 0})
        for _ in range(2):
            await answer("delete_card", {"cardId": card})
        await answer("ping", None)
        return envelopes


def _check_command(command: dict[str, Any]) -> None:
    messages = asyncapi()["components"]["messages"]
    (name,) = [key for key, one in messages.items() if one["name"] == command["type"] and key.endswith("Command")]
    assert _misfits(name, command) == []


async def test_socket_sends_what_is_described() -> None:
    async with live_server() as live, deadline(20):
        envelopes = await _received(live)
    types = [one["type"] for one in envelopes]
    changes = ["card_created", "card_updated", "card_moved", "card_deleted"]
    assert types == ["hello", "state", *changes, "error", "pong"]
    for one in envelopes:
        assert _misfits(message_name(PAYLOADS[one["type"]], "Socket"), one) == []
