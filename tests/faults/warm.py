"""Work that every server would repeat, done once in the process from which all servers are forked.

The work happens at import, because the fork server can only import modules.
"""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import server.process  # noqa: F401 - imported for the forked processes
from realtime.backends.sql.store import SqlStore
from schema.root import make_schema


async def _migrate() -> None:
    # Opening a store imports modules and compiles statements.
    with TemporaryDirectory() as folder:
        store = SqlStore(f"sqlite:///{Path(folder) / 'warm.db'}")
        await store.open()
        await store.aclose()


_schema = make_schema()
patch("server.process.make_schema", lambda: _schema).start()
asyncio.run(_migrate())
# These objects live for ever. A collection that visits them would copy their pages into each process.
gc.freeze()
