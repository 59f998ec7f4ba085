"""The REST calls as they are described: each once, with all spellings of its address."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, get_type_hints

from server.routing import Resource
from server.transports.rest import rest_routes
from server.transports.rest.calls import RestCall

__all__ = ["HIDDEN", "Entry", "entries"]

#: Keys of commands that no body has: the method is the type, and the path has the card.
HIDDEN = frozenset({"type", "cardId"})


@dataclass(frozen=True, slots=True)
class Entry:
    """A call with its method and the first spelling of its address."""

    method: str
    path: str
    call: RestCall
    #: Further spellings.
    others: list[str] = field(default_factory=list)

    @property
    def title(self) -> str:
        """Method and address, as in the first line of a request."""
        return f"`{self.method} {self.path}`"

    @property
    def answer(self) -> Any:
        """The type of the JSON in the answer; NoneType if it has no body."""
        return get_type_hints(self.call.work, include_extras=True)["return"]


def entries() -> list[Entry]:
    """Return the calls in the order of their routes.

    Raises:
        TypeError: a route is no `Resource`, so its calls are not known.
    """
    found: dict[tuple[str, int], Entry] = {}
    for route in rest_routes():
        if not isinstance(route, Resource):
            raise TypeError(f"expected a resource, got {route}")
        for method, call in route.handlers.items():
            if isinstance(call, RestCall):
                entry = found.setdefault((method, id(call)), Entry(method, route.path, call))
                entry.others.extend([route.path] * (route.path != entry.path))
    return list(found.values())
