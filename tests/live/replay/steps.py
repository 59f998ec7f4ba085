"""Turns a recorded scenario into steps in order of time, and inserts its departures."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

import orjson

from tests.kit.recordings import Json
from tests.live.replay.departures import Instead

__all__ = ["Step", "SubscriberPlan", "opening", "sse_plan", "ws_plan"]

Kind = Literal["receive", "receive_control", "send", "leave", "call", "publish"]

#: Events that the original's own listeners published after another event. This server does the same by itself.
_CONSEQUENCES = {"card.moved", "board.state.changed"}
_OPENING_TYPES = {"hello", "state", "attempt_status", "dashboard_overview"}
#: A new subscriber's envelopes came at once. The capture waited longer than this before its first action.
_OPENING_GAP_MS = 100


@dataclass(frozen=True)
class Step:
    """One step. `data`: an envelope, a frame, a REST call, events, or an answer that departs."""

    t_ms: float
    kind: Kind
    subscriber: str
    data: Any = None


@dataclass(frozen=True)
class SubscriberPlan:
    """One socket or stream: its request, and the answer."""

    label: str
    target: str
    request: Json
    response: Json
    steps: list[Step] = field(default_factory=list)

    @property
    def is_dashboard(self) -> bool:
        """Whether its stream began with an overview."""
        return any(step.kind == "receive" and step.data["type"] == "dashboard_overview" for step in self.steps)


def opening(subscriber: SubscriberPlan) -> list[Json]:
    """Return the envelopes that the subscriber got before the first action."""
    found: list[Json] = []
    for step in subscriber.steps:
        if step.kind != "receive" or step.data["type"] not in _OPENING_TYPES:
            break
        if step.t_ms - subscriber.steps[0].t_ms > _OPENING_GAP_MS:
            break
        found.append(step.data)
    return found


def ws_plan(scenario: Json, instead: Instead | None) -> tuple[list[SubscriberPlan], list[Step]]:
    """Return the sockets of a scenario and its steps."""
    subscribers = [_socket(recorded) for recorded in scenario["sockets"]]
    return subscribers, _arranged(scenario, subscribers, instead)


def sse_plan(scenario: Json, instead: Instead | None) -> tuple[list[SubscriberPlan], list[Step]]:
    """Return the streams of a scenario and its steps."""
    subscribers = [_stream(recorded) for recorded in scenario["streams"]]
    return subscribers, _arranged(scenario, subscribers, instead)


def _socket(recorded: Json) -> SubscriberPlan:
    handshake, label = recorded["handshake"], recorded["label"]
    subscriber = SubscriberPlan(label, handshake["request"]["target"], handshake["request"], handshake["response"])
    for frame in recorded.get("timeline", []):
        step = _socket_step(label, frame)
        if step is not None:
            subscriber.steps.append(step)
    return subscriber


def _socket_step(label: str, frame: Json) -> Step | None:
    t_ms, received = frame["t_ms"], frame["dir"] == "recv"
    if frame["opcode"] == "text" and received:
        return Step(t_ms, "receive", label, orjson.loads(frame["text"]))
    if received:
        return Step(t_ms, "receive_control", label, frame)
    if frame.get("text", "").startswith("<send failed"):
        return None
    return Step(t_ms, "leave" if frame["opcode"] == "close" else "send", label, frame)


def _stream(recorded: Json) -> SubscriberPlan:
    request, label = recorded["request"], recorded["label"]
    target = recorded["endpoint"] + (f"?{recorded['query']}" if recorded["query"] else "")
    subscriber = SubscriberPlan(label, target, request, recorded["response"])
    for block in recorded.get("blocks", []):
        event, _, data = block["raw"].removesuffix("\n\n").partition("\n")
        envelope = {"type": event.removeprefix("event: "), "payload": orjson.loads(data.removeprefix("data: "))}
        subscriber.steps.append(Step(block["t_ms"], "receive", label, envelope))
    left = recorded.get("closed_by_server_t_ms")
    if left is not None:
        # The client of the recording left. The recorded close of the server is only the end of its connection.
        subscriber.steps.append(Step(left, "leave", label))
    return subscriber


def _arranged(scenario: Json, subscribers: list[SubscriberPlan], instead: Instead | None) -> list[Step]:
    steps = [step for subscriber in subscribers for step in subscriber.steps]
    by_events = scenario["group"] == "attempt_lifecycle" or scenario["name"] == "wildcard_agent_events"
    if by_events:
        steps.append(_publication(scenario, steps))
        steps = [step for step in steps if step.kind != "send"]
    else:
        steps += _calls(scenario, subscribers)
    steps.sort(key=lambda step: step.t_ms)
    steps = _without_repeated_overviews(
        steps, {subscriber.label for subscriber in subscribers if subscriber.is_dashboard}
    )
    return _departed(steps, scenario, instead) if instead else steps


def _calls(scenario: Json, subscribers: list[SubscriberPlan]) -> list[Step]:
    """Return the REST calls. If the recorded time is that of the answer, the first call is moved before its effects."""
    calls = [Step(call["t_ms"], "call", "", call) for call in scenario.get("rest_calls") or []]
    caused = [step.t_ms for one in subscribers for step in one.steps[len(opening(one)) :] if step.kind == "receive"]
    if calls and caused and min(caused) < calls[0].t_ms:
        calls[0] = replace(calls[0], t_ms=min(caused) - 0.01)
    return calls


def _publication(scenario: Json, steps: list[Step]) -> Step:
    """Return the step that publishes, as a runner, the events of the original's own agent."""
    first = min(step.t_ms for step in steps if step.kind == "receive" and _is_consequence(step, steps))
    events = [one for one in scenario["domain_events"] if one["name"] not in _CONSEQUENCES | {"project.created"}]
    return Step(first - 0.01, "publish", "", events)


