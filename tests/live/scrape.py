"""The samples of `/metrics`, as numbers by name and labels."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from tests.kit.raw_http import Address, exchange

__all__ = ["Key", "Samples", "key", "samples"]

#: Name and labels of a sample.
Key = tuple[str, frozenset[tuple[str, str]]]
Samples = dict[Key, float]


def key(name: str, **labels: str) -> Key:
    """Return the key of one of our metrics; `name` without their common prefix."""
    return f"boardcast_{name}", frozenset(labels.items())


async def samples(address: Address) -> Samples:
    """Return the samples above zero, except those of histograms and of the process itself."""
    text = (await exchange(address, "GET", "/metrics")).body.decode()
    families = text_string_to_metric_families(text)
    # Without the name of the node, which is that of `address`.
    found = (
        (one.name, frozenset(one.labels.items() - {("node", one.labels.get("node"))}), one.value)
        for family in families
        if family.type != "histogram"
        for one in family.samples
    )
    return {(name, labels): value for name, labels, value in found if value and name.startswith("boardcast_")}
