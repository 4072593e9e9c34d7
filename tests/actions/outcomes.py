"""Tasks that end in every way a task can end, and in some that it should not."""

import threading
from typing import Any, NoReturn

from celery import chain, group, shared_task
from celery.canvas import Signature
from celery.exceptions import Ignore, Reject

from tasks.base import BaseTask

SECRETS = {
    "url": "https://shop:hunter2-of-the-url@127.0.0.1/orders",
    "header": "Authorization: Bearer 0123456789abcdef",
    "password": "hunter2-of-the-message",
    "token": f"aat_{'0123456789abcdef' * 4}",
}


class OrderRefusedError(Exception):
    """Has a code of its own, and takes arguments that cannot be told from the message."""

    code = "order_refused"

    def __init__(self, order: int, *, reason: str) -> None:
        super().__init__(f"Order {order} was refused: {reason}.")
        self.order = order
        self.reason = reason


class DoorLockedError(Exception):
    """Holds something that no process can hand to another one."""

    code = "door_locked"

    def __init__(self) -> None:
        super().__init__("The door is locked.")
        self.lock = threading.Lock()


class LocalError(Exception):
    """Has codes that are not names."""

    def __init__(self, code: Any) -> None:
        super().__init__("This code is not a name.")
        self.code = code


class MuteError(Exception):
    """Cannot say what it is."""

    def __str__(self) -> str:
        raise RuntimeError("no voice")


@shared_task(name="outcomes.succeed")
def succeed(*inputs: Any, **value: Any) -> list[Any]:
    return [*inputs, value]


@shared_task(name="outcomes.raise_error")
def raise_error(what: str) -> NoReturn:
    raise _error(what)


@shared_task(name="outcomes.raise_deep")
def raise_deep(depth: int) -> int:
    if depth == 0:
        raise ValueError("This deep.")
    return raise_deep.run(depth - 1) + _padding(depth) if depth % 2 else _deeper(depth)


@shared_task(name="outcomes.give")
def give(what: str) -> Any:
    return _value(what)


@shared_task(name="outcomes.replace", bind=True)
def replace(self: BaseTask) -> NoReturn:
    self.replace(succeed.s())


@shared_task(name="outcomes.dispatch")
def dispatch(how: str) -> None:
    {
        "delay": succeed.delay,
        "apply_async": succeed.apply_async,
        "signature": lambda: succeed.s().delay(),
        "chain": lambda: chain(succeed.s(), succeed.s()).delay(),
        "group": lambda: group([succeed.s(), succeed.s()]).delay(),
    }[how]()


@shared_task(name="outcomes.call")
def call() -> list[Any]:
    return succeed(called="as a function")


def _deeper(depth: int) -> int:
    return raise_deep.run(depth - 1)


def _padding(depth: int) -> int:
    return depth


def _error(what: str) -> BaseException:
    return {
        "plain": lambda: ValueError("This is wrong."),
        "coded": lambda: OrderRefusedError(7, reason="sold out"),
        "unpicklable": DoorLockedError,
        "unpicklable class": lambda: type("NowhereError", (Exception,), {"code": "nowhere"})("I am of no module."),
        "without message": KeyError,
        "blank": lambda: ValueError(" \n "),
        "mute": MuteError,
        "nul": lambda: ValueError("zero\0zero"),
        "lone surrogate": lambda: ValueError("half \ud800 character"),
        "secret with code": lambda: OrderRefusedError(7, reason=f"POST {SECRETS['url']} with {SECRETS['header']}"),
        "secret": lambda: ValueError(f"password={SECRETS['password']} token {SECRETS['token']}"),
        "long with code": lambda: OrderRefusedError(7, reason="long " * 10_000),
        "code number": lambda: LocalError(17),
        "code empty": lambda: LocalError(""),
        "code long": lambda: LocalError("c" * 1000),
        "group": lambda: ExceptionGroup("Two at once.", [ValueError("one"), ValueError("two")]),
        "ignore": lambda: Ignore("not today"),
        "reject": lambda: Reject("no", requeue=True),
        "stop iteration": StopIteration,
    }[what]()


def _value(what: str) -> Any:
    return {
        "object": object,
        "set": lambda: {1, 2},
        "bytes": lambda: b"bytes",
        "nan": lambda: float("nan"),
        "nul": lambda: "zero\0zero",
        "large": lambda: "x" * (1024 * 1024),
        "nested too deep": lambda: _nested(1000),
        "lone surrogate": lambda: "\ud800",
        "integer too large": lambda: 2**70,
        "signature and value": lambda: [succeed.s(), 3],
        "value and signature": lambda: [3, succeed.s()],
        "unknown task": lambda: Signature("nobody.knows"),
        "linked": lambda: succeed.s().on_error(succeed.s()),
        "misfit": lambda: raise_error.s("one", "two"),
    }[what]()


def _nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value
