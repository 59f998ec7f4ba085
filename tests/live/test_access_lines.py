"""Access lines: refusals and what admins do, with request id, subject and address; never with a secret."""

from __future__ import annotations

import base64
import hashlib
import logging
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
import pytest
from pydantic import SecretStr

from realtime.service import Action
from tests.kit.access_tokens import ADMIN, Admin
from tests.kit.deadline import deadline
from tests.kit.json_web_tokens import SECRET, claims_of, signed
from tests.kit.live_server import LiveServer, live_server
from tests.kit.raw_http import Address, Answer, connect, exchange, request_bytes
from tests.kit.raw_socket import CLOSE, open_socket
from tests.kit.sessions import sign_in
from tests.kit.token_relay import relay_with_token
from tests.live.boards import BOARD, TODO, make_boards
from tests.live.command import Process, running
from tests.live.graphql.client import ACK, open_client, subscribe_message

_WAIT_UNITS = 20
_WRONG = "wrong-token-0123456789"
_READER = claims_of([BOARD], ["read"])
_NEW = {"name": "P", "repositoryPath": "/srv/p"}
_CARD = {"columnId": TODO, "title": "t"}
_CREATE = f'mutation {{ createCard(boardId: "%s", input: {{columnId: "{TODO}", title: "t"}}) {{ __typename }} }}'

pytestmark = pytest.mark.usefixtures("clean_log")
_Lines = Callable[[], list[logging.LogRecord]]


@pytest.fixture
async def guarded() -> AsyncIterator[LiveServer]:
    """A server with two boards that takes static secrets, access tokens and JSON Web Tokens."""
    async with live_server(
        jwt_key=SecretStr(SECRET), tokens=SecretStr(ADMIN), max_failed_authentications=3, max_commands_per_second=1
    ) as live:
        async with relay_with_token(live.address, ADMIN) as address:
            await make_boards(address)
        yield live


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> _Lines:
    """Return a function that takes the access lines since the last call."""
    caplog.set_level(logging.INFO)

    def taken() -> list[logging.LogRecord]:
        found = [record for record in caplog.records if record.name.startswith("access")]
        caplog.clear()
        return found

    return taken


async def _ask(address: Address, method: str, target: str, body: object = None, token: str | None = None) -> Answer:
    headers = [] if token is None else [("Authorization", f"Bearer {token}")]
    return await exchange(address, method, target, None if body is None else orjson.dumps(body), headers)


def _said(record: logging.LogRecord) -> tuple[str, Any, Any]:
    return record.getMessage(), record.__dict__["subject"], record.__dict__["path"]


_REFUSED = [
    ("GET", "/api/v1/boards", None, None, "unauthenticated", "anonymous"),
    ("GET", "/api/v1/boards?access_token=x", None, None, "unauthenticated", "anonymous"),
    ("GET", "/api/v1/sse", None, _WRONG, "unauthenticated", "anonymous"),
    ("POST", f"/api/v1/boards/{BOARD}/cards", _CARD, signed(_READER), "forbidden", "user ada"),
    ("GET", "/api/v1/dashboard", None, signed(_READER), "forbidden", "user ada"),
    ("GET", "/api/v1/sse", None, signed(_READER), "forbidden", "user ada"),
    ("GET", "/metrics", None, signed(_READER), "forbidden", "user ada"),
    ("GET", "/api/v1/tokens", None, signed(_READER), "forbidden", "user ada"),
    ("POST", "/api/v1/projects", _NEW, signed(_READER), "forbidden", "user ada"),
    ("GET", "/api/v1/boards/board-2", None, signed(_READER), "board_not_found", "user ada"),
    ("GET", "/api/v1/boards/none", None, signed(_READER), "board_not_found", "user ada"),
    ("GET", "/api/v1/projects/none", None, signed(_READER), "project_not_found", "user ada"),
    ("GET", "/api/v1/sse?boardId=none", None, signed(_READER), "board_not_found", "user ada"),
    ("PATCH", "/api/v1/boards/none/cards/c", {"title": "t"}, signed(_READER), "board_not_found", "user ada"),
    ("POST", "/api/v1/session", {"token": _WRONG}, None, "unauthenticated", "anonymous"),
]


