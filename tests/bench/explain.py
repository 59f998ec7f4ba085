"""`python -m tests.bench.explain`: the plan of every statement of the store on large tables, in both databases.

It fills a database with 100,000 attempts and 1,000,000 events, calls everything that a store can do, and prints each
statement that would read a whole large table or index. The exit status is 1 if a scan has no reason in `ALLOWED`.
`tests/contract/test_plans.py` does the same with few rows.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.kit.large_tables import FEW, MANY, Rows, fill
from tests.kit.nodes import open_store
from tests.kit.plans import Scan, Statement, recorded, scans
from tests.kit.postgres_server import running_postgres
from tests.kit.store_calls import use_everything

__all__ = ["ALLOWED", "LARGE", "plans", "unreasoned"]

#: Tables that grow with the use of an installation.
LARGE = frozenset(
    {
        *("attempts", "attempt_counts", "board_tags", "cards", "columns", "conversation", "dependencies", "events"),
        *("gone_attempts", "logs", "request_keys", "sessions", "snapshots", "todos"),
    }
)
_BY_COLUMN = "GROUP BY cards.board_id, cards.column_id"
_ACTIVE = "ORDER BY attempts.updated_at DESC, attempts.sequence LIMIT"
#: (table, part of the statement) → why the statement may read all of it.
ALLOWED: dict[tuple[str, str], str] = {
    ("cards", _BY_COLUMN): "the dashboard counts all cards by column, from an index",
    ("columns", _BY_COLUMN): "the dashboard counts all cards by title of column",
    ("attempts", _ACTIVE): "the first entries of the index of active attempts",
    ("cards", _ACTIVE): "PostgreSQL finds it cheaper than to look up the cards of some hundred attempts",
}


async def plans(url: str, rows: Rows) -> dict[str, Statement]:
    """Fill the empty database at `url`, and return every statement that its store runs."""
    async with open_store(url) as store:
        await fill(store, rows)
        if url.startswith("postgresql:"):
            _take_statistics(url, rows)
        with recorded() as statements:
            await use_everything(store)
    return statements


def _take_statistics(url: str, rows: Rows) -> None:
    """Let PostgreSQL know how many rows there are; of few rows it believes that they are many."""
    with psycopg.connect(url, autocommit=True) as connection:
        if rows is FEW:
            of = (
                "relname = ANY(%s) OR oid IN (SELECT indexrelid FROM pg_index WHERE indrelid::regclass::text = ANY(%s))"
            )
            connection.execute(f"UPDATE pg_class SET reltuples = 1e6, relpages = 1 WHERE {of}", [sorted(LARGE)] * 2)
        else:
            connection.execute("ANALYZE")


def unreasoned(found: Collection[Scan]) -> list[Scan]:
    """Return the scans of large tables that have no reason."""
    return [one for one in found if one.table in LARGE and _reason(one) is None]


def _reason(scan: Scan) -> str | None:
    reasons = (why for (table, part), why in ALLOWED.items() if table == scan.table and part in scan.shape)
    return next(reasons, None)


@contextmanager
def _databases() -> Iterator[dict[str, str]]:
    with tempfile.TemporaryDirectory() as folder, running_postgres(shared_buffers="256MB") as server:
        server.run("CREATE DATABASE explain")
        yield {"SQLite": f"sqlite:///{Path(folder) / 'explain.db'}", "PostgreSQL": server.url("explain")}


def main() -> None:
    """Print the scans of each database."""
    rows, missing = FEW if "--few" in sys.argv else MANY, 0
    with _databases() as urls:
        for name, url in urls.items():
            statements = asyncio.run(plans(url, rows))
            found = scans(url, statements.values(), by_index=rows is FEW)
            print(f"\n{name}: {len(statements)} statements with {rows.attempts} attempts and {rows.events} events")
            for one in found:
                if one.table in LARGE:
                    print(f"- {one.table} {one.by}: {_reason(one) or 'NO REASON'}\n    {one.shape}")
            missing += len(unreasoned(found))
    sys.exit(bool(missing))


if __name__ == "__main__":
    main()
