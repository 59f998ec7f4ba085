"""Answers → outcomes: short texts, which the table has too."""

from __future__ import annotations

from typing import Any

import orjson

from tests.doors.rows import CONTENT, Row, Way, answer_to, standing
from tests.doors.stage import SECRET_WORD
from tests.doors.tokens import Standing, Token
from tests.kit.raw_http import Answer

__all__ = ["expected", "of_answer", "of_result"]

_REFUSED = {Standing.ABSENT: "401 Bearer", Standing.INVALID: '401 Bearer error="invalid_token"'}
#: The close frame of a GraphQL WebSocket without a valid token.
_CLOSED = "4403 Forbidden"


def expected(row: Row, token: Token, way: Way, *, asks_at_init: bool = False) -> str:
    """Return the outcome of a cell. `asks_at_init`: a handshake without a token passes, and `connection_init` decides.

    A wrong token in a handshake is always refused.
    """
    judged = standing(token, way)
    if row.admits(judged):
        return answer_to(row, token)
    is_closed = asks_at_init and (way.after_handshake or judged is Standing.ABSENT)
    return _CLOSED if is_closed else _REFUSED[judged]


def of_answer(answer: Answer) -> str:
    """Return status, the sentence of a problem (of 401 the challenge), and whether the board's content is there."""
    if answer.status == 401:
        return f"401 {answer.header('WWW-Authenticate')}"
    content = CONTENT if SECRET_WORD.encode() in answer.body else ""
    is_problem = answer.header("Content-Type") == "application/problem+json"
    sentence = f" {orjson.loads(answer.body)['detail']}" if is_problem and answer.body and answer.status != 403 else ""
    return f"{answer.status}{sentence}{content}"


def of_result(field: str, result: Any) -> str:
    """Return the code of the error, or the type of the field's value, and whether the board's content is there.

    `result` is a result of GraphQL, or a list of errors.
    """
    errors = result if isinstance(result, list) else result.get("errors")
    content = CONTENT if SECRET_WORD in orjson.dumps(result).decode() else ""
    if errors:
        return " ".join(error["extensions"]["code"] for error in errors) + content
    value = result["data"][field]
    if value is None:
        return f"null{content}"
    is_named = isinstance(value, dict) and "__typename" in value
    return f"{value['__typename'] if is_named else 'data'}{content}"