@pytest.mark.parametrize(("method", "target", "body", "token", "code", "subject"), _REFUSED)
async def test_refused_request_is_one_line_with_the_id_of_its_answer(
    method: str,
    target: str,
    body: object,
    token: str | None,
    code: str,
    subject: str,
    guarded: LiveServer,
    lines: _Lines,
) -> None:
    lines()
    answer = await _ask(guarded.address, method, target, body, token)
    assert answer.status in {401, 403, 404}
    (line,) = lines()
    assert _said(line) == (f"refused: {code}", subject, target.partition("?")[0])
    assert line.__dict__["address"] == "127.0.0.1"
    assert line.__dict__["request"] == answer.header("x-request-id")


async def test_client_that_asks_too_often_is_a_line(guarded: LiveServer, lines: _Lines) -> None:
    writer = signed(claims_of([BOARD], ["read", "write"]))
    lines()
    for status in (401, 401, 401, 429):
        assert (await _ask(guarded.address, "GET", "/api/v1/boards", token=_WRONG)).status == status
    for status in (201, 201, 429):
        assert (await _ask(guarded.address, "POST", f"/api/v1/boards/{BOARD}/cards", _CARD, writer)).status == status
    said = [_said(line)[:2] for line in lines()]
    assert said == [
        *[("refused: unauthenticated", "anonymous")] * 3,
        ("refused: rate_limited", "anonymous"),
        ("refused: rate_limited", "user ada"),
    ]


async def test_acts_of_an_admin_are_lines(guarded: LiveServer, lines: _Lines) -> None:
    admin, address = Admin(guarded.address), guarded.address
    lines()
    token = await admin.make("Ada")
    assert await admin.revoke(token) == 204
    project = orjson.loads((await _ask(address, "POST", "/api/v1/projects", _NEW, ADMIN)).body)["id"]
    assert (await _ask(address, "PATCH", f"/api/v1/projects/{project}", {"name": "Q"}, ADMIN)).status == 200
    assert (await _ask(address, "GET", "/metrics", token=ADMIN)).status == 200
    assert await admin.listed() == []
    assert (await _ask(address, "DELETE", f"/api/v1/projects/{project}", token=ADMIN)).status == 204
    written = lines()
    assert [line.getMessage() for line in written] == [
        "an access token was made",
        "an access token was revoked",
        "a project was created",
        "a project was changed",
        "the metrics were read",
        "the access tokens were read",
        "a project was deleted",
    ]
    assert {line.__dict__["subject"] for line in written} == {_name_of(ADMIN)}
    assert {line.__dict__["address"] for line in written} == {"127.0.0.1"}
    assert len({line.__dict__["request"] for line in written}) == len(written)
    assert written[0].__dict__["token"] == written[1].__dict__["token"] == token.id
    assert written[2].__dict__["project"] == written[-1].__dict__["project"] == project


async def test_session_is_begun_and_ended_by_its_subject(guarded: LiveServer, lines: _Lines) -> None:
    token = signed(_READER)
    lines()
    cookie = await sign_in(guarded.address, token)
    headers = [("Cookie", cookie)]
    assert (await exchange(guarded.address, "DELETE", "/api/v1/session", headers=headers)).status == 204
    assert [_said(line) for line in lines()] == [
        ("a session began", "user ada", "/api/v1/session"),
        ("a session was ended", "user ada", "/api/v1/session"),
    ]
    await sign_in(guarded.address, ADMIN)
    assert [_said(line)[1] for line in lines()] == [_name_of(ADMIN)]


def _name_of(secret: str) -> str:
    """Return the name of a static secret in lines: a part of its digest that is too short to test a guess."""
    return f"token {hashlib.sha256(secret.encode()).hexdigest()[:4]}"


async def test_refusals_on_raw_sockets_are_lines(guarded: LiveServer, lines: _Lines) -> None:
    token = signed(_READER)
    lines()
    async with (
        deadline(_WAIT_UNITS),
        open_socket(guarded.address, f"/api/v1/ws?boardId={BOARD}&access_token={token}") as one,
    ):
        id = one.response.header("x-request-id")
        assert id is not None
        for message, code in [
            ({"type": "create_card", "payload": _CARD}, "forbidden"),
            ({"type": "authenticate", "payload": {"token": _WRONG}}, "unauthenticated"),
            ({"type": "authenticate", "payload": {"token": signed({**_READER, "sub": "bo"})}}, "forbidden"),
        ]:
            await one.send_json(message)
            while (frame := await one.receive()).opcode == CLOSE or b'"error"' not in frame.payload:
                assert frame.opcode != CLOSE
            (line,) = lines()
            assert _said(line) == (f"refused: {code}", "user ada", "/api/v1/ws")
            assert line.__dict__["request"] == id
    async with (
        deadline(_WAIT_UNITS),
        open_socket(guarded.address, f"/api/v1/ws?boardId=none&access_token={token}") as one,
    ):
        assert (await one.receive()).close == (1008, "Board not found")
    (line,) = lines()
    assert _said(line) == ("refused: board_not_found", "user ada", "/api/v1/ws")


