"""Routes that match the encoded path: an id may contain any character, percent-encoded (docs/rest.md, "Requests").

Starlette matches the decoded path, in which a `/` of an id looks like one between segments. It also matches by regular
expressions, which treat the end of a line in a special way.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Mount, Route, Router, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = [
    "AnySocketRoute",
    "Handler",
    "Resource",
    "SegmentMount",
    "SegmentRoute",
    "SegmentSocketRoute",
    "ServerRoute",
    "resource",
]

#: Key in the scope for the segments that the routes still have to match; a mount removes its prefix from them.
SEGMENTS = "boardcast.segments"

Handler = Callable[[Request], Awaitable[Response]]


class _Template:
    """A path template: each segment is a fixed word, or the name of a parameter in braces."""

    __slots__ = ("_parts", "first_word")

    def __init__(self, path: str) -> None:
        self._parts = [(part, part[1:-1] if part.startswith("{") else None) for part in path.split("/")[1:]]

        #: Empty if the first segment is a parameter.
        self.first_word = "" if self._parts[0][1] else self._parts[0][0]

    def __len__(self) -> int:
        """Return the number of segments."""
        return len(self._parts)

    def match(self, scope: Scope) -> dict[str, str] | None:
        """Return the values of the parameters; None = the path does not match."""
        segments = _segments(scope)
        if segments is None or len(segments) != len(self._parts):
            return None
        found: dict[str, str] = {}
        for segment, (word, name) in zip(segments, self._parts, strict=True):
            if name is not None and segment:
                found[name] = segment
            elif name is not None or segment != word:
                return None
        return found


class SegmentRoute(Route):
    """An address over HTTP, with one endpoint for all of its methods."""

    def __init__(self, path: str, endpoint: Callable[..., Any], *, methods: Iterable[str] | None = None) -> None:
        """Answer requests for `path`; its decoded parameters are in `path_params`. `methods` None = every method."""
        super().__init__(path, endpoint, methods=None if methods is None else list(methods))
        if methods is None:
            self.methods = None  # for a function, Starlette assumes GET only
        if inspect.iscoroutinefunction(endpoint):
            self.app = _answering(endpoint)
        self.template = _Template(path)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """See Starlette."""
        params = self.template.match(scope) if scope["type"] == "http" else None
        if params is None:
            return Match.NONE, {}
        is_ours = not self.methods or scope["method"] in self.methods
        return Match.FULL if is_ours else Match.PARTIAL, _child(self.endpoint, scope, params)


class Resource(SegmentRoute):
    """An address with one handler for each of its methods."""

    def __init__(self, path: str, handlers: Mapping[str, Handler]) -> None:
        """Answer by `handlers`, by method in capitals; HEAD is answered by that of GET."""

        async def dispatch(request: Request) -> Response:
            """Answer by the handler of the method; the route has let no other method through."""
            return await handlers["GET" if request.method == "HEAD" else request.method](request)

        super().__init__(path, dispatch, methods=handlers)
        self.handlers = handlers


class SegmentSocketRoute(WebSocketRoute):
    """An address of WebSockets."""

    def __init__(self, path: str, endpoint: Callable[..., Any]) -> None:
        """Serve the sockets of `path`, with parameters as in `SegmentRoute`."""
        super().__init__(path, endpoint)
        self.template = _Template(path)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """See Starlette."""
        params = self.template.match(scope) if scope["type"] == "websocket" else None
        return (Match.NONE, {}) if params is None else (Match.FULL, _child(self.endpoint, scope, params))


_WITH_TEMPLATE = (SegmentRoute, SegmentSocketRoute)


class AnySocketRoute(WebSocketRoute):
    """Every WebSocket that no earlier route matches."""

    def __init__(self, endpoint: Callable[..., Any]) -> None:
        """Serve them by `endpoint`."""
        super().__init__("/{path:path}", endpoint)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """See Starlette."""
        return (Match.FULL, {"endpoint": self.endpoint}) if scope["type"] == "websocket" else (Match.NONE, {})


class SegmentRouter(Router):
    """Starlette's router, but a request is compared only with similar routes, not with all thirty."""

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        """Route by the first of `routes` that matches."""
        super().__init__(routes, redirect_slashes=False)
        #: Type of the scope, first word and number of segments → the routes that may match, in order.
        self._similar: dict[tuple[str, str, int], list[BaseRoute]] = {}
        for route in routes:
            if isinstance(route, _WITH_TEMPLATE) and (word := route.template.first_word):
                self._similar.setdefault((_type_of(route), word, len(route.template)), [])
        for (kind, word, count), similar in self._similar.items():
            similar += [route for route in routes if _may_match(route, kind, word, count)]

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a connection; one that only the wrong method or no route fits is left to Starlette."""
        segments = _segments(scope) or ("",)
        for route in self._similar.get((scope["type"], segments[0], len(segments)), ()):
            match, child = route.matches(scope)
            if match is Match.FULL:
                scope["route"] = route
                scope.update(child)
                await route.handle(scope, receive, send)
                return
        await super().app(scope, receive, send)


class SegmentMount(Mount):
    """Routes with a common prefix."""

    def __init__(self, path: str, routes: Iterable[BaseRoute]) -> None:
        """Match the rest of the path after the prefix `path` by `routes`. No other route may have the prefix."""
        super().__init__(path, SegmentRouter(list(routes)))
        self._prefix = tuple(path.split("/")[1:])

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """See Starlette."""
        segments = _segments(scope) if scope["type"] in ("http", "websocket") else None
        count = len(self._prefix)
        if segments is None or len(segments) <= count or segments[:count] != self._prefix:
            return Match.NONE, {}
        root = scope.get("root_path", "")
        roots = {"app_root_path": scope.get("app_root_path", root), "root_path": root + self.path}
        return Match.FULL, {**_child(self.app, scope, {}), **roots, SEGMENTS: segments[count:]}


class ServerRoute(BaseRoute):
    """`OPTIONS *`, which asks for the methods of the server as a whole (RFC 9110, 9.3.7)."""

    def __init__(self, methods: Iterable[str]) -> None:
        """Answer with `methods`."""
        self._allow = ", ".join(methods)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """See Starlette."""
        return (Match.FULL if scope["type"] == "http" and scope["path"] == "*" else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 204 with the methods in `Allow`."""
        await Response(status_code=204, headers={"Allow": self._allow})(scope, receive, send)


