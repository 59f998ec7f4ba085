"""A client that left must leave nothing behind in hub, views, watches, tasks and file descriptors."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import anyio.lowlevel

from realtime.node import Node
from tests.kit.deadline import deadline

__all__ = ["Holdings", "check_settled", "holdings"]

_SETTLE_UNITS = 20
#: sse-starlette has one of these for each event loop.
_OF_LIBRARIES = {"_shutdown_watcher"}


@dataclass(frozen=True)
class Holdings:
    """The resources that the process holds at one moment."""

    subscribers: int
    channels: int
    lifetimes: int
    views: int
    dashboards: int
    tasks: frozenset[str]
    descriptors: int


def holdings(node: Node) -> Holdings:
    """Count the resources."""
    statistics = node.hub.statistics()
    return Holdings(
        subscribers=statistics.subscribers,
        channels=statistics.channels,
        lifetimes=len(node.lifetimes),
        views=len(node.views),
        dashboards=len(node.dashboard.channels()),
        tasks=frozenset(
            f"{_name(task)} {id(task)}" for task in asyncio.all_tasks() if _name(task) not in _OF_LIBRARIES
        ),
        descriptors=len(list(Path("/proc/self/fd").iterdir())),
    )


async def check_settled(node: Node, before: Holdings, clients: int = 0) -> None:
    """Return when the process holds what it held before, and nothing more.

    Args:
        node: the node of the subscribers.
        before: the earlier resources.
        clients: connections that the test has opened since then and whose own end it still holds.
    """
    before = replace(before, descriptors=before.descriptors + clients)
    now = holdings(node)
    try:
        async with deadline(_SETTLE_UNITS):
            while (now := holdings(node)) != before:
                await anyio.lowlevel.checkpoint()
    except TimeoutError:
        raise AssertionError(f"expected {before}, {now} is held") from None


def _name(task: asyncio.Task[Any]) -> str:
    name: str = getattr(task.get_coro(), "__qualname__", "")
    return name
