"""Actions that are worth being seen."""

import logging
import os
import signal
from typing import Any

import httpx
from celery import shared_task
from rest_framework import serializers

from api.actions import ActionApi
from tasks.chainable import chainable

logger = logging.getLogger(__name__)


@shared_task(name="observation.die_once", bind=True, retry_on_worker_lost=True)
def die_once(self: Any) -> str:
    """Kill the process that runs this, at the first attempt. Then say what a third party hears of the trace."""
    if vars(self.request)["claim"].attempt == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    collector = os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"]
    return httpx.get(f"{collector}/echo?email=ada@example.com", trust_env=False).text


@shared_task(name="observation.fail")
def fail(secret: str) -> None:
    """Log what should not be logged, and fail."""
    logger.warning("The password=%s is\n%r", secret, {"api_key": secret})
    raise ValueError(f"token={secret}")


@chainable
def stumble() -> Any:
    return die_once.si()


@chainable
def blunder(text: str) -> Any:
    return fail.si(text)


class StumbleApi(ActionApi):
    """Lose a worker's process, and go on."""

    name = "stumble"
    canvas = stumble

    class InputSerializer(serializers.Serializer):
        pass

    OutputSerializer = serializers.CharField()


class BlunderApi(ActionApi):
    """Fail, and say too much."""

    name = "blunder"
    canvas = blunder

    class InputSerializer(serializers.Serializer):
        text = serializers.CharField()

    OutputSerializer = serializers.CharField()
