"""Canvases of any shape, described by JSON, and the tasks that they are made of.

    ["work"], ["work", "immutable"]     a task that makes a value from its path and its input
    ["flaky", 2]                        the same, after two tries that fail
    ["fail"]                            a task that raises
    ["grow", canvas]                    a task that returns the signatures of a canvas
    ["sequence", canvas, …]             one after another
    ["group", canvas, …]                side by side
    ["chord", [canvas, …], canvas]      side by side, then one with all their results

A canvas's path says where in the whole it stands: "3.0.1". A path names a task in the journal and in errors.
"""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from celery import chain, chord, group, shared_task
from celery.canvas import Signature

from tasks.base import BaseTask
from tasks.chainable import chainable
from tests.actions import journal

Canvas = list[Any]


class CanvasBrokenError(Exception):
    """A task of a canvas failed, as it was told to."""

    code = "canvas_broken"


class CanvasFlakyError(Exception):
    """A task of a canvas failed, and would not if it were tried again."""


class FlakyTask(BaseTask):
    abstract = True
    autoretry_for = (CanvasFlakyError,)
    default_retry_delay = 0.01
    retry_backoff = False
    max_retries = 5


@shared_task(name="canvases.work")
def __work(*inputs: Any, path: str) -> str:
    journal.write(f"{path} ok")
    return value_of(path, inputs)


@shared_task(name="canvases.flaky", base=FlakyTask, bind=True)
def __flaky(self: BaseTask, *inputs: Any, path: str, tries: int) -> str:
    if self.request.retries < tries:
        journal.write(f"{path} try {self.request.retries}")
        raise CanvasFlakyError(path)
    journal.write(f"{path} ok")
    return value_of(path, inputs)


@shared_task(name="canvases.fail")
def __fail(*_: Any, path: str) -> None:
    journal.write(f"{path} failed")
    raise CanvasBrokenError(path)


@shared_task(name="canvases.grow")
def __grow(*_: Any, path: str, canvas: Canvas) -> Any:
    journal.write(f"{path} ok")
    return plan_of(canvas, f"{path}.0")


def value_of(path: str, inputs: tuple[Any, ...]) -> str:
    """Return what the task at ``path`` makes of its inputs: none, or the result of what came before."""
    return hashlib.sha256(json.dumps([path, *inputs]).encode()).hexdigest()[:16]


@chainable
def plan_of(canvas: Canvas, path: str) -> Iterator[Signature]:
    """Build a canvas as authors do: the outermost sequence is a tuple, those inside are Celery's chains."""
    if canvas[0] == "sequence":
        yield from (signature_of(step, f"{path}.{n}") for n, step in enumerate(canvas[1:]))
    else:
        yield signature_of(canvas, path)


def signature_of(canvas: Canvas, path: str) -> Signature:
    """Return a canvas as one signature."""
    match canvas:
        case ["work", *words]:
            signature = __work.si(path=path) if "immutable" in words else __work.s(path=path)
        case ["flaky", tries]:
            signature = __flaky.s(path=path, tries=tries)
        case ["fail"]:
            signature = __fail.s(path=path)
        case ["grow", grown]:
            signature = __grow.s(path=path, canvas=grown)
        case ["sequence", *steps]:
            signature = chain(*(signature_of(step, f"{path}.{n}") for n, step in enumerate(steps)))
        case ["group", *members]:
            signature = group([signature_of(member, f"{path}.{n}") for n, member in enumerate(members)])
        case ["chord", header, body]:
            members = [signature_of(member, f"{path}.{n}") for n, member in enumerate(header)]
            signature = chord(members, signature_of(body, f"{path}.{len(header)}"))
        case _:
            raise ValueError(f"{canvas[0]} is no canvas.")
    return signature
