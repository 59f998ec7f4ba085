"""Valid and invalid credentials. `tests/live/test_access.py` shows that every exit checks them."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from realtime.rates import CLIENT
from realtime.service import EVERYTHING
from server.access.authenticator import Authenticator, init_tokens
from server.middleware.access import AccessGate
from server.middleware.answer_headers import AnswerHeaders
from server.middleware.origins import Origins
from server.middleware.session_cookies import SessionCookies

_ONE, _TWO = "one-token-0123456789", "two-token-0123456789"


def test_each_of_the_secrets_admits() -> None:
    access = Authenticator([_ONE, _TWO])
    assert not access.is_open
    one, two = access.identify(_ONE), access.identify(_TWO)
    assert one is not None
    assert two is not None
    assert one.grants == two.grants == EVERYTHING
    assert one.subject != two.subject


@pytest.mark.parametrize("token", ["", "one", _ONE + " ", _ONE.upper(), f"{_ONE},{_TWO}", "ünïcödé-token-0123456"])
def test_anything_else_does_not_admit(token: str) -> None:
    assert Authenticator([_ONE, _TWO]).identify(token) is None


@pytest.mark.parametrize(
    ("payload", "tokens"),
    [
        ({"authorization": f"Bearer {_ONE}"}, [_ONE]),
        ({"Authorization": _ONE}, [_ONE]),
        ({"TOKEN": f" {_TWO} "}, [_TWO]),
        ({"authorization": "Bearer wrong", "token": _ONE}, ["wrong", _ONE]),
        ({"authorization": f"Basic {_ONE}"}, [f"Basic {_ONE}"]),
        ({"authorization": "Bearer"}, ["Bearer"]),
        ({"authorization": {"token": _ONE}}, []),
        ({"headers": {"authorization": _ONE}}, []),
        ({}, []),
    ],
)
def test_tokens_of_an_init_are_those_of_its_names(payload: dict[str, Any], tokens: list[str]) -> None:
    assert init_tokens(payload) == tokens


async def _client_of(access: Authenticator, address: str, *headers: tuple[bytes, bytes]) -> str | None:
    """Return the client's name for the application behind the gate."""
    seen: list[str | None] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(CLIENT.get())

    async def nothing(*_: object) -> Any:
        raise AssertionError("nothing is read or sent")

    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": headers}
    no_sessions: Any = None  # no request has a cookie
    cookies = SessionCookies(no_sessions, access, Origins())
    gate = AnswerHeaders(AccessGate(app, access, cookies))
    await gate({**scope, "client": (address, 1)}, nothing, nothing)
    return seen[0]


async def test_client_is_its_token_and_else_its_address() -> None:
    bearer = (b"authorization", f"Bearer {_ONE}".encode())
    access = Authenticator([_ONE, _TWO])
    by_token = await _client_of(access, "192.0.2.1", bearer)
    assert by_token == await _client_of(access, "192.0.2.2", bearer)
    assert by_token != await _client_of(access, "192.0.2.1", (b"authorization", f"Bearer {_TWO}".encode()))
    assert _ONE not in str(by_token)
    # An unknown token does not identify a client. Otherwise each request could claim another identity.
    assert await _client_of(Authenticator([]), "192.0.2.1", bearer) == "192.0.2.1"
    assert await _client_of(access, "192.0.2.1", (b"authorization", b"Bearer wrong")) == "192.0.2.1"


async def test_addresses_of_one_network_of_ipv6_are_one_client() -> None:
    access = Authenticator([])
    assert await _client_of(access, "2001:db8::1") == await _client_of(access, "2001:db8::ffff:1")
    assert await _client_of(access, "2001:db8::1") != await _client_of(access, "2001:db8:0:1::1")
