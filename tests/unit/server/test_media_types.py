"""Media types with the parameter that changes their meaning. Other tests use HTTP."""

from __future__ import annotations

import pytest

from server.protocol.graphql.parts import MULTIPART
from server.protocol.http.media_types import preferred

_JSON = "application/json"


@pytest.mark.parametrize(
    "accept",
    [
        "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json",
        'multipart/mixed;subscriptionSpec="1.0", application/json',
        "multipart/mixed; boundary=-; SUBSCRIPTIONSPEC=1.0 , application/json;q=0.9",
        "application/json;q=0.5, multipart/mixed;subscriptionSpec=1.0",
    ],
)
def test_multipart_with_the_parameter_is_another_type(accept: str) -> None:
    assert preferred(accept, (_JSON, MULTIPART)) == MULTIPART


@pytest.mark.parametrize(
    "accept",
    [
        "multipart/mixed, application/json",
        "multipart/mixed;deferSpec=20220824,application/json",
        "multipart/mixed;subscriptionSpec=2.0, application/json",
        "application/json, multipart/mixed;subscriptionSpec=1.0",
        "*/*",
        None,
    ],
)
def test_multipart_without_it_is_not(accept: str | None) -> None:
    assert preferred(accept, (_JSON, MULTIPART)) == _JSON


@pytest.mark.parametrize(("others", "chosen"), [(99, MULTIPART), (100, None)])
def test_only_the_first_ranges_count(others: int, chosen: str | None) -> None:
    accept = "a/b;q=0.1," * others + "multipart/mixed;subscriptionSpec=1.0"
    assert preferred(accept, (_JSON, MULTIPART)) == chosen
