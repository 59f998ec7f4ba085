"""The promises of every store about its nodes (`ports.NodeBook`), and when a node counts as silent."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from realtime.backends.sql.store import SqlStore
from realtime.ports import StoredNode
from realtime.service.roster import SILENT_SECONDS, is_silent
from tests.kit.nodes import START


def node(name: str, seen: float = 0) -> StoredNode:
    """Return a node that was seen so many seconds after the start."""
    at = START + timedelta(seconds=seen)
    return StoredNode(f"id-{name}", name, "1.0", f"http://{name}:8000", START, at, {"readers": 3, "problem": "Ünï"})


async def test_nodes_come_back_by_name(store: SqlStore) -> None:
    assert await store.nodes.all() == []
    for name in ("b", "a"):
        await store.nodes.put(node(name), START)
    assert await store.nodes.all() == [node("a"), node("b")]


async def test_new_row_of_a_node_replaces_the_old_one_and_old_nodes_are_forgotten(store: SqlStore) -> None:
    for one in (node("a"), node("b", 1), node("c", 2)):
        await store.nodes.put(one, START)
    newer = replace(node("c", 9), figures={"readers": 4})
    await store.nodes.put(newer, START + timedelta(seconds=1))
    assert await store.nodes.all() == [node("b", 1), newer]


async def test_node_that_ends_is_removed(store: SqlStore) -> None:
    for name in ("a", "b"):
        await store.nodes.put(node(name), START)
    for id in ("id-a", "unknown"):
        await store.nodes.remove(id)
    assert await store.nodes.all() == [node("b")]


def test_node_without_a_new_row_is_silent() -> None:
    latest = START + timedelta(seconds=SILENT_SECONDS)
    assert not is_silent(node("a"), latest)
    assert is_silent(node("a"), latest + timedelta(milliseconds=1))
