"""npm `graphql-http` audits `/graphql` by all its rules of GraphQL over HTTP."""

from __future__ import annotations

import pytest

from tests.clients.node_script import run_script

pytestmark = pytest.mark.node

#: The number of rules in version 1.23.
RULES = 61


async def test_audit_finds_every_rule_kept(server_url: str) -> None:
    async with run_script("graphql_http_audit.mjs", {"url": f"{server_url}/graphql"}) as script:
        done = await script.wait_for("done", units=30)
        await script.finish()
    audited = [report for report in script.reports if report["at"] == "audited"]
    broken = [report for report in audited if report["status"] != "ok"]
    print(f"graphql-http audit: {done['passed']} of {done['rules']}")
    assert not broken
    assert (done["passed"], done["rules"], len(audited)) == (RULES, RULES, RULES)
