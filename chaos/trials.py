"""Actions of any shape, described by JSON, made of tasks that testify to what they do.

    ["work", {…}]               a task; what it does is in the object, which may be left out
    ["grow", canvas, {…}]       a task that returns the signatures of a canvas
    ["sequence", canvas, …]     one after another
    ["group", canvas, …]        side by side

What a task may do: ``takes`` so many seconds, wait at a ``gate``, meanwhile show its ``progress`` or ask whether it is
wanted (``asks``); then kill its ``worker`` or only its own process (``kills``), raise ``flaky`` times an error that is
tried again, or ``fails`` for good. ``again`` says that it may run again when its worker is lost. Its result is
``counts``, or 1, and all numbers in its input added to it.
"""

import os
import signal
from collections.abc import Iterator
from typing import Any

from celery import chain, group, shared_task
from celery.canvas import Signature

from chaos import gates
from chaos.witness import testify
from reports.errors import ActionCancelledError, AttemptLostError
from tasks.base import BaseTask
from tasks.chainable import chainable

Canvas = list[Any]

#: The tasks that may run again when their worker is lost.
RERUNS = ("trials.work_again", "trials.grow_again")


class TrialFlakyError(Exception):
    """Passes when the task is tried again."""

    code = "trial_flaky"


class TrialFailedError(Exception):
    """Does not pass."""

    code = "trial_failed"


class TrialTask(BaseTask):
    abstract = True
    autoretry_for = (TrialFlakyError,)
    default_retry_delay = 0
    max_retries = 5


@shared_task(name="trials.work", base=TrialTask, bind=True)
def __work(self: TrialTask, *inputs: Any, path: str, deeds: dict[str, Any]) -> int:
    return _perform(self, path, deeds, inputs)


@shared_task(name="trials.work_again", base=TrialTask, bind=True, retry_on_worker_lost=True)
def __work_again(self: TrialTask, *inputs: Any, path: str, deeds: dict[str, Any]) -> int:
    return _perform(self, path, deeds, inputs)


@shared_task(name="trials.grow", base=TrialTask, bind=True)
def __grow(self: TrialTask, *_: Any, path: str, canvas: Canvas, deeds: dict[str, Any]) -> Any:
    _perform(self, path, deeds, ())
    return signatures_of(canvas, f"{path}.0")


@shared_task(name="trials.grow_again", base=TrialTask, bind=True, retry_on_worker_lost=True)
def __grow_again(self: TrialTask, *_: Any, path: str, canvas: Canvas, deeds: dict[str, Any]) -> Any:
    _perform(self, path, deeds, ())
    return signatures_of(canvas, f"{path}.0")


def _perform(task: TrialTask, path: str, deeds: dict[str, Any], inputs: Any) -> int:
    report, attempt = str(task.request.id), vars(task.request)["claim"].attempt
    testify(report, attempt, "begins", path)
    try:
        for _ in gates.wait(deeds.get("gate", ""), deeds.get("takes", 0.0)):
            if deeds.get("progress"):
                task.report_progress(0)
            if deeds.get("asks"):
                task.raise_if_cancelled()
    except (ActionCancelledError, AttemptLostError):
        testify(report, attempt, "gives up", path)
        raise
    if deeds.get("kills") == "worker":
        os.killpg(os.getpgrp(), signal.SIGKILL)
    if deeds.get("kills") == "process":
        os.kill(os.getpid(), signal.SIGKILL)
    if task.request.retries < deeds.get("flaky", 0):
        testify(report, attempt, "raises", path)
        raise TrialFlakyError(path)
    if deeds.get("fails"):
        testify(report, attempt, "fails", path)
        raise TrialFailedError(path)
    testify(report, attempt, "ends", path)
    return int(deeds.get("counts", 1)) + _sum(inputs)


def result_of(canvas: Canvas, given: Any = 0) -> Any:
    """Return the result of a canvas in which no task fails."""
    match canvas:
        case ["sequence", *steps]:
            for step in steps:
                given = result_of(step, given)
            return given
        case ["group", *members]:
            return [result_of(member, given) for member in members]
        case ["grow", grown, *_]:
            return result_of(grown)
        case ["work", {"counts": number}]:
            return number + _sum(given)
        case _:
            return 1 + _sum(given)


@chainable
def signatures_of(canvas: Canvas, path: str) -> Iterator[Signature]:
    """Build a canvas. Paths say where in the whole a task stands: "3.0.1"."""
    if canvas[0] == "sequence":
        yield from (_signature_of(step, f"{path}.{n}") for n, step in enumerate(canvas[1:]))
    else:
        yield _signature_of(canvas, path)


def _signature_of(canvas: Canvas, path: str) -> Signature:
    match canvas:
        case ["work", *deeds]:
            given = deeds[0] if deeds else {}
            return (__work_again if given.get("again") else __work).s(path=path, deeds=given)
        case ["grow", grown, *deeds]:
            given = deeds[0] if deeds else {}
            return (__grow_again if given.get("again") else __grow).s(path=path, canvas=grown, deeds=given)
        case ["sequence", *steps]:
            return chain(*(_signature_of(step, f"{path}.{n}") for n, step in enumerate(steps)))
        case ["group", *members]:
            return group([_signature_of(member, f"{path}.{n}") for n, member in enumerate(members)])
        case _:
            raise ValueError(f"{canvas[0]} is no canvas.")


def _sum(value: Any) -> int:
    return sum(map(_sum, value)) if isinstance(value, list | tuple) else value
