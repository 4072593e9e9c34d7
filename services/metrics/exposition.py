"""What is shown to whoever scrapes, in Prometheus' text format."""

import hmac
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from services.metrics import sharing


def is_asked(environ: Mapping[str, Any]) -> bool:
    """Tell whether a request (WSGI) asks for the metrics and has METRICS_TOKEN. Where there is none, nobody has it."""
    expected = f"Bearer {settings.METRICS_TOKEN}"
    given = environ.get("HTTP_AUTHORIZATION", "")
    return (
        (environ["REQUEST_METHOD"], environ["PATH_INFO"]) == ("GET", "/metrics")
        and bool(settings.METRICS_TOKEN)
        and hmac.compare_digest(given.encode(), expected.encode())
    )


def respond(start_response: Callable[..., Any], *collectors: Collector) -> list[bytes]:
    """Show what this process and the others of its family have counted, and what the ``collectors`` have to say."""
    registry = CollectorRegistry()
    if folder := sharing.folder():
        MultiProcessCollector(registry, path=str(folder))  # type: ignore[no-untyped-call]
    for collector in collectors:
        registry.register(collector)
    text = generate_latest(registry)
    start_response("200 OK", [("Content-Type", CONTENT_TYPE_LATEST), ("Content-Length", str(len(text)))])
    return [text]
