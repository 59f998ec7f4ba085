"""The dashboard's clients. Their events of agents must be the expected ones, and their overviews must be equal.

Overviews are conflated by time, so their number is not fixed. But all subscribers of one range get the same ones,
between the same events. Only the first overview differs per subscriber.
"""

from __future__ import annotations

from tests.equivalence.comparing import assert_same
from tests.equivalence.graphql_subscribers import DASHBOARD_EVENTS, GraphqlSocket, has_field
from tests.equivalence.mapping import MEMBERS, Json
from tests.equivalence.model import Expected
from tests.equivalence.raw_subscribers import RawDashboardSocket, RawDashboardStream
from tests.equivalence.subscriber import Subscriber
from tests.kit.raw_http import Address

__all__ = ["Dashboards"]


class _GraphqlDashboard(GraphqlSocket):
    exit = "dashboardEvents"


class Dashboards:
    """A client on each exit of the dashboard."""

    def __init__(self, address: Address) -> None:
        """Watch the dashboard of the server at `address`."""
        self.subscribers: list[Subscriber] = [RawDashboardStream(address), RawDashboardSocket(address)]
        if has_field("dashboardEvents"):
            self.subscribers.append(_GraphqlDashboard(address, document=DASHBOARD_EVENTS))
        #: The expected events of agents in this step.
        self.due: list[Expected] = []

    async def open(self) -> None:
        """Connect all clients. The first events of each are its own."""
        for subscriber in self.subscribers:
            await self.begin(subscriber)

    async def begin(self, subscriber: Subscriber) -> None:
        """Connect one client."""
        await subscriber.open()
        assert _plain(await subscriber.event())["type"] == "hello"
        assert _plain(await subscriber.event())["type"] == "dashboard_overview"
        if subscriber.token_end is not None:
            warning = _plain(await subscriber.event())
            assert (warning["type"], warning["payload"]) == ("access", {"expiresAt": subscriber.token_end}), warning

    async def skip(self) -> None:
        """Skip everything up to the expected event: clients that connect one after the other may miss an overview."""
        due, self.due = self.due, []
        for subscriber in self.subscribers:
            await _up_to(subscriber, len(due))

    async def compare(self) -> None:
        """Read from every exit up to the last expected event of agents, and compare."""
        due, self.due = self.due, []
        first = await _up_to(self.subscribers[0], len(due))
        agents = [{"type": event["type"], "payload": event["payload"]} for event in first if _is_of_agents(event)]
        assert_same(self.subscribers[0].exit, agents, [{"type": one.type, "payload": one.payload} for one in due])
        for subscriber in self.subscribers[1:]:
            assert_same(subscriber.exit, await _up_to(subscriber, len(due)), first)

    async def aclose(self) -> None:
        """Close all clients."""
        for subscriber in self.subscribers:
            await subscriber.aclose()


async def _up_to(subscriber: Subscriber, count: int) -> list[Json]:
    """Return everything up to this many events of agents, in the raw shape."""
    found: list[Json] = []
    while count:
        found += [_plain(event) for event in await subscriber.take(1)]
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
    renamed = {"agentKey": "agent"}
    payload = {renamed.get(key, key): value for key, value in event.items() if key not in ("__typename", "cursor")}
    return payload | ({"kind": payload["kind"].lower()} if "kind" in payload else {})
