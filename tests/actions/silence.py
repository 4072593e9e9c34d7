"""A worker a part of which falls silent once the gate that ``FALLS_SILENT`` names is open: see ``chaos.gates``."""

import logging
import os
import time
from pathlib import Path
from typing import Any

from celery import bootsteps
from django.conf import settings

from config import celery_app
from services import recovery

logger = logging.getLogger(__name__)

FELL_SILENT = "Here falls something silent."
PARTS = ("recovery", "event loop", "consumer")
_part = os.environ.get("FALLS_SILENT", "")
_publish_due = recovery.publish_due


def gate_of(part: str) -> Path:
    """Return the file that makes the part of a worker fall silent."""
    return Path(settings.VAR_DIR) / f"{part} is silent"


def _hang() -> None:
    if gate_of(_part).exists():
        logger.info(FELL_SILENT)
    while gate_of(_part).exists():
        time.sleep(0.1)


def _hang_or_publish_due() -> bool:
    _hang()
    return _publish_due()


class SilenceStep(bootsteps.StartStopStep):
    """Hangs the event loop, or has the consumer lose its subscription."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def start(self, consumer: Any) -> None:
        if _part == "event loop":
            consumer.hub.call_repeatedly(0.1, _hang)
        if _part == "consumer":
            consumer.hub.call_repeatedly(0.1, self._unsubscribe, consumer)

    def _unsubscribe(self, consumer: Any) -> None:
        if gate_of(_part).exists():
            consumer.task_consumer.cancel()
            logger.info(FELL_SILENT)


if _part:
    celery_app.steps["consumer"].add(SilenceStep)
if _part == "recovery":
    recovery.publish_due = _hang_or_publish_due
