"""The vendored files for browsers are those of the README's table, byte for byte."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

STATIC = Path(__file__).parents[2] / "server" / "static"
FOLDERS = (STATIC / "graphiql" / "vendor", STATIC / "page" / "vendor")
#: Types of the files beside them, and licences.
OURS = re.compile(r"\.d\.m?ts$|^LICENSES\.txt$")
UNPACKED = STATIC / "graphiql" / "unpacked"
ROW = re.compile(r"^\| `(?P<name>[^`]+)` \|.*\| `(?P<digest>[0-9a-f]{64})` \|$", re.MULTILINE)
FONT = re.compile(rb"url\((?P<name>[0-9a-f]{16})\.(?P<kind>woff2?)\)")


def test_vendored_files_are_unchanged_and_listed() -> None:
    listed = dict(ROW.findall((STATIC / "README.md").read_text(encoding="utf-8")))
    paths = [path for folder in FOLDERS for path in folder.iterdir() if not OURS.search(path.name)]
    files = {path.name: path.read_bytes() for path in paths}
    files["unpacked/graphiql.min.css"] = FONT.sub(_packed, (UNPACKED / "graphiql.min.css").read_bytes())
    assert listed == {name: sha256(content).hexdigest() for name, content in files.items()}


def test_fonts_are_named_by_their_hash_and_used() -> None:
    fonts = {path.name: path.read_bytes() for path in UNPACKED.iterdir() if path.suffix != ".css"}
    assert all(sha256(content).hexdigest().startswith(name.partition(".")[0]) for name, content in fonts.items())
    used = FONT.findall((UNPACKED / "graphiql.min.css").read_bytes())
    assert {b".".join(one).decode() for one in used} == set(fonts)


def _packed(font: re.Match[bytes]) -> bytes:
    """Return the font as it is in the published style sheet."""
    content = (UNPACKED / f"{font['name'].decode()}.{font['kind'].decode()}").read_bytes()
    return b"url(data:font/%b;base64,%b)" % (font["kind"], b64encode(content))
