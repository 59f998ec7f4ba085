"""Sessions on a running server: signing in and out over REST, and the cookie on every exit (docs/access.md)."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import SecretStr

from realtime.clock import iso
from tests.kit.access_tokens import ADMIN, Admin
from tests.kit.deadline import deadline, seconds
from tests.kit.json_web_tokens import SECRET, claims_of, signed
from tests.kit.live_server import LiveServer, live_server
from tests.kit.publishing import event
from tests.kit.raw_http import Answer, exchange
from tests.kit.raw_socket import HANDSHAKE, open_socket
from tests.kit.sessions import SESSION, begin_session, cookie_of, sign_in, sign_out
from tests.kit.sse_reader import open_stream
from tests.kit.token_relay import relay_with_cookie, relay_with_token
from tests.live.boards import BOARD, OTHER, TODO, make_boards
from tests.live.graphql.client import ACK, open_client, subscribe_message

_WAIT_UNITS = 20
_WRONG = "wrong-token-0123456789"
_EVENT = event("agent.registered", {"agent": "A", "label": "A"})
_FUTURE = "2999-01-01T00:00:00.000Z"
_HELLO = f'subscription {{ boardEvents(boardId: "{BOARD}") {{ __typename }} }}'

pytestmark = pytest.mark.usefixtures("clean_log")


@pytest.fixture
async def guarded() -> AsyncIterator[LiveServer]:
    """A server with two boards that takes static secrets, access tokens and JSON Web Tokens."""
    limits = {"max_failed_authentications": 3, "max_sessions_per_client": 2, "max_sessions": 4}
    async with live_server(jwt_key=SecretStr(SECRET), tokens=SecretStr(ADMIN), **limits) as live:
        async with relay_with_token(live.address, ADMIN) as address:
            await make_boards(address)
        yield live


async def _ask(
    live: LiveServer, cookie: str, target: str = SESSION, method: str = "GET", body: object = None, **headers: str
) -> Answer:
    content = None if body is None else orjson.dumps(body)
    sent = [("Cookie", cookie), *((name.replace("_", "-"), value) for name, value in headers.items())]
    return await exchange(live.address, method, target, content, sent)


async def test_session_may_what_its_token_may(guarded: LiveServer) -> None:
    token = await Admin(guarded.address).make("Ada", boards=[BOARD], can=["write", "read"], expiresAt=_FUTURE)
    began = await begin_session(guarded.address, f" {token.secret}\n")
    session = orjson.loads(began.body)
    ends = session.pop("expiresAt")
    assert (began.status, began.header("Cache-Control")) == (201, "no-store")
    assert session == {"subject": "access token Ada", "boards": [BOARD], "can": ["read", "write"]}
    assert ends < iso(guarded.node.clock() + guarded.node.limits.sessions.duration)
    cookie = cookie_of(began)
    shown = await _ask(guarded, cookie)
    assert (shown.status, orjson.loads(shown.body)) == (200, {**session, "expiresAt": ends})
    assert (await _ask(guarded, cookie, f"/api/v1/boards/{BOARD}")).status == 200
    assert (await _ask(guarded, cookie, f"/api/boards/{OTHER}")).status == 404
    card = {"columnId": TODO, "title": "by cookie"}
    assert (await _ask(guarded, cookie, f"/api/v1/boards/{BOARD}/cards", "POST", card)).status == 201
    assert (await _ask(guarded, cookie, "/api/v1/tokens")).status == 403


async def test_session_of_a_json_web_token_ends_with_it(guarded: LiveServer) -> None:
    exp = int(guarded.node.clock().timestamp()) + 3600
    began = await begin_session(guarded.address, signed(claims_of(can=["read"], sub="ada", exp=exp)))
    session = orjson.loads(began.body)
    assert (session["subject"], session["can"]) == ("user ada", ["read"])
    shown = orjson.loads((await _ask(guarded, cookie_of(began))).body)
    assert shown == session
    assert abs(int(began.header("Set-Cookie").split("Max-Age=")[1].split(";")[0]) - 3600) < 60  # type: ignore[union-attr]


async def test_stream_of_a_session_ends_when_its_json_web_token_expires(guarded: LiveServer) -> None:
    token = signed(claims_of(can=["read"], exp=int(time.time() + seconds(1) + 1)))
    cookie = await sign_in(guarded.address, token)
    async with (
        deadline(_WAIT_UNITS),
        relay_with_cookie(guarded.address, cookie) as address,
        open_stream(address, f"/api/v1/sse?boardId={BOARD}") as stream,
    ):
        while (came := await stream.event())[0] != "goodbye":
            pass
        assert b'"token_expired"' in orjson.dumps(came[1])
    assert (await _ask(guarded, cookie)).status == 401


async def test_attributes_of_the_cookie(guarded: LiveServer) -> None:
    given = (await begin_session(guarded.address, ADMIN)).header("Set-Cookie") or ""
    name, *attributes = given.split("; ")
    assert name.startswith("boardcast_session=")
    assert attributes == ["Max-Age=604800", "Path=/", "HttpOnly", "SameSite=Strict"]
    assert ADMIN not in given
    ended = await exchange(guarded.address, "DELETE", SESSION, headers=[("Cookie", name)])
    assert ended.header("Set-Cookie") == "boardcast_session=; Max-Age=0; Path=/; HttpOnly; SameSite=Strict"


@pytest.mark.parametrize(("trusted", "is_secure"), [("127.0.0.1", True), ("", False)])
async def test_cookie_is_secure_behind_a_trusted_proxy_that_says_https(trusted: str, is_secure: bool) -> None:
    async with live_server(tokens=SecretStr(ADMIN), trusted_proxies=trusted) as live:
        https = [("X-Forwarded-Proto", "https")]
        answer = await begin_session(live.address, ADMIN, https)
        given, cookie = answer.header("Set-Cookie") or "", cookie_of(answer)
        assert given.endswith("; Secure") == cookie.startswith("__Host-") == is_secure
        assert (await exchange(live.address, "GET", SESSION, headers=[("Cookie", cookie), *https])).status == 200
        # Anybody on the network can put a cookie without the prefix there, so it does not count over https.
        bare = cookie.removeprefix("__Host-")
        answer = await exchange(live.address, "GET", SESSION, headers=[("Cookie", bare), *https])
        assert answer.status == (401 if is_secure else 200)


@pytest.mark.parametrize("body", [{}, {"token": ""}, {"token": " "}, {"token": 5}, {"token": None}, {"token": ["x"]}])
async def test_body_without_a_token_is_400(body: object, guarded: LiveServer) -> None:
    answer = await exchange(guarded.address, "POST", SESSION, orjson.dumps(body))
    assert (answer.status, [one["field"] for one in orjson.loads(answer.body)["errors"]]) == (400, ["token"])
    assert answer.header("Set-Cookie") is None


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"' + ADMIN.encode() + b'"', b"token=" + ADMIN.encode()])
async def test_body_that_is_no_object_is_400(body: bytes, guarded: LiveServer) -> None:
    answer = await exchange(guarded.address, "POST", SESSION, body)
    assert (answer.status, answer.header("Set-Cookie")) == (400, None)


async def test_form_has_no_effect(guarded: LiveServer) -> None:
    form = [("Content-Type", "application/x-www-form-urlencoded")]
    answer = await exchange(guarded.address, "POST", SESSION, b"token=" + ADMIN.encode(), form)
    assert (answer.status, answer.header("Set-Cookie")) == (400, None)


@pytest.mark.parametrize("token", [_WRONG, "x" * 100_000, "a.b.c", "🔑"], ids=["text", "long", "jwt", "key"])
async def test_wrong_token_is_401(token: str, guarded: LiveServer) -> None:
    answer = await begin_session(guarded.address, token)
    assert (answer.status, answer.header("Set-Cookie")) == (401, None)
    assert answer.header("WWW-Authenticate") == 'Bearer error="invalid_token"'
    assert orjson.loads(answer.body)["detail"] == "The token is not valid"


async def test_wrong_tokens_count_for_their_address_and_the_right_one_is_always_taken(guarded: LiveServer) -> None:
    cookie = [("Cookie", await sign_in(guarded.address, ADMIN))]
    assert (await begin_session(guarded.address, _WRONG, cookie)).status == 401
    async with deadline(_WAIT_UNITS):
        while (answer := await begin_session(guarded.address, _WRONG, cookie)).status != 429:
            assert answer.status == 401
    assert answer.header("Retry-After") is not None
    assert (
        await exchange(guarded.address, "GET", "/api/v1/projects", headers=[("Authorization", "Bearer x")])
    ).status == 429
    assert (await exchange(guarded.address, "GET", SESSION, headers=cookie)).status == 200
    assert (await begin_session(guarded.address, ADMIN)).status == 201


async def test_request_without_a_session_is_401_and_may_sign_out(guarded: LiveServer) -> None:
    unknown = f"boardcast_session={'x' * 43}"
    for cookie in ("", unknown, "boardcast_session", f"boardcast_session={ADMIN}", f"other={'x' * 43}"):
        answer = await _ask(guarded, cookie)
        assert (answer.status, answer.header("WWW-Authenticate")) == (401, "Bearer")
        assert (await _ask(guarded, cookie, method="DELETE")).status == 204


async def test_session_that_was_ended_counts_nowhere(guarded: LiveServer) -> None:
    cookie, other = await sign_in(guarded.address, ADMIN), await sign_in(guarded.address, ADMIN)
    assert await sign_out(guarded.address, cookie) == 204
    assert (await _ask(guarded, cookie)).status == 401
    assert (await _ask(guarded, other)).status == 200


async def test_signing_in_again_ends_the_session_before(guarded: LiveServer) -> None:
    first = await sign_in(guarded.address, ADMIN)
    second = cookie_of(await begin_session(guarded.address, ADMIN, [("Cookie", first)]))
    assert [(await _ask(guarded, one)).status for one in (first, second)] == [401, 200]


async def test_refusal_of_a_body_repeats_no_secret(guarded: LiveServer) -> None:
    for token in ([ADMIN], {"token": ADMIN}):
        answer = await _ask(guarded, "", method="POST", body={"token": token})
        assert (answer.status, ADMIN.encode() in answer.body) == (400, False)
        assert orjson.loads(answer.body)["detail"] == "token: expected a string"


async def test_sessions_are_bounded(guarded: LiveServer) -> None:
    cookies = [await sign_in(guarded.address, ADMIN) for _ in range(3)]
    assert [(await _ask(guarded, one)).status for one in cookies] == [401, 200, 200]
    others = [await sign_in(guarded.address, (await Admin(guarded.address).make(name)).secret) for name in "abc"]
    assert [(await _ask(guarded, one)).status for one in (*cookies, *others)] == [401, 401, 200, 200, 200, 200]


async def test_two_different_cookies_are_none(guarded: LiveServer) -> None:
    cookie = await sign_in(guarded.address, ADMIN)
    planted = await sign_in(guarded.address, (await Admin(guarded.address).make()).secret)
    assert (await _ask(guarded, f"{planted}; {cookie}")).status == 401
    assert (await _ask(guarded, f"theme=dark; {cookie}; {cookie}")).status == 200


@pytest.mark.parametrize("wrong", [_WRONG, ""])
async def test_explicit_token_wins_over_the_cookie(wrong: str, guarded: LiveServer) -> None:
    cookie = await sign_in(guarded.address, ADMIN)
    reader = await Admin(guarded.address).make("reader", can=["read"])
    for target in (SESSION, f"{SESSION}?access_token={wrong}"):
        header = {} if "?" in target else {"authorization": f"Bearer {wrong}"}
        for method in ("GET", "POST", "DELETE"):
            body = {"token": ADMIN} if method == "POST" else None
            answer = await _ask(guarded, cookie, target, method, body, **header)
            assert answer.status in (401, 429), (method, target)
    shown = await _ask(guarded, cookie, f"{SESSION}?access_token={reader.secret}")
    assert orjson.loads(shown.body)["subject"] == "access token reader"
    # The credentials of another scheme are those of a proxy in front.
    assert (await _ask(guarded, cookie, authorization="Basic YTpi")).status == 200


async def test_token_of_an_init_wins_over_the_cookie(guarded: LiveServer) -> None:
    cookie = [("Cookie", await sign_in(guarded.address, ADMIN))]
    blind = await Admin(guarded.address).make("blind", boards=[OTHER])
    async with deadline(_WAIT_UNITS), open_client(guarded.address, headers=cookie) as client:
        await client.send({"type": "connection_init", "payload": {"token": _WRONG}})
        assert await client.closed() == (4403, "Forbidden")
    async with deadline(_WAIT_UNITS), open_client(guarded.address, headers=cookie) as client:
        await client.send({"type": "connection_init", "payload": {"token": blind.secret}})
        await client.expect(ACK)
        await client.send(subscribe_message("1", _HELLO))
        answer = await client.message()
        assert answer["payload"][0]["extensions"]["code"] == "BOARD_NOT_FOUND"
        # The session counts no more on this connection, its end changes nothing.
        assert await sign_out(guarded.address, cookie[0][1]) == 204
        await client.expect_nothing()
        await Admin(guarded.address).revoke(blind)
        assert await client.closed() == (4403, "Token revoked")


@pytest.mark.parametrize(
    ("settings", "origin", "status"),
    [
        ({}, "", 200),
        ({}, "own", 200),
        ({"allowed_origins": "http://pages.example"}, "http://pages.example", 200),
        ({"allowed_origins": "*"}, "http://pages.example", 401),
        ({"allow_local_origins": True}, "http://localhost:1", 401),
        ({}, "http://127.0.0.1:1", 401),
        ({"allowed_origins": "*"}, "null", 401),
    ],
)
async def test_cookie_counts_for_pages_of_the_server_and_of_named_origins(
    settings: dict[str, Any], origin: str, status: int
) -> None:
    async with live_server(tokens=SecretStr(ADMIN), **settings) as live, deadline(_WAIT_UNITS):
        cookie = await sign_in(live.address, ADMIN)
        given = {"origin": live.url if origin == "own" else origin} if origin else {}
        assert (await _ask(live, cookie, **given)).status == status
        forbidden = 401 if settings else 403
        changed = await _ask(live, cookie, "/api/v1/events", "POST", _EVENT, **given)
        assert changed.status == (202 if status == 200 else forbidden)
        upgrade = [
            *HANDSHAKE[1:],
            ("Host", live.url[7:]),
            ("Cookie", cookie),
            *(("Origin", one) for one in given.values()),
        ]
        async with open_socket(live.address, "/api/v1/ws/dashboard", upgrade) as socket:
            assert socket.response.status == (101 if status == 200 else forbidden)
        # Neither may such a page sign its visitor in or out.
        answers = [await _ask(live, cookie, SESSION, "POST", {"token": ADMIN}, **given)]
        answers.append(await _ask(live, cookie_of(answers[0]) if status == 200 else cookie, SESSION, "DELETE", **given))
        assert [one.status for one in answers] == ([201, 204] if status == 200 else [403, 403])
        assert status == 200 or answers[0].header("Set-Cookie") is None


async def test_server_that_needs_no_token_has_no_sessions() -> None:
    async with live_server() as live:
        shown = orjson.loads((await exchange(live.address, "GET", SESSION)).body)
        assert (shown["subject"], shown["boards"], shown["expiresAt"]) == (None, ["*"], None)
        assert shown["can"] == ["admin", "dashboard", "publish", "read", "write"]
        answer = await begin_session(live.address, "anything")
        assert (answer.status, answer.header("Set-Cookie")) == (201, None)
        assert (await exchange(live.address, "DELETE", SESSION)).status == 204


def _content(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


async def test_session_survives_a_restart_and_the_files_give_nothing_away(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    async with live_server(tokens=SecretStr(ADMIN), database_url=url) as live:
        cookie = await sign_in(live.address, ADMIN)
        stored = _content(tmp_path)
    stored += _content(tmp_path)
    assert ADMIN.encode() not in stored
    assert cookie.partition("=")[2].encode() not in stored
    async with live_server(tokens=SecretStr(ADMIN), database_url=url) as live:
        assert (await _ask(live, cookie)).status == 200
    async with live_server(tokens=SecretStr("another-secret-0123456789"), database_url=url) as live:
        assert (await _ask(live, cookie)).status == 401


async def test_log_has_neither_token_nor_cookie(guarded: LiveServer, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        cookie = await sign_in(guarded.address, ADMIN)
        await begin_session(guarded.address, _WRONG)
        await sign_out(guarded.address, cookie)
    lines = [record.getMessage() + repr(record.__dict__) for record in caplog.records]
    assert any("a session began" in line for line in lines)
    for secret in (ADMIN, _WRONG, cookie.partition("=")[2]):
        assert not [line for line in lines if secret in line]


async def test_token_begins_so_many_sessions_a_minute_and_another_has_its_own() -> None:
    async with live_server(tokens=SecretStr(ADMIN), max_sign_ins=2) as live, deadline(_WAIT_UNITS):
        token = (await Admin(live.address).make("Ada")).secret
        cookies = [await sign_in(live.address, token) for _ in range(2)]
        refused = await begin_session(live.address, token)
        assert (refused.status, refused.header("Set-Cookie")) == (429, None)
        assert "at most 2 new sessions a minute" in orjson.loads(refused.body)["detail"]
        assert 1 <= int(refused.header("Retry-After") or 0) <= 60
        assert len(live.node.sessions) == 2
        assert (await _ask(live, cookies[0])).status == 200
        assert (await begin_session(live.address, ADMIN)).status == 201
