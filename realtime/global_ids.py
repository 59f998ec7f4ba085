"""Global ids: one text for each thing of the installation, for the caches of clients (docs/graphql.md, "Identity").

A global id has a letter for the kind of thing, the tag of its board, and the thing's id on that board. So it is twelve
characters longer than the id, and no look-up is needed to make it. The tag is a hash of the board's id; no two boards
of a store have the same one (decision 45). Agents and profiles belong to no board: their tag is that of their own id.

| kind | id | tag of |
| --- | --- | --- |
| board, project | the board's id | the board |
| column, card, attempt | the id on the board | the board |
| agent, profile | the key, the id | the same |
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from enum import StrEnum
from hashlib import blake2b
from typing import NamedTuple

from realtime.caches import bounded_cache

__all__ = ["GlobalId", "Kind", "global_id", "names_thing_of", "parse_global_id", "tag_of", "wire_id"]

#: Characters of a tag; each has 6 bits.
TAG_CHARS = 11
#: Most characters of an id whose tag is cached: ids of things are never longer, but arguments may be.
_LONGEST = 200


class Kind(StrEnum):
    """The kinds of things that have a global id, with the letter that begins it."""

    ATTEMPT = "A"
    BOARD = "B"
    CARD = "C"
    AGENT = "G"
    COLUMN = "L"
    PROJECT = "P"
    PROFILE = "R"


_KINDS = {kind.value: kind for kind in Kind}


class GlobalId(NamedTuple):
    """The parts of a global id."""

    kind: Kind
    tag: str
    #: The id of the wire.
    id: str


# More entries than there are active boards, as in `messages.position`.
@bounded_cache(65_536, max_chars=_LONGEST, chars=len)
def tag_of(id: str) -> str:
    """Return the tag of a board; of an agent or a profile, by its own id."""
    digest = blake2b(id.encode(errors="surrogatepass"), digest_size=9, person=b"global id").digest()
    return urlsafe_b64encode(digest)[:TAG_CHARS].decode()


def global_id(kind: Kind, home: str, id: str) -> str:
    """Return the global id of a thing.

    Args:
        kind: its kind.
        home: the id of its board; for an agent or a profile, its own id.
        id: its id on that board.
    """
    return kind + tag_of(home) + id


def parse_global_id(given: str) -> GlobalId | None:
    """Return the parts of a global id; None if the text cannot be one."""
    kind, tag, id = _KINDS.get(given[:1]), given[1 : TAG_CHARS + 1], given[TAG_CHARS + 1 :]
    return GlobalId(kind, tag, id) if kind is not None and id else None


def names_thing_of(home: str, given: str) -> bool:
    """Return whether a text has the form of the global id of a thing of the board `home`."""
    parts = parse_global_id(given)
    return parts is not None and parts.tag == tag_of(home)


def wire_id(given: str, *kinds: Kind, home: str | None = None) -> str:
    """Return the id of the wire for either id of a thing.

    A text that is no global id of one of these kinds (and of the board `home`) is returned unchanged: it is an id of
    the wire, or names nothing there. Without `home`, the thing is a board, a project, an agent or a profile.
    """
    parts = parse_global_id(given)
    if parts is None or parts.kind not in kinds or parts.tag != tag_of(parts.id if home is None else home):
        return given
    return parts.id
