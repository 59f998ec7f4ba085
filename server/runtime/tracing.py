"""OpenTelemetry: a trace for each write unit, from command over commit to fan-out (docs/operating.md, "Traces").

Only a server with `--open-telemetry` imports this module: the libraries are an extra.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import Link, Span, StatusCode, Tracer, set_span_in_context
from opentelemetry.util.types import AttributeValue

from realtime.errors import Refused
from realtime.ports import WriteSpans
from server.runtime.version import boardcast_version

__all__ = ["Spans", "make_exporter", "tracing"]

_REFUSED = "boardcast.refused"


class Spans:
    """Implements `ports.WriteSpans` with a tracer."""

    def __init__(self, tracer: Tracer) -> None:
        """Make spans with `tracer`."""
        self._tracer = tracer
        #: The spans of the units whose callers wait, by the identity of the unit.
        self._units: dict[int, Span] = {}

    @contextmanager
    def unit(self, unit: object, boards: Collection[str], parts: int) -> Iterator[None]:
        """Note a unit; a refusal is no error of the server, so it is an attribute."""
        attributes: dict[str, AttributeValue] = {"boardcast.boards": sorted(boards), "boardcast.parts": parts}
        with self._tracer.start_as_current_span(
            "boardcast.command", attributes=attributes, record_exception=False, set_status_on_exception=False
        ) as span:
            self._units[id(unit)] = span
            try:
                yield
            except Refused as refused:
                span.set_attribute(_REFUSED, refused.code)
                raise
            except Exception as fault:
                span.set_status(StatusCode.ERROR, str(fault))
                raise
            finally:
                del self._units[id(unit)]

    @contextmanager
    def commit(self, units: Sequence[object]) -> Iterator[None]:
        """Note a commit in the trace of the first unit; it has links to the others."""
        with self._step("boardcast.commit", units, {"boardcast.units": len(units)}):
            yield

    @contextmanager
    def fan_out(self, units: Sequence[object], events: int) -> Iterator[None]:
        """Note a fan-out beside its commit."""
        with self._step("boardcast.fan_out", units, {"boardcast.events": events}):
            yield

    @contextmanager
    def _step(self, name: str, units: Sequence[object], attributes: dict[str, int]) -> Iterator[None]:
        # The caller of a unit may have gone; then its span has ended.
        spans = [span for unit in units if (span := self._units.get(id(unit))) is not None]
        context = set_span_in_context(spans[0]) if spans else None
        links = [Link(span.get_span_context()) for span in spans[1:]]
        with self._tracer.start_as_current_span(name, context=context, links=links, attributes=attributes):
            yield


def make_exporter() -> SpanExporter:
    """Return an exporter to the collector that the environment names (`OTEL_EXPORTER_OTLP_ENDPOINT`)."""
    return OTLPSpanExporter()


@asynccontextmanager
async def tracing() -> AsyncIterator[WriteSpans]:
    """Export spans for the length of the block, in a thread of their own; at its end, those that wait."""
    usual = Resource({"service.name": "boardcast", "service.version": boardcast_version()})
    provider = TracerProvider(resource=usual.merge(OTELResourceDetector().detect()), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(make_exporter()))
    try:
        yield Spans(provider.get_tracer("boardcast"))
    finally:
        await asyncio.to_thread(provider.shutdown)
