"""`Hosts`: the names to which a server answers (docs/protocol.md, "Access, hosts and origins")."""

from __future__ import annotations

import pytest

from server.middleware.hosts import Authority, Hosts, parse_authority

_LOCAL = [
    *(
        "localhost",
        "localhost:8000",
        "LocalHost:1",
        "localhost.",
        "localhost.:8000",
        "boards.localhost",
        "a.b.localhost:5",
    ),
    *("127.0.0.1", "127.0.0.1:8000", "127.255.3.4:80", "[::1]", "[::1]:8000", "[0:0:0:0:0:0:0:1]:9"),
]
_STRANGE = [
    *(
        "",
        "foreign.example",
        "foreign.example:8000",
        "localhost.foreign.example",
        "notlocalhost",
        "127.0.0.1.foreign.example",
    ),
    *("127.0.0.1@foreign.example", "foreign.example/localhost", "[::1", "::1", "[::2]", "0.0.0.0", "128.0.0.1"),
    *(
        "localhost:port",
        "localhost:8000:8000",
        "localhost, foreign.example",
        "local host",
        ".localhost.example",
        "x" * 300,
    ),
]


@pytest.mark.parametrize("host", _LOCAL)
def test_open_local_server_answers_to_loopback_names(host: str) -> None:
    assert Hosts(frozenset(), are_local_welcome=True).accepts(host)


@pytest.mark.parametrize("host", _STRANGE)
def test_open_local_server_answers_to_no_other_name(host: str) -> None:
    assert not Hosts(frozenset(), are_local_welcome=True).accepts(host)
    assert Hosts(frozenset(), are_local_welcome=False).accepts(host)
    assert Hosts(frozenset({"*"}), are_local_welcome=True).accepts(host)


@pytest.mark.parametrize("is_local", [True, False])
def test_allowed_name_goes_with_every_port_and_one_with_a_port_with_that(is_local: bool) -> None:
    hosts = Hosts(frozenset({"boards.example", "[2001:db8::1]:8443"}), are_local_welcome=is_local)
    for host in ("boards.example", "BOARDS.example.", "boards.example:1", "[2001:DB8::1]:8443"):
        assert hosts.accepts(host)
    for host in ("a.boards.example", "boards.example.foreign", "[2001:db8::1]", "[2001:db8::1]:80", ""):
        assert not hosts.accepts(host)
    assert hosts.accepts("localhost") is is_local


def test_authority_is_a_lower_name_and_a_port() -> None:
    assert parse_authority("Boards.Example.:80") == Authority("boards.example", 80)
    assert parse_authority("[::1]") == Authority("[::1]", None)
    assert parse_authority("boards.example:") == Authority("boards.example", None)
