"""npm `graphql-http` audits `/graphql`: every rule of GraphQL over HTTP that its authors test servers by."""

from __future__ import annotations

import pytest

from tests.clients.node_script import run_script

pytestmark = pytest.mark.node

#: How many rules version 1.23 has.
RULES = 61


async def test_audit_finds_every_rule_kept(server_url: str) -> None:
    async with run_script("graphql_http_audit.mjs", {"url": f"{server_url}/graphql"}) as script:
        done = await script.hear("done", units=30)
        await script.finish()
    audited = [told for told in script.heard if told["at"] == "audited"]
    broken = [told for told in audited if told["status"] != "ok"]
    print(f"graphql-http audit: {done['kept']} of {done['rules']}")
    assert not broken
    assert (done["kept"], done["rules"], len(audited)) == (RULES, RULES, RULES)
