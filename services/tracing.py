"""Traces, as the W3C's Trace Context has them: who called this service, and what that came to.

Here is what the rest of the service says. It costs next to nothing as long as nobody listens; who does is in
``services.telemetry``, which is imported where an exporter is configured.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Protocol
from uuid import UUID

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)
_OURS = 55  # characters of version 00, which may be longer in later ones


class Listener(Protocol):
    """What is told of spans."""

    def span(
        self, name: str, kind: str, trace: str | None, attributes: Mapping[str, str | int]
    ) -> AbstractContextManager[str | None]:
        """Have a span while this lasts: a child of ``trace``, or of the span that is under way; yields its own trace.

        ``kind`` is ``server``, ``producer`` or ``consumer``.
        """

    def note(self, name: str | None, attributes: Mapping[str, str | int], failure: str | None) -> None:
        """Give the span that is under way its final name, what has become known meanwhile, and why it has failed."""


_listener: Listener | None = None
_current: ContextVar[str | None] = ContextVar("traceparent", default=None)


def listen(listener: Listener | None) -> None:
    """Have somebody told of spans from now on, in this process."""
    global _listener  # noqa: PLW0603  a process has one exporter
    _listener = listener


def read(header: str | None) -> str | None:
    """Return the traceparent that a header holds; ``None``, as the recommendation wants it, for what is none."""
    text = (header or "").strip()[:_OURS]
    return text if _TRACEPARENT.fullmatch(text) else None


def current() -> str | None:
    """Return the traceparent of what is under way in this thread: whoever is called next belongs below it."""
    return _current.get()


def trace_id() -> str | None:
    """Return the id of the trace that this thread works for, 32 hexadecimal digits."""
    trace = _current.get()
    return trace[3:35] if trace else None


@contextmanager
def serving(method: str, trace: str | None) -> Iterator[None]:
    """Have a span for a request that came with ``trace``. Its name and answer are noted when they are known."""
    with _span(method, "server", trace, {"http.request.method": method}):
        yield


@contextmanager
def publishing(task: str, report: UUID) -> Iterator[None]:
    """Have a span for a message, where something is under way that it belongs to."""
    if _listener is None or _current.get() is None:
        yield
        return
    attributes = {"messaging.operation.name": "publish", "async_actions.report": str(report)}
    with _span(f"publish {task}", "producer", _current.get(), attributes):
        yield


@contextmanager
def executing(task: str, trace: str | None, attributes: Mapping[str, str | int]) -> Iterator[None]:
    """Have a span for an attempt at a task of an action that was requested in ``trace``."""
    with _span(f"run {task}", "consumer", trace, attributes):
        yield


def note(
    attributes: Mapping[str, str | int] = MappingProxyType({}), *, name: str | None = None, failure: str | None = None
) -> None:
    """Say more of the span that is under way. ``failure`` is a code or a class, never a message."""
    if _listener is not None:
        _listener.note(name, attributes, failure)


@contextmanager
def _span(name: str, kind: str, trace: str | None, attributes: Mapping[str, str | int]) -> Iterator[None]:
    if _listener is None:
        token = _current.set(trace)
        try:
            yield
        finally:
            _current.reset(token)
        return
    with _listener.span(name, kind, trace, attributes) as own:
        token = _current.set(own)
        try:
            yield
        finally:
            _current.reset(token)
