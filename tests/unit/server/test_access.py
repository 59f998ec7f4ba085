"""Valid and invalid credentials. `tests/live/test_access.py` shows that every exit checks them."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from realtime.rates import CLIENT
from server.middleware.access import Access, AccessGate

_ONE, _TWO = "one-token-0123456789", "two-token-0123456789"


def test_each_of_the_tokens_admits() -> None:
    access = Access([_ONE, _TWO])
    assert not access.is_open
    assert access.admits(_ONE)
    assert access.admits(_TWO)


@pytest.mark.parametrize("token", ["", "one", _ONE + " ", _ONE.upper(), f"{_ONE},{_TWO}", "ünïcödé-token-0123456"])
def test_anything_else_does_not_admit(token: str) -> None:
    assert not Access([_ONE, _TWO]).admits(token)


def test_without_tokens_any_init_may_connect() -> None:
    assert Access([]).is_open
    assert Access([]).may_connect({})
    assert Access([]).may_connect({"token": 1})


@pytest.mark.parametrize(
    ("payload", "admitted"),
    [
        ({"authorization": f"Bearer {_ONE}"}, True),
        ({"Authorization": _ONE}, True),
        ({"TOKEN": f" {_TWO} "}, True),
        ({"authorization": "Bearer wrong", "token": _ONE}, True),
        ({"authorization": f"Basic {_ONE}"}, False),
        ({"authorization": "Bearer"}, False),
        ({"authorization": {"token": _ONE}}, False),
        ({"headers": {"authorization": _ONE}}, False),
        ({}, False),
    ],
)
def test_init_may_connect_with_a_token_only(payload: dict[str, Any], admitted: bool) -> None:
    assert Access([_ONE, _TWO]).may_connect(payload) is admitted


async def _client_of(access: Access, address: str, *headers: tuple[bytes, bytes]) -> str | None:
    """Return the client's name for the application behind the gate."""
    seen: list[str | None] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(CLIENT.get())

    async def nothing(*_: object) -> Any:
        raise AssertionError("nothing is read or sent")

    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": headers}
    await AccessGate(app, access)({**scope, "client": (address, 1)}, nothing, nothing)
    return seen[0]


async def test_client_is_its_token_and_else_its_address() -> None:
    bearer = (b"authorization", f"Bearer {_ONE}".encode())
    access = Access([_ONE, _TWO])
    by_token = await _client_of(access, "192.0.2.1", bearer)
    assert by_token == await _client_of(access, "192.0.2.2", bearer)
    assert by_token != await _client_of(access, "192.0.2.1", (b"authorization", f"Bearer {_TWO}".encode()))
    assert _ONE not in str(by_token)
    # An unknown token does not identify a client. Otherwise each request could claim another identity.
    assert await _client_of(Access([]), "192.0.2.1", bearer) == "192.0.2.1"
    assert await _client_of(access, "192.0.2.1", (b"authorization", b"Bearer wrong")) == "192.0.2.1"


async def test_addresses_of_one_network_of_ipv6_are_one_client() -> None:
    access = Access([])
    assert await _client_of(access, "2001:db8::1") == await _client_of(access, "2001:db8::ffff:1")
    assert await _client_of(access, "2001:db8::1") != await _client_of(access, "2001:db8:0:1::1")
