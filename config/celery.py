"""The Celery application: what ``celery -A config worker`` runs and what publishes messages."""

import logging
import os
from typing import Any
from urllib.parse import urlsplit

import django
from billiard.util import get_logger
from celery import Celery
from celery.signals import import_modules, setup_logging, worker_process_init, worker_process_shutdown
from django.conf import settings

import config.redis  # noqa: F401  its transport takes the place of Kombu's
from config import traces
from config.amqp import REPLY_TIMEOUT
from config.start import refusing_wrong_configuration
from services.metrics import sharing

# Seconds. A request publishes while its client waits, so a broker that is away must be noticed soon.
_CONNECT_TIMEOUT = 1.0

# An outage is noticed at once where a message is published, because the ledger keeps what could not be; Kombu's own
# waiting for a broker would hang the request.
_NO_PATIENCE = {"max_retries": 0, "interval_start": 0, "interval_step": 0, "interval_max": 0}

_REDIS_OPTIONS = {
    **_NO_PATIENCE,
    "socket_connect_timeout": _CONNECT_TIMEOUT,
    # A worker's blocking pop is answered by the server within a second and read only then: this does not disturb it.
    "socket_timeout": REPLY_TIMEOUT,
    "socket_keepalive": True,
    "health_check_interval": 10,
}
_AMQP_OPTIONS = {
    **_NO_PATIENCE,
    # Without it, what RabbitMQ refuses is lost without an error.
    "confirm_publish": True,
}

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


@import_modules.connect(weak=False)
def _import_actions(**_: object) -> None:
    """Set Django up and import the modules of actions, and so the tasks that they use; a worker knows no others.

    Connected before Celery's own fixup for Django, which would log a traceback and go on without them.
    """
    with refusing_wrong_configuration():
        if settings.METRICS_TOKEN:
            # A worker's processes are this one and those that it forks. Nothing is counted before.
            sharing.share(settings.VAR_DIR / "metrics" / f"worker-{os.getpid()}")
        logging.captureWarnings(True)
        django.setup()
        from api import catalogue  # noqa: PLC0415  it needs Django set up

        catalogue.load(settings.ACTION_MODULES)


worker_process_init.connect(traces.start, weak=False)
worker_process_shutdown.connect(traces.flush, weak=False)

app = Celery("async_actions", task_cls="tasks.base:BaseTask")
# Threads of the web server have no current application of their own.
app.set_default()
app.steps["worker"].add("tasks.recovery_step:RecoveryStep")
app.steps["worker"].add("tasks.watchdog_step:WatchdogStep")
app.steps["worker"].add("tasks.metrics_step:MetricsStep")
app.steps["consumer"].add("tasks.strategy_step:LedgerTasksOnlyStep")
app.steps["consumer"].add("tasks.pool_step:PoolStep")
app.steps["consumer"].add("tasks.watchdog_step:EventLoopStep")


def configuration() -> dict[str, Any]:
    """Return Celery's settings; read when they are first needed, so that importing this package needs no settings."""
    with refusing_wrong_configuration():
        return {
            "broker_url": settings.BROKER_URL,
            "broker_connection_timeout": _CONNECT_TIMEOUT,
            "broker_pool_acquire_timeout": REPLY_TIMEOUT,
            "broker_transport_options": _transport_options(settings.BROKER_URL),
            "broker_connection_retry_on_startup": True,
            "broker_connection_max_retries": None,
            # The ledger holds the results and takes up what was lost.
            "result_backend": None,
            "task_ignore_result": True,
            "task_acks_late": False,
            "task_publish_retry": False,
            "task_default_queue": settings.TASK_DEFAULT_QUEUE,
            "task_routes": {"interventions.*": {"queue": settings.OPERATIONS_QUEUE}},
            "task_create_missing_queues": True,
            "task_serializer": "json",
            "accept_content": ["json"],
            "event_serializer": "json",
            "worker_prefetch_multiplier": 1,
            "worker_cancel_long_running_tasks_on_connection_loss": False,
            "worker_send_task_events": False,
            # Whoever writes to the broker shall not command workers either.
            "worker_enable_remote_control": False,
            "worker_hijack_root_logger": False,
            "worker_redirect_stdouts": False,
            "timezone": settings.TIME_ZONE,
            "enable_utc": True,
            # Read by Celery's fixup for Django, under this name: it closes the connection around every task otherwise.
            "CELERY_DB_REUSE_MAX": settings.WORKER_DATABASE_REUSE_MAX,
        }


app.add_defaults(configuration)


def _transport_options(broker: str) -> dict[str, Any]:
    return dict(_AMQP_OPTIONS if urlsplit(broker).scheme.startswith("amqp") else _REDIS_OPTIONS)


@setup_logging.connect(weak=False)
def _leave_logging_to_django(**_: object) -> None:
    """Be connected: Celery then leaves alone what Django's settings have set up.

    Its pool would write past that: the logger for lost children passes nothing on unless it is told to.
    """
    pool_logger = get_logger()
    pool_logger.propagate = True
    pool_logger.setLevel(logging.ERROR)
