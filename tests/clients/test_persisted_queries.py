"""Apollo's link for persisted queries: where there are none, it sends the document, and does not ask again."""

from __future__ import annotations

import pytest

from tests.clients.node_script import run_script
from tests.clients.operations import read_operation

pytestmark = pytest.mark.node


@pytest.mark.parametrize("get", [False, True], ids=["post", "get"])
async def test_apollo_falls_back_to_the_document(server_url: str, get: bool) -> None:
    settings = {"url": f"{server_url}/graphql", "query": read_operation("Projects"), "get": get}
    async with run_script("apollo_persisted.mjs", settings) as script:
        await script.wait_for("done")
        await script.finish()
    asked = [one for one in script.reports if one["at"] == "asked"]
    first, *others = (one["body"] or {} for one in asked)
    assert "persistedQuery" in (asked[0]["url"] if get else first["extensions"])
    assert "query" not in first
    assert ["query" in one for one in others] == [True, True]
    results = [one["data"] for one in script.reports if one["at"] == "result"]
    assert [one["projects"]["nodes"] for one in results] == [[], []]