async def test_refusals_on_graphql_sockets_are_lines(guarded: LiveServer, lines: _Lines) -> None:
    lines()
    async with deadline(_WAIT_UNITS), open_client(guarded.address) as client:
        await client.send({"type": "connection_init", "payload": {"token": _WRONG}})
        await client.closed()
    assert [_said(line) for line in lines()] == [("refused: unauthenticated", "anonymous", "/graphql")]
    async with deadline(_WAIT_UNITS), open_client(guarded.address) as client:
        await client.send({"type": "connection_init", "payload": {"token": signed(_READER)}})
        await client.expect(ACK)
        for id, query, code in [
            ("1", _CREATE % BOARD, "forbidden"),
            ("2", _CREATE % "none", "board_not_found"),
            ("3", 'subscription { boardState(boardId: "none") { cursor } }', "board_not_found"),
            ("4", "subscription { dashboardOverview { generatedAt } }", "forbidden"),
        ]:
            await client.send(subscribe_message(id, query))
            answer = await client.message()
            if answer["type"] == "next":
                await client.expect({"id": id, "type": "complete"})
            (line,) = lines()
            assert _said(line) == (f"refused: {code}", "user ada", "/graphql")
            assert line.__dict__["request"] == client.socket.response.header("x-request-id")
        await client.send({"type": "ping", "payload": {"token": _WRONG}})
        assert (await client.message())["type"] == "pong"
        assert [_said(line)[0] for line in lines()] == ["refused: unauthenticated"]


_UPGRADE = [
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("Sec-WebSocket-Version", "13"),
]
_FOREIGN = [("Origin", "https://foreign.example")]


@pytest.mark.parametrize(
    ("method", "target", "headers"),
    [
        ("POST", "/api/v1/projects?access_token=x", [("Content-Length", "0")]),
        ("OPTIONS", "/api/v1/projects", [("Access-Control-Request-Method", "POST")]),
        ("GET", f"/api/v1/ws?boardId={BOARD}", _UPGRADE),
        ("GET", "/graphql", [*_UPGRADE, ("Sec-WebSocket-Protocol", "graphql-transport-ws")]),
    ],
    ids=["post", "preflight", "raw socket", "graphql socket"],
)
async def test_foreign_origin_and_host_are_lines(
    method: str, target: str, headers: list[tuple[str, str]], lines: _Lines
) -> None:
    async with live_server() as live, deadline(_WAIT_UNITS):
        lines()
        for code, status, added in [
            ("origin_not_allowed", 403, [("Host", "127.0.0.1"), *_FOREIGN]),
            ("host_not_allowed", 421, [("Host", "foreign.example")]),
        ]:
            async with connect(live.address) as connection:
                await connection.send(request_bytes(method, target, [*added, *headers]))
                head = await connection.read_head()
            assert head.status == status
            (line,) = lines()
            assert _said(line) == (f"refused: {code}", "anonymous", target.partition("?")[0])
            assert "foreign.example" in line.__dict__["why"]
            assert line.__dict__["request"] == head.header("x-request-id")


async def test_page_that_may_not_sign_in_is_a_line(lines: _Lines) -> None:
    async with live_server(tokens=SecretStr(ADMIN), allowed_origins="*") as live:
        lines()
        answer = await exchange(
            live.address, "POST", "/api/v1/session", orjson.dumps({"token": ADMIN}), headers=_FOREIGN
        )
        assert answer.status == 403
        (line,) = lines()
        assert _said(line) == ("refused: origin_not_allowed", "anonymous", "/api/v1/session")


