"""What Prometheus scrapes. No part of the API, and so not in its document: clients have no use for it.

Before Django and its routes: who scrapes calls each process's machine by its address, which is no host of the service.
"""

from collections.abc import Callable, Iterable
from typing import Any

from services.metrics import exposition
from services.metrics.ledger import LedgerCollector

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_ledger = LedgerCollector()


def answering_metrics(application: Application) -> Application:
    """Return the WSGI application, which answers whoever has METRICS_TOKEN at /metrics.

    With what this server's processes have counted, and what the ledger says. To everybody else there is nothing there.
    """

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if not exposition.is_asked(environ):
            return application(environ, start_response)
        return exposition.respond(start_response, _ledger)

    return answer
