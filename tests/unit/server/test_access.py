"""What admits and what does not. That every exit asks: `tests/live/test_access.py`."""

from __future__ import annotations

from typing import Any

import pytest

from server.access import Access

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
