"""Tasks that do not come to their end by themselves."""

import os
import signal
import sys
import time
from typing import Any

from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded

from tasks.base import BaseTask
from tests.actions import journal

_LONG = 100.0  # seconds; longer than any test waits


@shared_task(name="limits.sleep")
def sleep(seconds: float = _LONG, *, key: str) -> str:
    journal.write(f"{key} begins")
    time.sleep(seconds)
    journal.write(f"{key} ends")
    return key


@shared_task(name="limits.sleep_softly", soft_time_limit=1)
def sleep_softly(key: str) -> str:
    return sleep(key=key)


@shared_task(name="limits.sleep_hard", time_limit=1)
def sleep_hard(key: str) -> str:
    return sleep(key=key)


@shared_task(name="limits.sleep_deaf", soft_time_limit=1, time_limit=2)
def sleep_deaf(key: str) -> str:
    try:
        return sleep(key=key)
    except SoftTimeLimitExceeded:
        return sleep(key=key)


@shared_task(name="limits.sleep_until_told", soft_time_limit=1)
def sleep_until_told(key: str) -> str:
    try:
        return sleep(key=key)
    except SoftTimeLimitExceeded:
        return "was told"


@shared_task(
    name="limits.sleep_once",
    soft_time_limit=1,
    autoretry_for=(SoftTimeLimitExceeded,),
    default_retry_delay=0,
    bind=True,
)
def sleep_once(self: BaseTask, key: str) -> int:
    if not self.request.retries:
        sleep(key=key)
    return self.request.retries


@shared_task(name="limits.die")
def die(how: str, *, key: str) -> None:
    _die(how, key)


@shared_task(name="limits.die_sometimes", retry_on_worker_lost=True, bind=True)
def die_sometimes(self: BaseTask, times: int, *, key: str) -> dict[str, Any]:
    if len(journal.lines(key)) < times:
        _die("killed", key)
    journal.write(f"{key} lives")
    return {"retries": self.request.retries}


def _die(how: str, key: str) -> None:
    journal.write(f"{key} dies")
    match how:
        case "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "terminated":
            os.kill(os.getpid(), signal.SIGTERM)
        case "crashed":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "exit 0":
            os._exit(0)
        case "exit 1":
            os._exit(1)
        case "sys.exit()":
            sys.exit()
        case "sys.exit(3)":
            sys.exit(3)
        case "interrupted":
            raise KeyboardInterrupt
        case "generator exit":
            raise GeneratorExit
    time.sleep(_LONG)
