"""A client of a running server, for commands: REST, with the token of the variable `BOARDCAST_TOKEN`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any, TypeVar
from urllib.error import HTTPError, URLError
from urllib.parse import SplitResult, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import orjson

from server.command_line.failing import USAGE, CommandFailed

__all__ = ["DEFAULT_URL", "TOKEN_VARIABLE", "Away", "Refusal", "Remote", "part", "remote"]

_T = TypeVar("_T")

TOKEN_VARIABLE = "BOARDCAST_TOKEN"
DEFAULT_URL = "http://127.0.0.1:8000"
ANSWER_SECONDS = 30.0
#: Most bytes of an answer that are read; a list of 1,000 tokens with 1,000 boards each has some 40 MB.
ANSWER_BYTES = 64 * 1024 * 1024
_TOKEN = re.compile("[!-~]+")
#: Without control characters and spaces, which no address has.
_VISIBLE = re.compile(r"[^\s\x00-\x1f\x7f\ud800-\udfff]+")


class Away(CommandFailed):
    """The server cannot be reached, or its answer is none of ours."""


class Refusal(CommandFailed):
    """The server has refused a request."""

    def __init__(self, sentence: str, status: int, retry_after_seconds: float | None) -> None:
        """Store the status, and the seconds after which the server wants to be asked again."""
        super().__init__(sentence)
        self.status = status
        self.retry_after_seconds = retry_after_seconds


class _NoRedirects(HTTPRedirectHandler):
    # The token is for the given address only.
    def redirect_request(self, *_: Any) -> None:
        return None


@dataclass(frozen=True)
class Remote:
    """A server at an address."""

    url: str
    token: str | None = field(default=None, repr=False)

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers that name the caller."""
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    @property
    def base(self) -> str:
        """The address without a slash at the end."""
        return self.url.rstrip("/")

    def ask(self, method: str, path: str, body: object = None, seconds: float = ANSWER_SECONDS) -> Any:
        """Return the JSON of the answer to a request for a path below `/api/v1`, None if it has none.

        Raises:
            Away: the server cannot be reached.
            Refusal: it refuses, with its reason.
        """
        try:
            content = None if body is None else orjson.dumps(body)
        except TypeError as error:  # a word of the command line that is no UTF-8
            raise CommandFailed(f"cannot ask {self.url}: {error}", code=USAGE) from None
        headers = {"Content-Type": "application/json", "User-Agent": "boardcast", **self.headers}
        try:
            request = Request(f"{self.base}/api/v1{path}", content, headers, method=method)
            with build_opener(_NoRedirects).open(request, timeout=seconds) as answer:
                read = answer.read(ANSWER_BYTES)
                return orjson.loads(read) if read else None
        except HTTPError as error:
            with error:
                raise Refusal(
                    f"{self.url} answered {error.code}: {_reason(error)}", error.code, _retry_after(error)
                ) from None
        except orjson.JSONDecodeError:
            raise Away(f"cannot ask {self.url}: it answered no JSON; is it a Boardcast server?") from None
        except (URLError, HTTPException, OSError, ValueError) as error:
            raise Away(f"cannot ask {self.url}: {getattr(error, 'reason', None) or type(error).__name__}") from None


def part(answer: Any, kind: type[_T], *path: str | int) -> _T:
    """Return the part of an answer at `path`, which is of type `kind`.

    Raises:
        Away: it is not there, so the answer is none of ours.
    """
    found = answer
    try:
        for step in path:
            found = found[step]
    except (LookupError, TypeError):
        found = None
    if not isinstance(found, kind):
        where = ".".join(map(str, path))
        raise Away(f"expected an answer with {where or f'a {kind.__name__}'}, got another; is it a Boardcast server?")
    return found


def remote(url: str) -> Remote:
    """Return the server at an address, with the token of the environment.

    Raises:
        CommandFailed: it is no address of a server, or there can be no such token.
    """
    if not url.startswith(("http://", "https://")):
        raise CommandFailed(f"--url: expected an address that begins with http:// or https://, got {url!r}")
    if "@" in url:  # not printed: it may have a password
        raise CommandFailed(f"--url: expected an address without a user, the token is in {TOKEN_VARIABLE}")
    if not _is_address(url):
        raise CommandFailed(f"--url: expected an address like https://boards.example.org:8000, got {url!r}")
    token = os.environ.get(TOKEN_VARIABLE) or None
    if token is not None and not _TOKEN.fullmatch(token):
        # A library would refuse it too, and print it.
        raise CommandFailed(f"{TOKEN_VARIABLE}: expected a token of visible ASCII characters, got others in it")
    return Remote(url, token)


def _is_address(url: str) -> bool:
    try:
        parts: SplitResult = urlsplit(url)
        name, _ = parts.hostname, parts.port
        return bool(name and _VISIBLE.fullmatch(url) and name.encode("idna"))
    except ValueError:  # also a UnicodeError of a name that is too long
        return False


def _reason(error: HTTPError) -> str:
    try:
        problem = orjson.loads(error.read(ANSWER_BYTES))
        listed = [f"{one['field']}: {one['message']}" for one in problem.get("errors", ())[:3]]
        detail = str(problem["detail"])
        return detail if not listed or listed[0] in detail else f"{detail}; {'; '.join(listed)}"
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return error.reason


def _retry_after(error: HTTPError) -> float | None:
    text = error.headers.get("Retry-After", "")
    return float(text) if text.isdecimal() else None
