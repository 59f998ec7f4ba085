"""Compares answers of REST calls, refused upgrades and streams with the recorded ones.

This module applies the departures that affect every answer: 11 (problem+json, RFC 9457, field errors under `errors`)
and 18 (checked origins instead of `Access-Control-Allow-Origin: *`; HSTS only over https).
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import orjson

from tests.kit.matching import Matcher
from tests.kit.raw_http import Answer
from tests.kit.recordings import Json

__all__ = ["check_answer", "check_headers", "check_problem", "recorded_header"]

_PROBLEM_KEYS = ["status", "detail", "type", "title"]
#: Headers of the connection or of the moment, or replaced by departure 18.
_OWN_HEADERS = {
    "access-control-allow-origin",
    "access-control-allow-methods",
    "connection",
    "content-length",
    "content-type",
    "date",
    "strict-transport-security",
    "transfer-encoding",
    "x-request-id",
}


def recorded_header(response: Json, name: str) -> str | None:
    """Return the first value of a recorded header."""
    return next((value for key, value in response["headers"] if key.lower() == name.lower()), None)


def check_headers(response: Json, answer: Answer) -> None:
    """Assert that every recorded header came with its value, and a request id where one was recorded."""
    for name, value in response["headers"]:
        if name.lower() not in _OWN_HEADERS:
            assert answer.header(name) == value, f"header {name}: expected {value!r}, got {answer.header(name)!r}"
    if recorded_header(response, "X-Request-Id"):
        assert answer.header("X-Request-Id"), "expected an X-Request-Id"


def check_problem(answer: Answer, status: int, detail: str | None = None) -> None:
    """Assert a problem of RFC 9457 with this status and, unless None, this detail."""
    assert answer.status == status, f"expected {status}, got {answer.status} {answer.body!r:.500}"
    assert answer.header("Content-Type") == "application/problem+json"
    body: Any = answer.json()
    assert list(body)[:4] == _PROBLEM_KEYS, f"unexpected keys {list(body)}"
    assert set(body) <= {*_PROBLEM_KEYS, "errors"}, f"unexpected keys {list(body)}"
    assert (body["status"], body["type"], body["title"]) == (status, "about:blank", HTTPStatus(status).phrase)
    assert body["detail"] if detail is None else body["detail"] == detail, f"expected {detail!r}, got {body!r}"


def check_answer(response: Json, answer: Answer, matcher: Matcher) -> None:
    """Assert that `answer` equals the recorded one."""
    assert answer.status == response["status"], f"expected {response['status']}, got {answer.status} {answer.body!r}"
    check_headers(response, answer)
    if response["status"] >= HTTPStatus.BAD_REQUEST:
        _check_error(response, answer)
    elif response["body"]:
        assert answer.header("Content-Type") == recorded_header(response, "Content-Type")
        assert orjson.dumps(orjson.loads(answer.body)) == answer.body, "expected compact JSON"
        matcher.match(orjson.loads(response["body"]), answer.json())
    else:
        assert answer.body == b""
        assert answer.header("Content-Type") == recorded_header(response, "Content-Type")


def _check_error(response: Json, answer: Answer) -> None:
    recorded = orjson.loads(response["body"])
    check_problem(answer, response["status"], recorded.get("detail"))
    if "success" in recorded:
        _check_field_errors(orjson.loads(recorded["error"]["message"]), orjson.loads(answer.body))
    elif "detail" not in recorded:
        assert orjson.loads(answer.body)["detail"] == recorded["error"]


def _check_field_errors(issues: list[Json], body: Json) -> None:
    """Assert that the answer names the fields of zod's issues. The sentences are ours, except those about no field."""
    fields = {".".join(map(str, issue["path"])) for issue in issues if issue["path"]}
    assert {one["field"] for one in body.get("errors", [])} == fields, f"expected errors of {fields}, got {body}"
    for issue in issues:
        assert issue["path"] or body["detail"] == issue["message"], f"expected {issue['message']!r}, got {body}"
