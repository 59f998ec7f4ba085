"""The dashboard's clients. Their events of agents must be the expected ones, and their overviews must be equal.

Overviews are conflated by time, so their number is not fixed. But all subscribers of one range get the same ones,
between the same events. Only the first overview differs per subscriber.
"""

from __future__ import annotations

from tests.equivalence.comparing import assert_same
from tests.equivalence.graphql_readers import DASHBOARD_EVENTS, GraphqlSocket, has_field
from tests.equivalence.mapping import MEMBERS, Json
from tests.equivalence.model import Expected
from tests.equivalence.raw_readers import RawDashboardSocket, RawDashboardStream
from tests.equivalence.reader import Reader
from tests.kit.raw_http import Address

__all__ = ["Dashboards"]


class _GraphqlDashboard(GraphqlSocket):
    exit = "dashboardEvents"


class Dashboards:
    """A client on each exit of the dashboard."""

    def __init__(self, address: Address) -> None:
        """Watch the dashboard of the server at `address`."""
        self.readers: list[Reader] = [RawDashboardStream(address), RawDashboardSocket(address)]
        if has_field("dashboardEvents"):
            self.readers.append(_GraphqlDashboard(address, document=DASHBOARD_EVENTS))
        #: The expected events of agents in this step.
        self.due: list[Expected] = []

    async def open(self) -> None:
        """Connect all clients. The first events of each are its own."""
        for reader in self.readers:
            await reader.open()
            assert _plain(await reader.event())["type"] == "hello"
            assert _plain(await reader.event())["type"] == "dashboard_overview"

    async def skip(self) -> None:
        """Skip everything up to the expected event: clients that connect one after the other may miss an overview."""
        due, self.due = self.due, []
        for reader in self.readers:
            await _up_to(reader, len(due))

    async def compare(self) -> None:
        """Read from every exit up to the last expected event of agents, and compare."""
        due, self.due = self.due, []
        first = await _up_to(self.readers[0], len(due))
        agents = [{"type": event["type"], "payload": event["payload"]} for event in first if _is_of_agents(event)]
        assert_same(self.readers[0].exit, agents, [{"type": one.type, "payload": one.payload} for one in due])
        for reader in self.readers[1:]:
            assert_same(reader.exit, await _up_to(reader, len(due)), first)

    async def aclose(self) -> None:
        """Close all clients."""
        for reader in self.readers:
            await reader.aclose()


async def _up_to(reader: Reader, count: int) -> list[Json]:
    """Return everything up to this many events of agents, in the raw shape."""
    found: list[Json] = []
    while count:
        found += [_plain(event) for event in await reader.take(1)]
        count -= _is_of_agents(found[-1])
    return found


def _is_of_agents(event: Json) -> bool:
    return bool(event["type"] != "dashboard_overview")


_TYPES = {name: type for type, (name, _) in MEMBERS.items()} | {"Overview": "dashboard_overview"}


def _plain(event: Json) -> Json:
    """Return an event in the raw shape; of an overview, only the time at which it was made."""
    type = event.get("type") or _TYPES[event["__typename"]]
    payload = event.get("payload") or event.get("overview") or _agent(event)
    if type == "dashboard_overview":
        payload = {"generatedAt": payload["generatedAt"]}
    return {"type": type, "payload": payload, "cursor": event.get("cursor")}


def _agent(event: Json) -> Json:
    payload = {key: value for key, value in event.items() if key not in ("__typename", "cursor")}
    return payload | ({"kind": payload["kind"].lower()} if "kind" in payload else {})
