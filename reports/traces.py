"""Which trace an action belongs to: kept with its root, so that no message has to carry it and none can lose it.

It stands in the ``options`` of the root as the option that Celery has for it: what the headers of messages would hold.
"""

import orjson

from reports.documents import load


def options_with(trace: str | None) -> str | None:
    """Return the options of a root that was requested in ``trace``, a traceparent; JSON text, ``None`` without one."""
    return orjson.dumps({"headers": {"traceparent": trace}}).decode() if trace else None


def split_status(text: str) -> tuple[str, str]:
    """Return the status of a root and its options, JSON text or nothing, which a statement returned as one.

    A subquery for each would cost a claim twice as much more.
    """
    status, brace, rest = text.partition("{")
    return status, brace + rest


def trace_in(options: str) -> str | None:
    """Return the traceparent in the options of a root; ``None`` for one that was requested without."""
    trace = load(options).get("headers", {}).get("traceparent") if options else None
    return str(trace) if trace else None
