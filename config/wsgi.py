"""What the web server serves."""

import logging
import os
from collections.abc import Callable, Iterable
from io import BytesIO
from time import perf_counter
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db.backends.signals import connection_created
from django.dispatch import receiver
from django.urls import get_resolver

from config import traces
from config.farewell import when_asked_to_end
from config.start import refusing_wrong_configuration
from services.metrics import sharing

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
with refusing_wrong_configuration():
    if settings.METRICS_TOKEN:
        # The web server's processes are those with one parent. Nothing is counted before.
        sharing.share(settings.VAR_DIR / "metrics" / f"web-{os.getppid()}")
    logging.captureWarnings(True)
    _django = get_wsgi_application()
    # Django would import the routes, and with them the actions, for the first request only.
    get_resolver().url_patterns  # noqa: B018

from api.metrics import answering_metrics
from api.observation import BEGAN
from reports.database import limit_lock_waits
from services import waiters
from services.connections import lent, start_lending

# Seconds that a client waits for a report that somebody keeps locked; then it is told to come again (503).
_LOCK_WAIT = 5.0

_application = answering_metrics(_django)


def _say_good_bye() -> None:
    waiters.dismiss()
    traces.flush()


traces.start()
start_lending(settings.WEB_DATABASE_CONNECTIONS)
when_asked_to_end(_say_good_bye)


@receiver(connection_created, weak=False)
def _limit_lock_waits(**_: object) -> None:
    """Keep the few connections of this process for all its clients, though many may want what one keeps locked."""
    limit_lock_waits(_LOCK_WAIT)


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Serve a request, with one of this process's connections to the database in its hand."""
    _receive(environ)
    environ[BEGAN] = perf_counter()
    with lent():
        return _application(environ, start_response)


def _receive(environ: dict[str, Any]) -> None:
    """Have the body here before the request takes a connection: its client may send it as slowly as it likes."""
    length = environ.get("CONTENT_LENGTH") or ""
    if length.isdecimal() and int(length) <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE:  # what is larger is refused unread
        environ["wsgi.input"] = BytesIO(environ["wsgi.input"].read(int(length)))