def resource(path: str, **handlers: Handler) -> Resource:
    """Return the route of `path`; `handlers` by lower-case method, HEAD is answered by that of GET.

    One address has all its methods, so that a wrong method is answered with the whole `Allow` (RFC 9110 §15.5.6).
    Ids in the path may hold any character, percent-encoded, `/` among them (docs/rest.md, "Requests").
    """
    return Resource(path, {method.upper(): handler for method, handler in handlers.items()})


def _answering(handler: Handler) -> ASGIApp:
    """Return a handler as an application. The layer of the whole application answers its exceptions."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        response = await handler(Request(scope, receive, send))
        await response(scope, receive, send)

    return app


def _may_match(route: BaseRoute, kind: str, word: str, count: int) -> bool:
    """Return whether a route may match a path of `count` segments that begins with `word`."""
    if not isinstance(route, _WITH_TEMPLATE):
        return True
    template = route.template
    return kind == _type_of(route) and count == len(template) and template.first_word in ("", word)


def _type_of(route: SegmentRoute | SegmentSocketRoute) -> str:
    return "http" if isinstance(route, SegmentRoute) else "websocket"


def _segments(scope: Scope) -> tuple[str, ...] | None:
    """Return the decoded segments to match; None = a segment is no UTF-8, so no address matches."""
    left: tuple[str, ...] | None = scope.get(SEGMENTS)
    if left is not None:
        return left
    # In ASGI `raw_path` is optional.
    path = (scope.get("raw_path") or quote(scope["path"]).encode()).decode("ascii")
    try:
        # Decode once for all routes and store the result in the scope. The routes of a mount have a scope of their own.
        scope[SEGMENTS] = segments = tuple(unquote(segment, errors="strict") for segment in path.split("/")[1:])
    except UnicodeDecodeError:
        return None
    return segments


def _child(endpoint: ASGIApp | Callable[..., Any], scope: Scope, params: dict[str, str]) -> dict[str, Any]:
    return {"endpoint": endpoint, "path_params": {**scope.get("path_params", {}), **params}}
