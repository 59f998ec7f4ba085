"""The status of our own faults, which a healthy server never sends."""

from __future__ import annotations

import pytest

from server.protocol.graphql.response import GRAPHQL_JSON, PLAIN_JSON, reconnect_after_ms, status_of

_FAULT = {"errors": [{"message": "Internal error", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]}
_MISTAKE = {"errors": [{"message": "Syntax error"}]}


@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [
        (_FAULT, GRAPHQL_JSON, 500),
        (_FAULT, PLAIN_JSON, 200),
        (_MISTAKE, GRAPHQL_JSON, 400),
        (_MISTAKE, PLAIN_JSON, 200),
        ({"data": None, **_FAULT}, GRAPHQL_JSON, 200),
    ],
)
def test_status_shows_whose_fault_it_was(body: dict[str, object], media_type: str, status: int) -> None:
    assert status_of(body, media_type) == status


def test_hint_when_to_come_back_is_that_of_any_of_the_errors() -> None:
    assert reconnect_after_ms({"errors": [{"message": "a"}, {"extensions": {"reconnectAfterMs": 1234}}]}) == 1234
    assert reconnect_after_ms(_FAULT) is None
