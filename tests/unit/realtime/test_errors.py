"""Refusals carry their data. Errors of pydantic become ours, short and with the path on the wire."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ValidationError

from realtime.errors import Conflict, FieldError, InvalidInput, NotFound, Refused, field_errors


class _Inner(BaseModel):
    number: int


class _Outer(BaseModel):
    inner: list[_Inner]
    name: str


def _findings(value: object) -> list[FieldError]:
    with pytest.raises(ValidationError) as found:
        _Outer.model_validate(value)
    return list(field_errors(found.value, 3, "payload"))


def test_finding_has_the_dotted_path_and_what_came() -> None:
    found = _findings({"inner": [{"number": 1}, {"number": "x"}], "name": "n"})
    assert [one.field for one in found] == ["3.payload.inner.1.number"]
    assert found[0].message.endswith("got 'x'")


def test_missing_field_is_said_to_be_missing() -> None:
    assert _findings({"inner": []}) == [FieldError("3.payload.name", "this field is required, nothing came")]


def test_long_value_is_cut() -> None:
    (found,) = _findings({"inner": [], "name": ["x" * 10_000]})
    assert len(found.message) < 200
    assert found.message.endswith("…")


@pytest.mark.parametrize(
    ("refused", "code", "message"),
    [
        (Refused("no"), "refused", "no"),
        (NotFound("gone", "card_not_found"), "card_not_found", "gone"),
        (NotFound("gone"), "not_found", "gone"),
        (Conflict("busy"), "conflict", "busy"),
        (InvalidInput(FieldError("a.b", "bad"), FieldError("", "worse")), "invalid_payload", "a.b: bad; worse"),
    ],
)
def test_refusal_has_a_code_and_a_sentence(refused: Refused, code: str, message: str) -> None:
    assert (refused.code, refused.message, str(refused)) == (code, message, message)
