"""The places of a request that may hold a token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote

from tests.doors.rows import Way

__all__ = ["HTTP_WAYS", "INIT_WAYS", "QUERY", "SOCKET_WAYS", "Given", "give"]

HEADER, QUERY, SUBPROTOCOL = Way("header"), Way("query"), Way("subprotocol")
COOKIE = Way("cookie", by_session=True)
#: The token is in the place that comes first in the name.
BESIDE = tuple(Way(f"{name} beside a cookie", beside_cookie=True) for name in ("header", "query"))
HTTP_WAYS = (HEADER, QUERY, COOKIE, *BESIDE, Way("subprotocol", counts=False), Way("Basic", counts=False))
SOCKET_WAYS = (HEADER, QUERY, COOKIE, SUBPROTOCOL, *BESIDE, Way("Basic", counts=False))
#: The payload of `connection_init` of GraphQL.
INIT_WAYS = (
    Way("authorization", after_handshake=True),
    Way("Authorization", after_handshake=True),
    Way("token", after_handshake=True),
    Way("token beside a cookie", after_handshake=True, beside_cookie=True),
    Way("password", counts=False, after_handshake=True),
)


@dataclass(frozen=True)
class Given:
    """The parts of a request with a token in one of them."""

    target: str
    headers: tuple[tuple[str, str], ...] = ()
    subprotocols: tuple[str, ...] = ()
    payload: Mapping[str, str] | None = None


def give(target: str, text: str, way: Way, cookie: str) -> Given:
    """Return the parts of a request to `target`; without a `text` they are those of a client without a token.

    The text is that of the token, or the whole cookie of its session. `cookie` is that of the operator.
    """
    if not text:
        return Given(target)
    given = _give(target, text, way.name.removesuffix(" beside a cookie"))
    return replace(given, headers=(*given.headers, ("Cookie", cookie))) if way.beside_cookie else given


def _give(target: str, text: str, place: str) -> Given:
    match place:
        case "header":
            return Given(target, (("Authorization", f"Bearer {text}"),))
        case "Basic":
            return Given(target, (("Authorization", f"Basic {text}"),))
        case "cookie":
            return Given(target, (("Cookie", text),))
        case "query":
            return Given(f"{target}{'&' if '?' in target else '?'}access_token={quote(text)}")
        case "subprotocol":
            return Given(target, subprotocols=(f"bearer.{text}",))
        case "authorization" | "Authorization":
            return Given(target, payload={place: f"Bearer {text}"})
        case _:
            return Given(target, payload={place: text})
