"""What every test shares: the event loop it runs on."""

from __future__ import annotations

import pytest

__all__ = ["anyio_backend"]


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run asynchronous tests and fixtures, of any scope, on asyncio: the loop of the server."""
    return "asyncio"
