"""The cookie of a session: its name, its attributes, and how it is read (RFC 6265)."""

from __future__ import annotations

import re

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Scope

from realtime.tokens.sealing import SECRET_CHARS

__all__ = ["drop_cookie", "is_secure", "secret_of", "set_cookie"]

_NAME = "boardcast_session"
#: Over https. With this prefix a browser takes the cookie from the host itself and over https only. So nobody else can
#: put one of another client there (https://www.rfc-editor.org/rfc/rfc6265#section-8.6, and 6265bis, 4.1.3.2).
_SECURE_NAME = f"__Host-{_NAME}"
_SECRET = re.compile(rf"[A-Za-z0-9_-]{{{SECRET_CHARS}}}")
_SECURE = frozenset({"https", "wss"})


def secret_of(scope: Scope) -> str | None:
    """Return the secret in the session cookie of a request, None if there is none.

    A request with two different ones has none: one of them was put there by another site on the same host name.
    """
    pairs = (pair.partition("=") for line in Headers(scope=scope).getlist("cookie") for pair in line.split(";"))
    given = {value.strip() for name, _, value in pairs if name.strip() == _name(scope)}
    secret = given.pop() if len(given) == 1 else ""
    return secret if _SECRET.fullmatch(secret) else None


def set_cookie(response: Response, scope: Scope, secret: str, seconds: int) -> None:
    """Add the cookie to the answer to a request, for so many seconds."""
    _put(response, scope, secret, seconds)


def drop_cookie(response: Response, scope: Scope) -> None:
    """Let the browser forget the cookie."""
    _put(response, scope, "", 0)


def _put(response: Response, scope: Scope, value: str, seconds: int) -> None:
    attributes = f"Max-Age={seconds}; Path=/; HttpOnly; SameSite=Strict{'; Secure' * is_secure(scope)}"
    response.headers.append("Set-Cookie", f"{_name(scope)}={value}; {attributes}")


def _name(scope: Scope) -> str:
    return _SECURE_NAME if is_secure(scope) else _NAME


def is_secure(scope: Scope) -> bool:
    """Return whether the client uses https, as far as the server and its trusted proxies know."""
    return scope.get("scheme") in _SECURE
