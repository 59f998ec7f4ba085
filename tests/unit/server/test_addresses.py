"""Addresses have one form, and the client behind proxies is found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.protocol.http.addresses import TrustedProxies, network_of, plain_address


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1:5678", "192.0.2.1"),
        ("2001:DB8::1", "2001:db8::1"),
        ("[2001:db8:0::1]", "2001:db8::1"),
        ("[::1]:80", "::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::FFFF:c000:201", "192.0.2.1"),
        ("[::ffff:192.0.2.1]:80", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::1"),
    ],
)
def test_address_has_one_form(text: str, expected: str) -> None:
    assert plain_address(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "unknown", "_hidden", "a:b:c", "x:1", ":80", "1.2.3", "1.2.3.4:", "1.2.3.4:x", "1.2.3.4:٣", "1.2.3.4/8"),
        *("[::1", "[::1]80", "[::1]:", "[::1]:8:0", "::1:80:", "::1%" + "x" * 200, "2001:db8::1/64"),
    ],
)
def test_anything_else_is_no_address(text: str) -> None:
    assert plain_address(text) is None


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("a:b:c", "a:b:c"),
        ("", ""),
    ],
)
def test_client_of_ipv6_is_counted_by_its_network(address: str, expected: str) -> None:
    assert network_of(address) == expected


@pytest.mark.parametrize(
    ("trusted", "address", "expected"),
    [
        ("", "127.0.0.1", False),
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "127.0.0.2", False),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("::ffff:10.0.0.0/104", "10.1.2.3", True),
        ("::ffff:10.0.0.1", "10.0.0.1", True),
        ("::ffff:10.0.0.1", "10.0.0.2", False),
        ("::/0", "10.0.0.1", False),
        ("2001:db8::/32", "2001:db8::1", True),
        ("127.0.0.1", "unknown", False),
        ("127.0.0.1", "", False),
    ],
)
def test_proxy_is_trusted_by_its_address(trusted: str, address: str, expected: bool) -> None:
    assert TrustedProxies(filter(None, [trusted])).trusts(address) is expected


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["192.0.2.1"], "192.0.2.1"),
        ("10.0.0.1", ["::ffff:192.0.2.1"], "192.0.2.1"),
        ("10.0.0.1", ["192.0.2.1:5678"], "192.0.2.1"),
        ("10.0.0.1", ["[2001:db8::1]:80"], "2001:db8::1"),
        ("10.0.0.1", ["198.51.100.1, 192.0.2.1"], "192.0.2.1"),
        ("10.0.0.1", ["198.51.100.1", "192.0.2.1,10.0.0.2:9"], "192.0.2.1"),
        ("10.0.0.1", ["192.0.2.1, ::ffff:10.0.0.2"], "192.0.2.1"),
        ("10.0.0.1", ["192.0.2.1, ,"], "192.0.2.1"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", ["192.0.2.1, unknown"], "10.0.0.1"),
        ("10.0.0.1", ["192.0.2.1, a:b:c, 10.0.0.2"], "10.0.0.2"),
        ("192.0.2.9", ["192.0.2.1"], "192.0.2.9"),
    ],
)
def test_client_is_the_last_address_that_is_no_proxy(peer: str, forwarded: list[str], client: str) -> None:
    assert TrustedProxies(["10.0.0.0/8"]).client_of(peer, forwarded) == client


@given(st.lists(st.text(max_size=40) | st.ip_addresses().map(str) | st.sampled_from(["::ffff:10.0.0.9", "[::1]:80"])))
def test_client_is_an_address_whatever_a_proxy_reports(forwarded: list[str]) -> None:
    client = TrustedProxies(["10.0.0.0/8"]).client_of("10.0.0.1", forwarded)
    assert plain_address(client) == client
    assert network_of(client) == network_of(plain_address(client) or "")
