"""A worker's own numbers: those of its main process and its pool children, served by the main process."""

import os
from socket import AF_INET6
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from celery import bootsteps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from prometheus_client.exposition import ThreadingWSGIServer

from services.metrics import exposition

_PATIENCE = 5.0  # seconds for which one who asks may be silent


class _Server(ThreadingWSGIServer):
    request_queue_size = 16


class _ServerOfIPv6(_Server):
    address_family = AF_INET6


class _Handler(WSGIRequestHandler):
    timeout = _PATIENCE

    def log_message(self, *_: Any) -> None:
        """Write nothing: who scrapes does so every few seconds."""


def answer(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Show the metrics to whoever has METRICS_TOKEN, and nothing to everybody else (WSGI)."""
    if exposition.is_asked(environ):
        return exposition.respond(start_response)
    start_response("404 Not Found", [("Content-Type", "text/plain")])
    return [b"There is nothing here.\n"]


class MetricsStep(bootsteps.StartStopStep):
    """Serves until the process exits: what happens while a worker drains is counted too."""

    def include_if(self, parent: Any) -> bool:
        """Tell whether an address is given."""
        del parent
        return settings.METRICS_WORKER_ADDRESS is not None

    def start(self, worker: Any) -> None:
        """Listen. An address that is taken ends the worker: nobody would see its numbers."""
        del worker
        host, port = settings.METRICS_WORKER_ADDRESS or ("", 0)
        server_class = _ServerOfIPv6 if ":" in host else _Server
        try:
            server = make_server(host, port, answer, server_class, handler_class=_Handler)
        except OSError as error:
            raise ImproperlyConfigured(
                f"METRICS_WORKER_ADDRESS cannot be listened at ({error})."
                " Give each worker on a machine a port of its own."
            ) from error
        # A child that outlives the worker must not keep the port from the next one.
        os.register_at_fork(after_in_child=server.socket.close)
        Thread(target=server.serve_forever, name="metrics", daemon=True).start()
