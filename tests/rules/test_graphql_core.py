"""The folder `graphql/` in the root does not hide the library of the same name."""

from __future__ import annotations

from pathlib import Path

import graphql

from tests.rules.trees import REPOSITORY


def test_import_of_graphql_finds_the_library() -> None:
    assert graphql.version_info.major == 3
    assert not Path(graphql.__file__).is_relative_to(REPOSITORY / "graphql")
