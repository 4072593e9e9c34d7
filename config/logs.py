import logging

from reports.redaction import redact


class RedactingFormatter(logging.Formatter):
    """Takes secrets out of what is written: the message with its arguments, the traceback, the stack."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as text without secrets."""
        return redact(super().format(record))
