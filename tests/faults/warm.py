"""Done once, in the process from which all servers are forked: what each of them would do again, to the same effect.

Importing this does the work: the fork server can do nothing but import.
"""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import server.process  # noqa: F401 - imported for those who are forked
from realtime.backends.sql.store import SqlStore
from schema.root import make_schema


async def _migrate() -> None:
    # For what it imports and compiles on the way.
    with TemporaryDirectory() as folder:
        store = SqlStore(f"sqlite:///{Path(folder) / 'warm.db'}")
        await store.open()
        await store.aclose()


_schema = make_schema()
patch("server.process.make_schema", lambda: _schema).start()
asyncio.run(_migrate())
# What is here will never be garbage; looking at it would copy it into each process.
gc.freeze()
