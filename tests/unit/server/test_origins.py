"""`Origins`: docs/protocol.md, "Access, hosts and origins"."""

from __future__ import annotations

import pytest

from server.middleware.origins import Origins

_HOST = "boards.example:8000"
_LOCAL = [
    *("http://localhost", "http://localhost:3000", "https://LOCALHOST:1", "http://127.0.0.1:5173", "http://127.9.9.9"),
    *("http://[::1]:5173", "http://boards.localhost:3000"),
]
_FOREIGN = [
    *("", "null", "http://boards.example", "http://boards.example:80", "http://localhost.foreign.example"),
    *("http://127.0.0.1.foreign.example", "http://127.0.0.1@foreign.example", "http://foreign.example/localhost"),
    *(
        "http://foreign.example#localhost",
        "localhost",
        "//localhost",
        "file://localhost",
        "chrome-extension://localhost",
    ),
    *("http://[::1", "http://0.0.0.0", "http://boards.example:8000/", "http://a@boards.example:8000"),
    *(
        "http://boards.example:8000, http://boards.example:8000",
        "ws://boards.example:8000",
        "http://boards.example:80000",
    ),
]


@pytest.mark.parametrize("origin", [None, "http://boards.example:8000", "https://BOARDS.example:8000"])
def test_own_origin_is_welcome(origin: str | None) -> None:
    assert Origins().welcomes(origin, _HOST)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://boards.example", "boards.example:80"),
        ("http://boards.example:80", "boards.example"),
        ("https://boards.example", "boards.example:443"),
        ("https://boards.example:443", "boards.example"),
        ("http://[2001:db8::1]", "[2001:DB8::1]:80"),
    ],
)
def test_default_port_is_equal_to_none(origin: str, host: str) -> None:
    assert Origins().welcomes(origin, host)


def test_default_port_is_that_of_the_scheme() -> None:
    assert not Origins().welcomes("http://boards.example", "boards.example:443")
    assert not Origins().welcomes("https://boards.example", "boards.example:80")


def test_page_that_came_without_tls_is_foreign_to_a_server_with_it() -> None:
    assert Origins().welcomes("https://boards.example", "boards.example", is_secure=True)
    assert not Origins().welcomes("http://boards.example", "boards.example", is_secure=True)


@pytest.mark.parametrize("origin", _LOCAL)
def test_loopback_origin_is_welcome_only_where_that_is_said(origin: str) -> None:
    assert not Origins().welcomes(origin, _HOST)
    assert Origins(are_local_welcome=True).welcomes(origin, _HOST)


@pytest.mark.parametrize("origin", _FOREIGN)
def test_other_origins_are_not(origin: str) -> None:
    assert not Origins(are_local_welcome=True).welcomes(origin, _HOST)
    assert Origins(frozenset({"*"})).welcomes(origin, _HOST)


def test_listed_origin_is_welcome_exactly() -> None:
    origins = Origins(frozenset({"https://a.example", "http://b.example:80", "chrome-extension://abc"}))
    for origin in ("https://A.example", "https://a.example:443", "http://b.example", "chrome-extension://abc"):
        assert origins.welcomes(origin, _HOST)
    for other in (
        "http://a.example",
        "https://a.example:8443",
        "https://b.a.example",
        "null",
        "chrome-extension://abd",
    ):
        assert not origins.welcomes(other, _HOST)


def test_missing_host_header_makes_no_origin_its_own() -> None:
    assert not Origins().welcomes("http://", "")
    assert not Origins().welcomes("http://foreign.example", "")