def _is_consequence(step: Step, steps: list[Step]) -> bool:
    """Whether the envelope is not one of the first envelopes of a new subscriber."""
    earlier = [
        one for one in steps if one.subscriber == step.subscriber and one.kind == "receive" and one.t_ms < step.t_ms
    ]
    return step.data["type"] not in {"hello", "state", "dashboard_overview"} and len(earlier) >= 2


def _without_repeated_overviews(steps: list[Step], dashboards: set[str]) -> list[Step]:
    """Keep only the first overview after each action.

    Their number depends on the machine and 150 ms (docs/protocol.md).
    """
    found: list[Step] = []
    due = dict.fromkeys(dashboards, True)
    for step in steps:
        if step.kind in {"send", "call", "publish"}:
            due = dict.fromkeys(due, True)
        if step.kind == "receive" and step.data["type"] == "dashboard_overview":
            if not due[step.subscriber]:
                continue
            due[step.subscriber] = False
        found.append(step)
    return found


def _departed(steps: list[Step], scenario: Json, instead: Instead) -> list[Step]:
    if scenario["group"] == "attempt_lifecycle":
        return _departed_attempt(steps, scenario, 5 in instead.numbers)
    departing = steps[0].subscriber if steps else ""
    found: list[Step] = []
    actions = -1
    for step in steps:
        acts = step.kind == "call" or (step.kind == "send" and step.subscriber == departing)
        actions += acts
        replaced = 0 <= actions < len(instead.answers)
        if not acts and step.kind.startswith("receive") and _is_replaced(step, departing, instead, actions, replaced):
            continue
        found.append(step)
        if acts and replaced:
            found += [Step(step.t_ms, "receive", departing, answer) for answer in instead.answers[actions]]
    return found


def _is_replaced(step: Step, departing: str, instead: Instead, actions: int, replaced: bool) -> bool:
    if step.subscriber in instead.silent:
        return actions >= 0
    return replaced and step.subscriber == departing


def _departed_attempt(steps: list[Step], scenario: Json, unchanged_is_silent: bool) -> list[Step]:
    """Apply rows 7 (`cardId` is always there) and 5 (a card that keeps its place sends no state)."""
    card_id = next(one["payload"]["cardId"] for one in scenario["domain_events"] if "cardId" in one["payload"])
    found: list[Step] = []
    columns: Any = None
    for step in steps:
        data = step.data
        if step.kind == "receive" and data["type"] == "attempt_status" and "cardId" not in data["payload"]:
            payload = data["payload"]
            data = {
                **data,
                "payload": {"attemptId": payload["attemptId"], "cardId": card_id, "status": payload["status"]},
            }
        if step.kind == "receive" and data["type"] == "state":
            if unchanged_is_silent and data["payload"]["columns"] == columns:
                continue
            columns = data["payload"]["columns"]
        found.append(Step(step.t_ms, step.kind, step.subscriber, data))
    return found