async def test_reduced_grants_are_a_line(guarded: LiveServer, lines: _Lines) -> None:
    both = claims_of(["*"], ["read", "dashboard"])
    target = f"/api/v1/ws/dashboard?access_token={signed(both)}"
    lines()
    async with deadline(_WAIT_UNITS), open_socket(guarded.address, target) as one:
        for claims in (both, claims_of(["*"], ["read"])):
            await one.send_json({"type": "authenticate", "payload": {"token": signed(claims)}})
        while (await one.receive()).opcode != CLOSE:
            pass
    (line,) = lines()
    assert _said(line) == ("grants were reduced on a connection", "user ada", "/api/v1/ws/dashboard")
    assert line.__dict__["streams_ended"] == 1


async def _stopped(server: Process) -> list[str]:
    server.send_signal(signal.SIGTERM)
    end = await server.wait()
    assert end.code == 0, end
    return end.err.splitlines()


async def test_many_refusals_are_few_lines_and_many_changes_all_lines(tmp_path: Path) -> None:
    async with (
        running(tmp_path, "--max-failed-authentications", "50", env={"BOARDCAST_TOKENS": ADMIN}) as server,
        deadline(60),
    ):
        for _ in range(200):
            await _ask(server.address, "GET", "/api/v1/boards", token=_WRONG)
            await _ask(server.address, "GET", "/api/v1/boards/none", token=ADMIN)
        for number in range(20):
            await _ask(server.address, "POST", "/api/v1/projects", {**_NEW, "name": f"P {number}"}, ADMIN)
        written = await _stopped(server)
    for code in ("unauthenticated", "rate_limited", "board_not_found"):
        assert 5 <= sum(f"refused: {code}" in line for line in written) <= 18, (code, written)
    assert sum("a project was created" in line for line in written) == 20


def _forms(secret: str) -> set[str]:
    """Return a secret as it could be written somewhere."""
    raw = secret.encode()
    coded = base64.b64encode(raw).decode().rstrip("=")[:-1]
    forms = {secret, quote(secret, safe=""), coded, coded.replace("+", "-").replace("/", "_"), raw.hex()}
    return {*forms, hashlib.sha256(raw).hexdigest()[:8], secret[:20], secret[-20:]}


async def test_no_form_of_a_secret_is_in_the_log(tmp_path: Path) -> None:
    web_token, wrong = signed(claims_of([BOARD], list(Action))), signed(claims_of(exp=1))
    environment = {"BOARDCAST_TOKENS": ADMIN, "BOARDCAST_JWT_KEY": SECRET, "BOARDCAST_LOG_LEVEL": "debug"}
    async with running(tmp_path, env=environment) as server, deadline(60):
        address = server.address
        given = (await Admin(address).make("Ada", can=list(Action))).secret
        secrets = [ADMIN, SECRET, given, web_token, wrong]
        for one in (ADMIN, given, web_token, wrong, _WRONG):
            for target in ("/api/v1/boards/none", f"/api/v1/tokens/{one}", "/metrics", "/graphql?query=%7Bnone%7D"):
                await _ask(address, "GET", target, token=one)
                await _ask(address, "DELETE", f"{target}{'&' if '?' in target else '?'}access_token={one}")
            await _ask(address, "POST", "/api/v1/session", {"token": one})
            await _ask(address, "POST", "/graphql", {"query": f'{{ project(id: "{one}") {{ name }} }}'}, token=one)
            await _try_sockets(address, one)
        written = "\n".join(await _stopped(server))
    assert "refused: " in written
    for secret in secrets:
        assert [form for form in _forms(secret) if form in written] == []


async def _try_sockets(address: Address, token: str) -> None:
    async with open_client(address) as client:
        await client.send({"type": "connection_init", "payload": {"token": token}})
        if (await client.socket.receive()).opcode != CLOSE:
            await client.send({"type": "ping", "payload": {"token": token}})
            await client.message()
    upgrade = [("Host", "127.0.0.1"), ("Upgrade", "websocket"), ("Connection", "Upgrade")]
    key = [("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="), ("Sec-WebSocket-Version", "13")]
    offered = [*upgrade, *key, ("Sec-WebSocket-Protocol", f"bearer.{token}, kanban")]
    async with connect(address) as connection:
        await connection.send(request_bytes("GET", "/api/v1/ws?boardId=none", offered))
        assert (await connection.read_head()).status in {101, 401, 429}
