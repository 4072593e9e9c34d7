import logging

from reports.redaction import redact

# Characters of one record that are written: a client may have sent what it is about.
_LONGEST = 10_000


class RedactingFormatter(logging.Formatter):
    """Takes secrets out of what is written: the message with its arguments, the traceback, the stack."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as text without secrets, and without its middle where it is long."""
        text = super().format(record)
        if len(text) <= _LONGEST:
            return redact(text)
        # Each half is redacted with as much again beside it, and from a word to a word: a secret that is cut in two is
        # not recognised any more.
        half = _LONGEST // 2
        begin, end = text[:_LONGEST].rsplit(None, 1)[0], text[-_LONGEST:].split(None, 1)[-1]
        return f"{redact(begin)[:half]} … {redact(end)[-half:]}"
