"""JSON Web Tokens on a running server: grants at each entry and exit, and keys at an https address."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import orjson
import pytest
from anyio.abc import ByteStream, SocketAttribute
from anyio.streams.tls import TLSListener
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from realtime.service import Action
from server.access import key_sources
from tests.kit.deadline import deadline
from tests.kit.json_web_tokens import SECRET, claims_of, key_set, signed
from tests.kit.live_server import LiveServer, live_server
from tests.kit.publishing import event
from tests.kit.raw_http import Answer, connect, exchange, request_bytes
from tests.kit.raw_socket import CLOSE, open_socket
from tests.kit.token_relay import relay_with_token
from tests.live.boards import BOARD, OTHER, TODO, make_boards
from tests.live.command import ended, running

_WAIT_UNITS = 20
_CALLERS = {
    "admin": claims_of(can=list(Action)),
    "reader": claims_of([BOARD], ["read"]),
    "writer": claims_of([BOARD], ["read", "write"]),
    "publisher": claims_of([BOARD], ["publish"]),
    "wallboard": claims_of(["*"], ["read", "dashboard"]),
    "stranger": claims_of([OTHER], list(Action)),
    "nobody": claims_of(boardcast=None),
}

pytestmark = pytest.mark.usefixtures("clean_log")


@dataclass(frozen=True)
class Ask:
    """A request, and the status for each caller in the order of `_CALLERS`."""

    method: str
    target: str
    statuses: tuple[int, ...]
    body: object = None


def _events(name: str, payload: dict[str, object]) -> list[object]:
    return [event(name, payload)]


_GIT = _events("git.status.changed", {"projectId": BOARD})
_AGENT = _events("agent.registered", {"agent": "A", "label": None})
# fmt: off
_ASKS = {
    #                                                                    admin read writ publ wall stra nobody
    "board": Ask("GET", f"/api/v1/boards/{BOARD}",                       (200, 200, 200, 404, 200, 404, 404)),
    "project": Ask("GET", f"/api/v1/projects/{BOARD}",                   (200, 200, 200, 404, 200, 404, 404)),
    "stream": Ask("HEAD", f"/api/v1/sse?boardId={BOARD}",                (200, 200, 200, 404, 200, 404, 404)),
    "dashboard": Ask("GET", "/api/v1/dashboard",                         (200, 403, 403, 403, 200, 403, 403)),
    "dashboard stream": Ask("HEAD", "/api/v1/sse",                       (200, 403, 403, 403, 200, 403, 403)),
    "card": Ask("POST", f"/api/v1/boards/{BOARD}/cards",                 (201, 403, 201, 404, 403, 404, 404),
                {"columnId": TODO, "title": "t"}),
    "rename": Ask("PATCH", f"/api/v1/projects/{BOARD}",                  (200, 403, 403, 404, 403, 404, 404),
                  {"name": "New name"}),
    "new project": Ask("POST", "/api/v1/projects",                       (201, 403, 403, 403, 403, 403, 403),
                       {"name": "P", "repositoryPath": "/srv/p"}),
    "event": Ask("POST", "/api/v1/events",                               (202, 403, 403, 202, 403, 422, 422), _GIT),
    "metrics": Ask("GET", "/metrics",                                    (200, 403, 403, 403, 403, 403, 403)),
    "global event": Ask("POST", "/api/v1/events",                        (202, 403, 403, 403, 403, 403, 403), _AGENT),
}
# fmt: on


@pytest.fixture(scope="module")
async def guarded() -> AsyncIterator[LiveServer]:
    """A server with two boards that takes tokens signed with `SECRET`."""
    async with live_server(jwt_key=SecretStr(SECRET)) as live:
        async with relay_with_token(live.address, signed(_CALLERS["admin"])) as address:
            await make_boards(address)
        yield live


async def _ask(live: LiveServer, caller: str, ask: Ask, board: str = BOARD) -> Answer:
    token = signed(_CALLERS[caller])
    body = None if ask.body is None else orjson.dumps(ask.body).replace(BOARD.encode(), board.encode())
    headers = [("Authorization", f"Bearer {token}")]
    async with deadline(_WAIT_UNITS):
        return await exchange(live.address, ask.method, ask.target.replace(BOARD, board), body, headers)


@pytest.mark.parametrize("name", [name for name, ask in _ASKS.items() if ask.method != "HEAD"])
async def test_grants_decide(name: str, guarded: LiveServer) -> None:
    ask = _ASKS[name]
    answers = {caller: await _ask(guarded, caller, ask) for caller in _CALLERS}
    assert [answer.status for answer in answers.values()] == list(ask.statuses)
    for answer in answers.values():
        if answer.status == 403:
            assert b"expected a token with the grant" in answer.body


@pytest.mark.parametrize("name", [name for name, ask in _ASKS.items() if 404 in ask.statuses or 422 in ask.statuses])
async def test_board_without_grant_is_like_one_that_is_not_there(name: str, guarded: LiveServer) -> None:
    ask = _ASKS[name]
    secret, unknown = await _ask(guarded, "stranger", ask), await _ask(guarded, "stranger", ask, "board-9")

    def shown(answer: Answer) -> object:
        stripped = [(key, value) for key, value in answer.headers if key.lower() not in {"date", "x-request-id"}]
        return answer.status, stripped, answer.body.replace(b"board-9", BOARD.encode())

    assert shown(secret) == shown(unknown)


async def test_lists_have_granted_boards_only(guarded: LiveServer) -> None:
    ask = Ask("GET", "/api/v1/projects", ())
    names = {
        caller: sorted(one["id"] for one in orjson.loads((await _ask(guarded, caller, ask)).body))
        for caller in ("reader", "stranger", "nobody")
    }
    assert names == {"reader": [BOARD], "stranger": [OTHER], "nobody": []}


@pytest.mark.parametrize(("caller", "reason"), [("stranger", (1008, "Board not found")), ("reader", None)])
async def test_board_socket(caller: str, reason: tuple[int, str] | None, guarded: LiveServer) -> None:
    target = f"/api/v1/ws?boardId={BOARD}&access_token={signed(_CALLERS[caller])}"
    async with deadline(_WAIT_UNITS), open_socket(guarded.address, target) as socket:
        frame = await socket.receive()
        assert (frame.close if frame.opcode == CLOSE else None) == reason
        if reason is None:
            command = {"type": "create_card", "payload": {"columnId": TODO, "title": "t"}}
            await socket.send_json(command)
            while (answer := orjson.loads((await socket.receive()).text))["type"] != "error":
                assert answer["type"] in {"state", "attempt_status", "pong"}
            assert answer["payload"]["code"] == "forbidden"


async def test_dashboard_socket_without_grant_is_forbidden(guarded: LiveServer) -> None:
    target = f"/api/v1/ws/dashboard?access_token={signed(_CALLERS['reader'])}"
    async with deadline(_WAIT_UNITS), open_socket(guarded.address, target) as socket:
        assert (await socket.receive()).close == (4403, "Forbidden")


@pytest.mark.parametrize(
    "token", ["wrong-token-0123456789", "a.b.c", signed(claims_of(exp=1)), signed(claims_of(), key="x" * 32)]
)
async def test_token_that_is_not_valid_is_401(token: str, guarded: LiveServer) -> None:
    answer = await exchange(guarded.address, "GET", "/api/v1/projects", None, [("Authorization", f"Bearer {token}")])
    assert (answer.status, answer.header("WWW-Authenticate")) == (401, 'Bearer error="invalid_token"')


async def test_key_that_is_none_ends_the_start(tmp_path: Path) -> None:
    gone = await ended(tmp_path, env={"BOARDCAST_JWT_KEY": "too-short-a-secret"})
    assert (gone.code, gone.out) == (2, "")
    assert gone.err.strip().endswith("--jwt-key: expected a secret of at least 32 bytes, got 18")
    assert "too-short-a-secret" not in gone.err


@dataclass
class _Provider:
    url: str
    certificate: Path
    document: str


@asynccontextmanager
async def _provider(folder: Path) -> AsyncIterator[_Provider]:
    """Serve a JSON Web Key Set over https, with a certificate of its own."""
    certificate, context = _tls(folder)
    made = _Provider("", certificate, key_set(one="ES256"))

    async def serve(stream: ByteStream) -> None:
        async with stream:
            await stream.receive()
            body = made.document.encode()
            await stream.send(
                b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (len(body), body)
            )

    plain = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = plain.extra(SocketAttribute.raw_socket).getsockname()[1]
    async with TLSListener(plain, context, standard_compatible=False) as listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, serve)
        made.url = f"https://127.0.0.1:{port}/keys"
        yield made
        group.cancel_scope.cancel()


def _tls(folder: Path) -> tuple[Path, ssl.SSLContext]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    built = built.serial_number(1).not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(hours=1))
    built = built.add_extension(x509.SubjectAlternativeName([address]), critical=False)
    certificate, private = folder / "certificate.pem", folder / "private.pem"
    certificate.write_bytes(built.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, private)
    return certificate, context


async def test_keys_of_an_identity_provider(tmp_path: Path) -> None:
    async with deadline(3 * _WAIT_UNITS), _provider(tmp_path) as provider:
        trusted = {"SSL_CERT_FILE": str(provider.certificate)}
        async with running(tmp_path, "--jwt-key", provider.url, env=trusted) as server:

            async def status(algorithm: str, key_id: str) -> int:
                token = signed(claims_of(), algorithm, kid=key_id)
                headers = [("Authorization", f"Bearer {token}")]
                return (await exchange(server.address, "GET", "/api/v1/projects", None, headers)).status

            assert await status("ES256", "one") == 200
            assert await status("RS256", "one") == 401
            assert await status("RS256", "two") == 401


async def test_server_that_stops_waits_for_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_sources, "FETCH_SECONDS", 3600.0)
    async with deadline(_WAIT_UNITS), AsyncExitStack() as stack:
        silent = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/keys"
        async with live_server(jwt_key=SecretStr(url)) as live:
            client = await stack.enter_async_context(connect(live.address))
            headers = [("Host", "localhost"), ("Authorization", f"Bearer {signed(claims_of())}")]
            await client.send(request_bytes("GET", "/api/v1/boards", headers))
            asked, _ = await asyncio.to_thread(silent.accept)
            stack.callback(asked.close)
        assert (await client.read_head()).status == 401
