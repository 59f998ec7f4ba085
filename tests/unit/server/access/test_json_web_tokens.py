"""JSON Web Tokens: which are valid, and what they grant."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from realtime.clock import system_clock
from realtime.kanban.ids import BoardId
from realtime.service import NOTHING, Action, Grants
from server.access.json_web_tokens import JsonWebTokens
from server.access.jwt_keys import keys_of
from server.access.key_sources import FixedKeys
from tests.kit.json_web_tokens import SECRET, claims_of, key_set, pem_of, signed


def verifier(text: str = SECRET, issuer: str | None = None, audience: str | None = None) -> JsonWebTokens:
    """Return a verifier by the keys of a text."""
    return JsonWebTokens(FixedKeys(keys_of(text)), issuer, audience, system_clock)


def unsigned(claims: dict[str, Any], **header: Any) -> str:
    """Return a token without a signature."""
    parts = (json.dumps(part).encode() for part in ({"alg": "none", "typ": "JWT", **header}, claims))
    return ".".join([*(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts), ""])


def test_valid_token_names_bearer_grants_and_end() -> None:
    found = verifier().verify(signed(claims_of(["b1", "b2"], ["read", "write"], exp=4102444800)))
    assert found is not None
    assert found.subject == "ada"
    assert found.grants == Grants(frozenset({Action.READ, Action.WRITE}), frozenset({BoardId("b1"), BoardId("b2")}))
    assert found.expires_at == datetime(2100, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_each_algorithm_by_pem_and_by_key_set(algorithm: str) -> None:
    token = signed(claims_of(), algorithm, kid="k1")
    assert verifier(pem_of(algorithm)).verify(token) is not None
    assert verifier(key_set(k1=algorithm)).verify(token) is not None
    assert verifier(key_set(k2=algorithm)).verify(token) is None, "another key id"
    others = {"RS256", "ES256", "EdDSA"} - {algorithm}
    assert all(verifier(pem_of(other)).verify(token) is None for other in others)


def test_key_set_chooses_by_id_and_takes_a_token_without_one() -> None:
    keys = verifier(key_set(one="RS256", two="ES256"))
    assert keys.verify(signed(claims_of(), "ES256", kid="two")) is not None
    assert keys.verify(signed(claims_of(), "ES256", kid="one")) is None
    assert keys.verify(signed(claims_of(), "ES256")) is not None


def test_public_key_is_no_secret() -> None:
    """The attack of key confusion: a token that is signed with the public key as if it were a secret."""
    public = pem_of("RS256")
    header, payload = unsigned(claims_of(), alg="HS256").split(".")[:2]
    signature = hmac.new(public.encode(), f"{header}.{payload}".encode(), hashlib.sha256).digest()
    token = f"{header}.{payload}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"
    assert verifier(public).verify(token) is None
    assert verifier(key_set(k1="RS256")).verify(token) is None


@pytest.mark.parametrize("name", ["none", "None", "NONE", "", None, 1, ["HS256"]])
def test_unsigned_token_is_not_valid(name: Any) -> None:
    assert verifier().verify(unsigned(claims_of(), alg=name)) is None
    assert verifier().verify(unsigned(claims_of(), alg=name) + "x") is None


@pytest.mark.parametrize(
    "claims",
    [
        claims_of(exp=int(time.time()) - 1),
        claims_of(exp=None),
        claims_of(exp="soon"),
        claims_of(exp=[]),
        claims_of(exp=str(int(time.time()) + 600)),
        claims_of(exp=True),
        claims_of(nbf="1"),
        claims_of(iat="1"),
        {**claims_of(), "nbf": None},
        claims_of(sub=None),
        claims_of(sub=""),
        claims_of(sub="x" * 201),
        claims_of(sub="a\ud800"),
        claims_of(nbf=int(time.time()) + 600),
        claims_of(iat=int(time.time()) + 600),
    ],
    ids=[
        "expired",
        "no end",
        "bad end",
        "end a list",
        "end a text",
        "end a flag",
        "begin a text",
        "made a text",
        "begin null",
        "no subject",
        "empty",
        "long",
        "half a pair",
        "not yet",
        "future",
    ],
)
def test_claims_that_do_not_fit(claims: dict[str, Any]) -> None:
    assert verifier().verify(signed(claims)) is None


def test_clock_of_the_issuer_may_be_ahead() -> None:
    soon = int(time.time()) + 10
    assert verifier().verify(signed(claims_of(nbf=soon, iat=soon))) is not None


def test_end_beyond_the_calendar_is_none() -> None:
    found = verifier().verify(signed(claims_of(exp=10**15)))
    assert found is not None
    assert found.expires_at.year == 9999


@pytest.mark.parametrize(
    ("claims", "is_valid"),
    [
        (claims_of(iss="https://id.example", aud="boardcast"), True),
        (claims_of(iss="https://id.example", aud=["x", "boardcast"]), True),
        (claims_of(iss="https://evil.example", aud="boardcast"), False),
        (claims_of(iss="https://id.example", aud="other"), False),
        (claims_of(iss="https://id.example"), False),
        (claims_of(aud="boardcast"), False),
    ],
)
def test_issuer_and_audience_are_required_where_they_are_set(claims: dict[str, Any], is_valid: bool) -> None:
    found = verifier(issuer="https://id.example", audience="boardcast").verify(signed(claims))
    assert (found is not None) is is_valid
    assert verifier().verify(signed(claims)) is not None


@pytest.mark.parametrize(
    "claim",
    [
        None,
        "all",
        [],
        {},
        {"boards": ["*"]},
        {"can": ["read"]},
        {"boards": "*", "can": ["read"]},
        {"boards": ["*"], "can": ["fly"]},
    ],
)
def test_token_without_grants_is_known_and_may_do_nothing(claim: Any) -> None:
    found = verifier().verify(signed(claims_of(boardcast=claim)))
    assert found is not None
    assert found.grants == NOTHING


@pytest.mark.parametrize(
    "token", ["", "..", "a.b.c", "\ud800.b.c", "e30.e30.e30", "[" * 9000 + ".b.c", f"{'A' * 200000}.b.c"]
)
def test_rubbish_is_not_valid(token: str) -> None:
    assert verifier().verify(token) is None


def test_token_of_another_signer_is_not_valid() -> None:
    assert verifier().verify(signed(claims_of(), key="another-secret-of-at-least-32-bytes!")) is None
    head, body, tail = signed(claims_of(can=["read"])).split(".")
    other = signed(claims_of(can=["admin"])).split(".")[1]
    assert verifier().verify(f"{head}.{other}.{tail}") is None
    assert verifier().verify(f"{head}.{body}.{tail}") is not None
