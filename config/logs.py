"""How the log is written: a JSON object on each line for machines, or a line that people read. Without secrets.

The service logs by Python's own ``logging``. What is bound in structlog's context, such as a report's id, is on each of
its lines.
"""

import logging
import sys
from collections.abc import Callable
from copy import copy
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog
from structlog.typing import EventDict, Processor

from reports.redaction import REDACTED, is_of_a_secret, redact

FORMATS = ("json", "console")

# Characters that are written of one message, and of one traceback: a client may have sent what it is about.
_LONGEST = 10_000


class LogFormatter(structlog.stdlib.ProcessorFormatter):
    """Writes records, whoever logs them. Takes secrets out of all that is in one."""

    def __init__(self, format: str) -> None:  # noqa: A002  as the other formatters of logging.config call it
        super().__init__(
            foreign_pre_chain=[
                structlog.contextvars.merge_contextvars,
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                _add_origin,
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _without_secrets,
                _RENDERERS[format](),
            ],
        )

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as text, also where its arguments do not fit its message: it is no less secret then."""
        try:
            record.getMessage()
        except Exception:  # noqa: BLE001  whatever a % sign comes to
            record = copy(record)
            record.msg, record.args = f"{record.msg} {record.args}", None
        return super().format(record)


def shortened(text: str) -> str:
    """Return a text without secrets, without what no encoding knows, and without its middle where it is long."""
    text = text.encode("utf-8", "replace").decode()
    if len(text) <= _LONGEST:
        return redact(text)
    # Each half is redacted with as much again beside it, and from a word to a word: a secret that is cut in two is
    # not recognised any more.
    half = _LONGEST // 2
    begin, end = text[:_LONGEST].rsplit(None, 1)[0], text[-_LONGEST:].split(None, 1)[-1]
    return f"{redact(begin)[:half]} … {redact(end)[-half:]}"


def _add_origin(_: Any, __: str, event: EventDict) -> EventDict:
    record = event["_record"]
    event["timestamp"] = f"{datetime.fromtimestamp(record.created, UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
    event["process"] = record.processName
    return event


def _without_secrets(_: Any, __: str, event: EventDict) -> EventDict:
    return {name: REDACTED if is_of_a_secret(name) else _without(value) for name, value in event.items()}


def _without(value: Any) -> Any:
    return value if isinstance(value, int | float | bool | None) else shortened(str(value))


def _as_json() -> Processor:
    return structlog.processors.JSONRenderer(serializer=_dump)


def _as_line() -> Processor:
    # Plain tracebacks: prettier ones show the values of variables.
    return structlog.dev.ConsoleRenderer(
        exception_formatter=structlog.dev.plain_traceback, colors=sys.stderr.isatty(), pad_event_to=0
    )


def _dump(event: EventDict, **_: Any) -> str:
    return orjson.dumps(event).decode()


_RENDERERS: dict[str, Callable[[], Processor]] = {"json": _as_json, "console": _as_line}


def logging_settings(*, level: str, form: str) -> dict[str, Any]:
    """Return Django's setting ``LOGGING``: everything to standard error, from a ``level`` on, in one ``form``."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {"()": "config.logs.LogFormatter", "format": form},
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {"handlers": [], "level": level, "propagate": True},
            "_granian": {"handlers": [], "level": level, "propagate": True},  # of the web server's processes
            "httpx": {"level": "WARNING"},  # a line for every call, with the address called
            # A line for every message taken and every task done: the ledger has it already.
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
        },
    }
