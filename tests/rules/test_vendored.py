"""The vendored files for browsers are those of the README's table, byte for byte."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

STATIC = Path(__file__).parents[2] / "server" / "static"
FOLDERS = (STATIC / "graphiql" / "vendor", STATIC / "page" / "vendor")
#: Types of the files beside them, and licences.
OURS = re.compile(r"\.d\.m?ts$|^LICENSES\.txt$")
ROW = re.compile(r"^\| `(?P<name>[^`]+)` \|.*\| `(?P<digest>[0-9a-f]{64})` \|$", re.MULTILINE)


def test_vendored_files_are_unchanged_and_listed() -> None:
    listed = dict(ROW.findall((STATIC / "README.md").read_text(encoding="utf-8")))
    files = [path for folder in FOLDERS for path in folder.iterdir() if not OURS.search(path.name)]
    assert listed == {path.name: sha256(path.read_bytes()).hexdigest() for path in files}
