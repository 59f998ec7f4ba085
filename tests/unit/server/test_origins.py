"""`is_welcome`: the table of contract §7."""

from __future__ import annotations

import pytest

from server.origins import is_welcome

_HOST = "boards.example:8000"


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "http://boards.example:8000",
        "https://BOARDS.example:8000",
        "http://localhost",
        "http://localhost:3000",
        "https://LOCALHOST:1",
        "http://127.0.0.1:5173",
        "http://[::1]:5173",
    ],
)
def test_own_and_loopback_origins_are_welcome(origin: str | None) -> None:
    assert is_welcome(origin, _HOST, frozenset())


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "null",
        "http://boards.example",
        "http://boards.example:80",
        "http://localhost.foreign.example",
        "http://127.0.0.1.foreign.example",
        "http://127.0.0.1@foreign.example",
        "http://foreign.example/localhost",
        "http://foreign.example#localhost",
        "localhost",
        "//localhost",
        "file://localhost",
        "chrome-extension://localhost",
        "http://[::1",
        "http://0.0.0.0",
    ],
)
def test_other_origins_are_not(origin: str) -> None:
    assert not is_welcome(origin, _HOST, frozenset())
    assert is_welcome(origin, _HOST, frozenset({"*"}))


def test_listed_origin_is_welcome_exactly() -> None:
    allowed = frozenset({"https://a.example"})
    assert is_welcome("https://A.example", _HOST, allowed)
    for other in ("http://a.example", "https://a.example:8443", "https://b.a.example"):
        assert not is_welcome(other, _HOST, allowed)


def test_missing_host_header_makes_no_origin_its_own() -> None:
    assert not is_welcome("http://", "", frozenset())
    assert not is_welcome("http://foreign.example", "", frozenset())
