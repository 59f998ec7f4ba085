"""Values on their way to PostgreSQL and back.

PostgreSQL stores no NUL in a text, but a card may have one in its title. So NUL is written as two characters, of which
the first is no character of Unicode (https://www.unicode.org/faq/private_use.html#noncharacters), and that one is
written as two as well. Different texts stay different, and all other texts are stored as they are.
"""

from __future__ import annotations

from psycopg import adapters
from psycopg.abc import Buffer
from psycopg.adapt import AdaptersMap, Loader
from psycopg.types.numeric import Int8Dumper
from psycopg.types.string import StrDumperUnknown, TextLoader

__all__ = ["JsonTextLoader", "adapters_map"]

_ESCAPE = "\ufdd0"
_NUL, _ITSELF = f"{_ESCAPE}0", f"{_ESCAPE}1"
_ESCAPE_BYTES, _NUL_BYTES, _ITSELF_BYTES = (text.encode() for text in (_ESCAPE, _NUL, _ITSELF))


class _TextDumper(StrDumperUnknown):
    def dump(self, obj: str) -> Buffer | None:
        if "\0" in obj or _ESCAPE in obj:
            obj = obj.replace(_ESCAPE, _ITSELF).replace("\0", _NUL)
        return super().dump(obj)


class _TextLoader(TextLoader):
    def load(self, data: Buffer) -> bytes | str:
        text = super().load(data)
        if isinstance(text, str) and _ESCAPE in text:
            return text.replace(_NUL, "\0").replace(_ITSELF, _ESCAPE)
        return text


class JsonTextLoader(Loader):
    """Returns JSON as a text for the parser of the reader; NUL is escaped in it."""

    def load(self, data: Buffer) -> str:
        """Return the text of a value."""
        text = bytes(data)
        if _ESCAPE_BYTES in text:
            text = text.replace(_NUL_BYTES, b"\\u0000").replace(_ITSELF_BYTES, _ESCAPE_BYTES)
        return text.decode()


def adapters_map() -> AdaptersMap:
    """Return the forms of values for new connections."""
    made = AdaptersMap(adapters)
    made.register_dumper(str, _TextDumper)
    # One type for all integers. By default the type depends on the value, and each type is a statement of its own.
    made.register_dumper(int, Int8Dumper)
    for name in ("text", "varchar"):
        made.register_loader(name, _TextLoader)
    made.register_loader("json", JsonTextLoader)
    return made
