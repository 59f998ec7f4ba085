"""Access tokens on a running server: made, used, listed and revoked over REST (docs/access.md)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import SecretStr

from realtime.clock import parse_iso
from tests.kit.access_tokens import ADMIN, Admin, GivenToken
from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer, live_server
from tests.kit.raw_http import exchange
from tests.kit.raw_socket import CLOSE, open_socket
from tests.kit.token_relay import relay_with_token
from tests.live.boards import BOARD, OTHER, TODO, make_boards
from tests.live.command import running

_TOKENS = "/api/v1/tokens"
_WAIT_UNITS = 20
_GOOD: dict[str, Any] = {"name": "ci", "boards": [BOARD], "can": ["publish"]}
_UPGRADE = [
    ("Host", "127.0.0.1"),
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("Sec-WebSocket-Version", "13"),
]
_FUTURE = "2999-01-01T00:00:00.000Z"

pytestmark = pytest.mark.usefixtures("clean_log")


@pytest.fixture
async def guarded() -> AsyncIterator[LiveServer]:
    """A server with two boards, one static secret and room for few access tokens."""
    async with live_server(tokens=SecretStr(ADMIN), max_access_tokens=5) as live:
        async with relay_with_token(live.address, ADMIN) as address:
            await make_boards(address)
        yield live


@pytest.fixture
def admin(guarded: LiveServer) -> Admin:
    """The operator."""
    return Admin(guarded.address)


async def _status(live: LiveServer, token: GivenToken, target: str, method: str = "GET", body: object = None) -> int:
    return (await Admin(live.address, token.secret).ask(method, body, target)).status


async def test_token_is_made_used_listed_and_revoked(guarded: LiveServer, admin: Admin) -> None:
    made = await admin.ask("POST", {**_GOOD, "name": " Screen ", "can": ["read", "read"], "expiresAt": _FUTURE})
    body = orjson.loads(made.body)
    id, secret = body.pop("id"), body.pop("token")
    assert body == {"name": "Screen", "boards": [BOARD], "can": ["read"], "expiresAt": _FUTURE}
    assert made.status == 201
    token = GivenToken(id, secret)
    (listed,) = await admin.listed()
    created = listed.pop("createdAt")
    assert listed == {"id": id, **body, "lastUsedAt": None}
    assert await _status(guarded, token, f"/api/v1/boards/{BOARD}") == 200
    assert await _status(guarded, token, f"/api/v1/boards/{OTHER}") == 404
    assert await _status(guarded, token, _TOKENS) == 403
    (used,) = await admin.listed()
    assert parse_iso(used["lastUsedAt"]) >= parse_iso(created)
    assert await admin.revoke(token) == 204
    assert await admin.listed() == []
    assert await _status(guarded, token, f"/api/v1/boards/{BOARD}") == 401
    assert await admin.revoke(token) == 404


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"boards": []}, "boards"),
        ({"boards": ["b"] * 1001}, "boards"),
        ({"boards": ["x" * 201]}, "boards.0"),
        ({"boards": "*"}, "boards"),
        ({"can": []}, "can"),
        ({"can": ["read", "fly"]}, "can.1"),
        ({"can": ["read"] * 21}, "can"),
        ({"expiresAt": "tomorrow"}, "expiresAt"),
        ({"expiresAt": "2020-01-01T00:00:00Z"}, "expiresAt"),
        ({"expiresAt": 4_000_000_000}, "expiresAt"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
async def test_token_that_does_not_fit_is_refused(wrong: dict[str, Any], field: str, admin: Admin) -> None:
    answer = await admin.ask("POST", {**_GOOD, **wrong})
    body = orjson.loads(answer.body)
    assert (answer.status, [one["field"] for one in body["errors"]]) == (400, [field])
    assert await admin.listed() == []


async def test_missing_fields_are_named(admin: Admin) -> None:
    answer = await admin.ask("POST", {})
    assert [one["field"] for one in orjson.loads(answer.body)["errors"]] == ["name", "boards", "can"]


async def test_too_many_tokens_are_429(admin: Admin) -> None:
    for _ in range(5):
        await admin.make()
    answer = await admin.ask("POST", _GOOD)
    assert (answer.status, answer.header("Retry-After")) == (429, "60")
    assert len(await admin.listed()) == 5


@pytest.mark.parametrize("can", [["read", "write", "publish", "dashboard"], ["admin"]])
async def test_token_without_admin_of_everything_manages_none(
    can: list[str], guarded: LiveServer, admin: Admin
) -> None:
    boards = ["*"] if "admin" not in can else [BOARD]
    token = await admin.make(boards=boards, can=can)
    for method, target, body in (
        ("GET", _TOKENS, None),
        ("POST", _TOKENS, _GOOD),
        ("DELETE", f"{_TOKENS}/{token.id}", None),
        ("DELETE", f"{_TOKENS}/tok-unknown", None),
    ):
        assert await _status(guarded, token, target, method, body) == 403, method


async def test_admin_gives_no_more_than_it_has(guarded: LiveServer, admin: Admin) -> None:
    below = Admin(guarded.address, (await admin.make(can=["admin", "read"])).secret)
    assert (await below.ask("POST", {**_GOOD, "can": ["write"]})).status == 403
    assert (await below.ask("POST", {**_GOOD, "boards": ["*"], "can": ["admin", "read"]})).status == 201
    assert (await below.ask("POST", {**_GOOD, "can": ["read"]})).status == 201


async def test_key_makes_one_token_and_names_it(admin: Admin) -> None:
    headers = [("Idempotency-Key", "k")]
    made = orjson.loads((await admin.ask("POST", _GOOD, headers=headers)).body)
    again = await admin.ask("POST", _GOOD, headers=headers)
    assert again.status == 422
    assert made["id"].encode() in again.body
    assert made["token"].encode() not in again.body
    assert len(await admin.listed()) == 1


async def test_tokens_of_one_name_are_one_client(guarded: LiveServer, admin: Admin) -> None:
    keys = [("Idempotency-Key", "k")]
    cards, card = f"/api/v1/boards/{BOARD}/cards", {"columnId": TODO, "title": "t"}
    made = []
    for name in ("ci", "ci", "other"):
        token = await admin.make(name, can=["read", "write"])
        answer = await Admin(guarded.address, token.secret).ask("POST", card, cards, keys)
        made.append(orjson.loads(answer.body)["cardId"])
    assert made[0] == made[1] != made[2]


@pytest.mark.parametrize("way", ["query", "subprotocol"])
async def test_token_opens_a_socket(way: str, guarded: LiveServer, admin: Admin) -> None:
    token = await admin.make()
    target = f"/api/v1/ws?boardId={BOARD}"
    headers = [*_UPGRADE, ("Sec-WebSocket-Protocol", f"bearer.{token.secret}")] if way == "subprotocol" else None
    target += f"&access_token={token.secret}" if way == "query" else ""
    async with deadline(_WAIT_UNITS), open_socket(guarded.address, target, headers) as socket:
        assert (await socket.receive()).opcode != CLOSE


async def test_open_server_takes_no_notice_of_tokens() -> None:
    async with live_server() as live:
        token = await Admin(live.address).make()
        for secret in (token.secret, "wrong"):
            assert (await Admin(live.address, secret).ask("GET")).status == 200
        assert (await exchange(live.address, "GET", _TOKENS)).status == 200


async def test_tokens_outlive_the_server_and_no_secret_is_in_a_file_or_log(tmp_path: Path) -> None:
    file = tmp_path / "operators.txt"
    file.write_text(f"{ADMIN}\n")
    async with deadline(6 * _WAIT_UNITS):
        async with running(tmp_path, "--tokens-file", str(file), "--log-level", "debug") as server:
            admin = Admin(server.address)
            kept, revoked = await admin.make("kept"), await admin.make("revoked")
            wrong = kept.secret[:-1] + ("A" if kept.secret[-1] != "A" else "B")
            answers = [
                await exchange(server.address, "GET", f"/api/v1/projects?access_token={kept.secret}"),
                await exchange(server.address, "GET", f"/api/v1/projects?access_token={wrong}"),
                await Admin(server.address, wrong).ask("GET", target="/api/v1/projects"),
                await admin.ask("GET"),
                await admin.ask("GET", target="/metrics"),
            ]
            assert await admin.revoke(revoked) == 204
            seen = _process_text(server.pid) + server.errors.read_bytes() + b"".join(one.body for one in answers)
        async with running(tmp_path, env={"BOARDCAST_REQUIRE_TOKEN": "true"}) as server:
            again = [
                (await Admin(server.address, one.secret).ask("GET", target="/api/v1/projects")).status
                for one in (kept, revoked)
            ]
    assert [one.status for one in answers] == [200, 401, 401, 200, 200]
    assert again == [200, 401]
    assert b"an access token was made" in seen
    assert b"an access token was revoked" in seen
    seen += _contents(tmp_path, file)
    assert [secret for secret in (kept.secret, wrong, revoked.secret, ADMIN) if secret.encode() in seen] == []


def _contents(folder: Path, apart: Path) -> bytes:
    """Return the contents of all files in `folder` apart from one."""
    return b"".join(one.read_bytes() for one in folder.iterdir() if one != apart)


def _process_text(pid: int) -> bytes:
    """Return what other programs can see of a process: its command line and its environment."""
    return b"".join(Path(f"/proc/{pid}/{name}").read_bytes() for name in ("cmdline", "environ"))
