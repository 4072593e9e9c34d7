"""Spans for an OpenTelemetry collector, by its own SDK, which its own environment variables configure (``OTEL_…``).

Imported where an exporter is configured, and nowhere else: it is large, and installed by ``requirements/tracing.txt``.
A span tells names, ids and codes. Messages, parameters and results stay with the ledger.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx
from opentelemetry import trace as otel
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor, RequestInfo
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from services import tracing

_DEFAULTS = {
    "OTEL_SERVICE_NAME": "async-actions",
    "OTEL_EXPORTER_OTLP_TIMEOUT": "3",  # seconds, for which a process that ends may wait for a collector that is away
    "OTEL_SEMCONV_STABILITY_OPT_IN": "http",  # the names that HTTP's attributes have by now
}
_KINDS = {"server": SpanKind.SERVER, "producer": SpanKind.PRODUCER, "consumer": SpanKind.CONSUMER}
_PROPAGATOR = TraceContextTextMapPropagator()
_provider: TracerProvider | None = None


def start() -> None:
    """Send spans from now on, in this process: for each one that is forked, this is called in it.

    Calls that are made with httpx have spans of their own, and tell the third party of them.
    """
    global _provider  # noqa: PLW0603  a process has one exporter
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    _provider = TracerProvider()
    _provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    HTTPXClientInstrumentor().instrument(tracer_provider=_provider, request_hook=_leave_out_query)
    tracing.listen(_Spans(_provider.get_tracer("async_actions")))


def flush() -> None:
    """Send what has not been sent: this process is about to end."""
    if _provider is not None:
        _provider.force_flush()


class _Spans:
    """Listens to what the service says of spans."""

    def __init__(self, tracer: otel.Tracer) -> None:
        self._tracer = tracer

    @contextmanager
    def span(
        self, name: str, kind: str, trace: str | None, attributes: Mapping[str, str | int]
    ) -> Iterator[str | None]:
        carrier = {"traceparent": trace} if trace else {}
        with self._tracer.start_as_current_span(
            name,
            context=_PROPAGATOR.extract(carrier) if trace else None,
            kind=_KINDS[kind],
            attributes=dict(attributes),
            record_exception=False,
            set_status_on_exception=False,
        ):
            own: dict[str, str] = {}
            _PROPAGATOR.inject(own)
            yield own.get("traceparent")

    def note(self, name: str | None, attributes: Mapping[str, str | int], failure: str | None) -> None:
        span = otel.get_current_span()
        span.set_attributes(attributes)
        if name is not None:
            span.update_name(name)
        if failure is not None:
            span.set_status(Status(StatusCode.ERROR, failure))


def _leave_out_query(span: otel.Span, request: RequestInfo) -> None:
    """Keep what a third party is asked for out of the span: an address, say, or a name."""
    address = httpx.URL(str(request.url))  # of a client's call it is a URL, though not by its type
    span.set_attribute("url.full", str(address.copy_with(query=None, fragment=None, userinfo=b"")))
