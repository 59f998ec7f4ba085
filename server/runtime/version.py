"""The version of the installed distribution."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

__all__ = ["boardcast_version"]


def boardcast_version() -> str:
    """Return the version; `0+unknown` in a checkout that is not installed."""
    try:
        return version("boardcast")
    except PackageNotFoundError:
        return "0+unknown"
