"""An OpenTelemetry collector, as far as OTLP over HTTP needs one: it keeps the spans that it is sent."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, NamedTuple, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Message
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from stack.ports import LOCALHOST


class Span(NamedTuple):
    """A span, with its ids in hexadecimal. ``parent`` is empty at the beginning of a trace."""

    name: str
    kind: str
    trace: str
    id: str
    parent: str
    failure: str
    attributes: dict[str, Any]

    @classmethod
    def of(cls, message: Message) -> Self:
        failure = message.status.message if message.status.code == Status.STATUS_CODE_ERROR else ""
        return cls(
            message.name,
            Message.SpanKind.Name(message.kind).removeprefix("SPAN_KIND_").lower(),
            message.trace_id.hex(),
            message.span_id.hex(),
            message.parent_span_id.hex(),
            failure,
            {item.key: item.value.string_value or item.value.int_value for item in message.attributes},
        )


class Collector:
    """Listens at ``url`` from its beginning to its end."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self._server = ThreadingHTTPServer((LOCALHOST, 0), self._handler())
        self.url = f"http://{LOCALHOST}:{self._server.server_port}"

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def spans(self, trace: str) -> list[Span]:
        """Return what it was sent of a trace."""
        found = []
        for body in list(self.received):
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                found += [Span.of(message) for scope in resource.scope_spans for message in scope.spans]
        return [span for span in found if span.trace == trace]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        received = self.received

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.path == "/v1/traces":
                    received.append(body)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_GET(self) -> None:
                """Answer with the trace that the caller says it works for."""
                body = self.headers.get("traceparent", "").encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler
