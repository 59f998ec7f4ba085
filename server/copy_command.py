"""`boardcast copy`: an installation moves into another database, while no server has one of them."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence

from realtime.errors import StoreUnavailable, StoreUnusable, UnitConflict
from server.runtime.logs import set_up_logs
from server.wiring import copy_database

__all__ = ["run_copy_command"]

EXIT_USAGE = 2


def run_copy_command(arguments: Sequence[str]) -> None:
    """Run `boardcast copy` with `arguments`; a database that cannot be used ends it with one line and exit code 2."""
    parser = argparse.ArgumentParser("boardcast copy", description="Copy an installation into an empty database.")
    parser.add_argument("--from", dest="source", required=True, help="URL of the database; no server may have it")
    parser.add_argument("--to", dest="target", required=True, help="URL of an empty database, of any kind")
    asked = parser.parse_args(arguments)
    set_up_logs("warning")
    try:
        boards, events = asyncio.run(copy_database(asked.source, asked.target))
    except (StoreUnavailable, StoreUnusable, UnitConflict) as error:
        print(f"boardcast: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(EXIT_USAGE)
    print(f"copied {boards} boards and {events} events")
