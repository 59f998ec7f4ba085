"""The address and scheme that a proxy reports count when the proxy is trusted, and never else."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from server.settings import Settings
from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer, live_server
from tests.kit.raw_http import Headers, exchange
from tests.kit.raw_socket import HANDSHAKE, open_socket

pytestmark = pytest.mark.usefixtures("clean_log")

_WAIT_UNITS = 20
_RIGHT = "right-token-0123456789"
_SETTINGS = {"tokens": _RIGHT, "max_failed_authentications": 1}


async def _wrong(live: LiveServer, *forwarded: str, token: str = "wrong") -> int:
    headers: Headers = [("Authorization", f"Bearer {token}"), *(("X-Forwarded-For", one) for one in forwarded)]
    return (await exchange(live.address, "GET", "/api/v1/projects", headers=headers)).status


async def _exhaust(live: LiveServer, *forwarded: str) -> None:
    """Send wrong tokens until the address may send no more."""
    assert await _wrong(live, *forwarded) == 401
    while await _wrong(live, *forwarded) != 429:
        pass


@pytest.mark.parametrize("trusted", ["127.0.0.1", "10.0.0.0/8, 127.0.0.0/8", "::1,127.0.0.1", "::ffff:127.0.0.1"])
async def test_clients_of_a_trusted_proxy_are_counted_by_their_own_addresses(trusted: str) -> None:
    async with live_server(trusted_proxies=trusted, **_SETTINGS) as live, deadline(_WAIT_UNITS):
        await _exhaust(live, "192.0.2.1")
        assert await _wrong(live, "192.0.2.2") == 401
        assert await _wrong(live, "192.0.2.1", token=_RIGHT) == 200


@pytest.mark.parametrize("trusted", ["", "192.0.2.0/24"])
async def test_client_that_is_no_trusted_proxy_cannot_choose_its_address(trusted: str) -> None:
    async with live_server(trusted_proxies=trusted, **_SETTINGS) as live, deadline(_WAIT_UNITS):
        await _exhaust(live, "192.0.2.1")
        assert await _wrong(live, "192.0.2.2") == 429


async def test_address_before_the_one_that_the_proxy_added_does_not_count() -> None:
    async with live_server(trusted_proxies="127.0.0.1", **_SETTINGS) as live, deadline(_WAIT_UNITS):
        await _exhaust(live, "198.51.100.1, 192.0.2.1")
        assert await _wrong(live, "198.51.100.2", "192.0.2.1") == 429
        assert await _wrong(live, "192.0.2.1, 192.0.2.2") == 401


@pytest.mark.parametrize(
    "same", ["192.0.2.1:5678", "::ffff:192.0.2.1", "[::ffff:192.0.2.1]:80", "192.0.2.1, 127.0.0.1:9"]
)
async def test_address_counts_in_any_form(same: str) -> None:
    async with live_server(trusted_proxies="127.0.0.1", **_SETTINGS) as live, deadline(_WAIT_UNITS):
        await _exhaust(live, "192.0.2.1")
        assert await _wrong(live, same) == 429
        assert await _wrong(live, "192.0.2.2:5678") == 401


async def test_clients_of_one_ipv6_network_are_one() -> None:
    async with live_server(trusted_proxies="127.0.0.1", **_SETTINGS) as live, deadline(_WAIT_UNITS):
        await _exhaust(live, "2001:db8::1")
        assert await _wrong(live, "[2001:db8::ffff:2]:80") == 429
        assert await _wrong(live, "2001:db8:0:1::1") == 401


@pytest.mark.parametrize("entry", ["unknown", "a:b:c", "_hidden", "x" * 60_000, "2001:db8::1/64", "[::1"])
async def test_entry_that_is_no_address_leaves_the_proxy_as_the_client(entry: str) -> None:
    async with live_server(trusted_proxies="127.0.0.1", **_SETTINGS) as live, deadline(_WAIT_UNITS):
        await _exhaust(live)
        assert await _wrong(live, f"192.0.2.1, {entry}") == 429
        assert await _wrong(live, entry, token=_RIGHT) == 200


@pytest.mark.parametrize(("given", "expected"), [("http, https", True), ("https,http", False), ("ftp", False)])
async def test_scheme_is_that_of_the_nearest_proxy(given: str, expected: bool) -> None:
    async with live_server(trusted_proxies="127.0.0.1") as live, deadline(_WAIT_UNITS):
        answer = await exchange(live.address, "GET", "/api/v1/healthz", headers=[("X-Forwarded-Proto", given)])
        assert (answer.header("Strict-Transport-Security") is not None) == expected


@pytest.mark.parametrize(("trusted", "expected"), [("127.0.0.1", True), ("", False)])
async def test_scheme_of_a_trusted_proxy_alone_makes_an_answer_secure(trusted: str, expected: bool) -> None:
    async with live_server(trusted_proxies=trusted) as live, deadline(_WAIT_UNITS):
        headers = [("X-Forwarded-Proto", "https")]
        answer = await exchange(live.address, "GET", "/api/v1/healthz", headers=headers)
        assert (answer.header("Strict-Transport-Security") is not None) == expected


async def test_handshakes_are_counted_by_the_forwarded_address_too() -> None:
    async with live_server(trusted_proxies="127.0.0.1", **_SETTINGS) as live, deadline(_WAIT_UNITS):
        await _exhaust(live, "192.0.2.1")
        target = "/api/v1/ws/dashboard?access_token=wrong"
        for forwarded, status in (("192.0.2.1", 429), ("192.0.2.2", 401)):
            async with open_socket(live.address, target, [*HANDSHAKE, ("X-Forwarded-For", forwarded)]) as socket:
                assert socket.response.status == status


_IDS = ["7f3a-01", "a" * 128, "", "a" * 129, "two words", "a,b", "<b>"]


@pytest.mark.parametrize("given", _IDS, ids=range(len(_IDS)))
@pytest.mark.parametrize("trusted", ["127.0.0.1", ""])
async def test_id_of_a_request_comes_from_a_trusted_proxy_alone(given: str, trusted: str) -> None:
    headers: Headers = [("X-Request-Id", given)]
    async with live_server(trusted_proxies=trusted) as live, deadline(_WAIT_UNITS):
        once = await exchange(live.address, "GET", "/api/v1/healthz", headers=headers)
        twice = await exchange(live.address, "GET", "/api/v1/healthz", headers=[*headers, *headers])
    is_taken = given in _IDS[:2] and bool(trusted)
    assert (once.header("X-Request-Id") == given) is is_taken
    assert twice.header("X-Request-Id") not in (None, given)


@pytest.mark.parametrize("given", ["proxy", "*", "10.0.0.1/8", "127.0.0.1;::1", "127.0.0.1:80"])
def test_proxy_is_an_address_or_a_network(given: str) -> None:
    with pytest.raises(ValidationError, match="expected addresses or networks"):
        Settings(trusted_proxies=given)
