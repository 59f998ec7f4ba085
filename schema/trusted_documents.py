"""Trusted documents: the documents of an installation's own clients, which requests name by their ids.

The build of a client writes a manifest: ids and documents. Three forms are known: that of Apollo
(`generate-persisted-query-manifest`), and the map from id to document of GraphQL Code Generator and the Relay compiler.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import orjson

__all__ = ["BadDocument", "TrustedDocuments", "parse_manifest"]

#: The format and version of Apollo's manifest.
_APOLLO = {"format": "apollo-persisted-query-manifest", "version": 1}
_EXPECTED = "expected a manifest of Apollo, or a JSON object of ids and documents"


class BadDocument(ValueError):
    """A manifest cannot be read, or a document in it does not fit the schema."""


@dataclass(frozen=True)
class TrustedDocuments:
    """The documents that requests may name."""

    #: Id → document.
    by_id: Mapping[str, str] = field(default_factory=dict)
    #: Whether no other document is executed.
    only: bool = False

    @cached_property
    def texts(self) -> frozenset[str]:
        """The documents without their ids."""
        return frozenset(self.by_id.values())


def parse_manifest(data: bytes) -> dict[str, str]:
    """Return the documents of a manifest by id.

    Raises:
        BadDocument: it has none of the known forms, or no document.
    """
    try:
        manifest = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise BadDocument(f"{_EXPECTED}, got no JSON: {error}") from error
    if not isinstance(manifest, dict):
        raise BadDocument(f"{_EXPECTED}, got {type(manifest).__name__}")
    found = _operations_of_apollo(manifest) if "operations" in manifest else manifest
    for id, text in found.items():
        if not id or not isinstance(text, str) or not text:
            raise BadDocument(f"{_EXPECTED}, got no document under the id {id!r:.100}")
    if not found:
        raise BadDocument(f"{_EXPECTED}, got one without documents")
    return found


def _operations_of_apollo(manifest: dict[str, object]) -> dict[str, str]:
    operations = manifest["operations"]
    if {key: manifest.get(key) for key in _APOLLO} != _APOLLO or not isinstance(operations, list):
        raise BadDocument(f"{_EXPECTED}; Apollo's has {_APOLLO} and a list of operations")
    found: dict[str, str] = {}
    for place, operation in enumerate(operations):
        id, body = (operation.get(key) for key in ("id", "body")) if isinstance(operation, dict) else (None, None)
        if not isinstance(id, str) or not isinstance(body, str):
            raise BadDocument(f"{_EXPECTED}, got no id and body in operation {place}")
        found[id] = body
    return found
